"""The behaviours that come with pychat, one file each."""

from pychat.handlers.broadcast import Broadcast
from pychat.handlers.command_table import Context
from pychat.handlers.commands import Commands, SessionContext
from pychat.handlers.flood import FloodControl
from pychat.handlers.history import History
from pychat.handlers.nickname import NicknameValidator
from pychat.handlers.presence import JoinLeaveNotices

__all__ = [
    "Broadcast",
    "Commands",
    "Context",
    "FloodControl",
    "History",
    "JoinLeaveNotices",
    "NicknameValidator",
    "SessionContext",
]
