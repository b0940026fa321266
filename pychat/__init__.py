"""A chat server to import: rooms, pluggable handlers, any client on one port, one order for everyone."""

from pychat.client import ChatClient
from pychat.core.chat import Chat
from pychat.core.errors import AckTimeout, ChatError, ConnectFailed, ConnectionLost, Refused
from pychat.core.events import (
    AwayChanged,
    Disconnected,
    Event,
    Joined,
    Left,
    Message,
    Notice,
    Renamed,
    TopicChanged,
)
from pychat.core.handler import Handler
from pychat.core.limits import Limits
from pychat.core.room import Room
from pychat.core.session import LocalSession, Session
from pychat.server import ChatServer

__version__ = "0.1.0"

__all__ = [
    "AckTimeout",
    "AwayChanged",
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
    "Left",
    "Limits",
    "LocalSession",
    "Message",
    "Notice",
    "Refused",
    "Renamed",
    "Room",
    "Session",
    "TopicChanged",
]
