"""The handlers that come with pychat, one file each."""

from pychat.handlers.broadcast import Broadcast
from pychat.handlers.commands import Commands, SessionContext
from pychat.handlers.flood import FloodControl
from pychat.handlers.function_commands import Context
from pychat.handlers.history import History
from pychat.handlers.join_leave import JoinLeaveNotices
from pychat.handlers.nickname import NicknameValidator

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
