"""The version number, and what a server says that it is: their one place, below all layers."""

__version__ = "0.1.0"

DESCRIPTION = "a chat server for all clients on one port"
