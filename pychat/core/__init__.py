"""State and rules of a chat: no bytes, no sockets. `chat.py` is the place to begin reading."""
