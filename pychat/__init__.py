"""A chat server to import: rooms, pluggable handlers, any client on one port, one order for everyone."""

from pychat.bot import Bot
from pychat.client import ChatClient
from pychat.core.accounts import Accounts
from pychat.core.chat import Chat
from pychat.core.errors import AckTimeout, ChatError, ConnectFailed, ConnectionLost, Refused
from pychat.core.events import (
    AccountChanged,
    AwayChanged,
    Disconnected,
    Event,
    Joined,
    Kicked,
    Left,
    Message,
    ModesChanged,
    Notice,
    Renamed,
    TopicChanged,
)
from pychat.core.handler import Handler
from pychat.core.kept_accounts import KeptAccounts
from pychat.core.limits import Limits
from pychat.core.room import Room
from pychat.core.session import LocalSession, Session
from pychat.handlers.command_table import command
from pychat.server import ChatServer
from pychat.transport.trust import Certificate, Trust
from pychat.version import __version__ as __version__

__all__ = [
    "AccountChanged",
    "Accounts",
    "AckTimeout",
    "AwayChanged",
    "Bot",
    "Certificate",
    "Chat",
    "ChatClient",
    "ChatError",
    "ChatServer",
    "ConnectFailed",
    "ConnectionLost",
    "Disconnected",
    "Event",
    "Handler",
    "Joined",
    "KeptAccounts",
    "Kicked",
    "Left",
    "Limits",
    "LocalSession",
    "Message",
    "ModesChanged",
    "Notice",
    "Refused",
    "Renamed",
    "Room",
    "Session",
    "TopicChanged",
    "Trust",
    "command",
]
