"""
The commands that connect to a server.

    address.py      the server that a command is for; access.py: TLS, password, nickname, and the connection
    connect.py      `pychat connect` without a terminal; send.py, announce.py, tail.py: the other commands
    listening.py    receives items and chooses their stream; display.py, timestamps.py: their lines
"""
