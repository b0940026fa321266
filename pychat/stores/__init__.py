"""Persistent logs: `SqliteLog` stores the events of the rooms in a file."""

from pychat.stores.sqlite.database import check_file as check_file
from pychat.stores.sqlite.log import SqliteLog as SqliteLog

__all__ = ["SqliteLog", "check_file"]
