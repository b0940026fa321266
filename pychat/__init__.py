"""A chat server to import: rooms, pluggable handlers, any client on one port, one order for everyone."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from pychat.version import __version__ as __version__

if TYPE_CHECKING:
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

_WHERE: Final = {
    "AccountChanged": "pychat.core.events",
    "Accounts": "pychat.core.accounts",
    "AckTimeout": "pychat.core.errors",
    "AwayChanged": "pychat.core.events",
    "Bot": "pychat.bot",
    "Certificate": "pychat.transport.trust",
    "Chat": "pychat.core.chat",
    "ChatClient": "pychat.client",
    "ChatError": "pychat.core.errors",
    "ChatServer": "pychat.server",
    "ConnectFailed": "pychat.core.errors",
    "ConnectionLost": "pychat.core.errors",
    "Disconnected": "pychat.core.events",
    "Event": "pychat.core.events",
    "Handler": "pychat.core.handler",
    "Joined": "pychat.core.events",
    "KeptAccounts": "pychat.core.kept_accounts",
    "Kicked": "pychat.core.events",
    "Left": "pychat.core.events",
    "Limits": "pychat.core.limits",
    "LocalSession": "pychat.core.session",
    "Message": "pychat.core.events",
    "ModesChanged": "pychat.core.events",
    "Notice": "pychat.core.events",
    "Refused": "pychat.core.errors",
    "Renamed": "pychat.core.events",
    "Room": "pychat.core.room",
    "Session": "pychat.core.session",
    "TopicChanged": "pychat.core.events",
    "Trust": "pychat.transport.trust",
    "command": "pychat.handlers.command_table",
}
"""Where each public name is defined. It is imported when it is first used: a client needs no server to start."""

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


if not TYPE_CHECKING:  # with this, a type checker would believe in every name

    def __getattr__(name: str) -> Any:
        """Import a public name on first use (PEP 562)."""
        where = _WHERE.get(name)
        if where is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(where), name)
        return value


def __dir__() -> list[str]:
    """All public names, also those that were not used yet."""
    return sorted({*globals(), *__all__})
