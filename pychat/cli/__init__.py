"""
The command line, `pychat`. Nothing that is imported by a program is here.

    commands.py     the commands: their options and their help
    record_commands.py  those for a record in a file; history.py, stamping.py: what history prints
    setup_commands.py   those for who sets it up; doctor.py, certificate.py: what two of them do
    parsing.py      how a command line is read, the only door of click; options.py, settings.py: files and sources
    exits.py        exit codes, and what an error tells; streams.py: stdin, stdout, stderr
    secret_files.py passwords, which are no options; amounts.py: times and sizes
    daemon.py       serve; addresses.py: how to join it; logs.py: its log; signals.py: what ends it
    joining.py      how the clients come in; pipe.py (connect), send.py, tail.py: what they do then

`pychat connect` at a terminal is in `pychat/terminal/`.
"""

from pychat.cli.commands import cli as cli
from pychat.cli.commands import main as main
