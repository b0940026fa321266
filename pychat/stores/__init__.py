"""Logs that last: `SqliteLog` keeps the record of the rooms in a file."""

from pychat.stores.durable import SqliteLog as SqliteLog

__all__ = ["SqliteLog"]
