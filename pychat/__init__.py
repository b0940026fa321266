"""A chat server to import: rooms, pluggable handlers, any client on one port, one order for everyone."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from pychat.version import __version__ as __version__

if sys.platform == "win32":
    raise ImportError(
        "pychat runs on POSIX systems only, such as Linux and macOS; on Windows, run it in WSL, or join a server with "
        "an IRC client such as HexChat, or with PuTTY"
    )

if TYPE_CHECKING:
    from pychat.bot import Bot
    from pychat.client import ChatClient
    from pychat.client.inbox import Dropped, Reconnected, Reconnecting
    from pychat.core.accounts.base import Accounts
    from pychat.core.accounts.stored import StoredAccounts
    from pychat.core.chat import Chat
    from pychat.core.handler import Handler
    from pychat.core.local_session import LocalSession
    from pychat.core.rooms.room import Room
    from pychat.core.session import Session
    from pychat.handlers.function_commands import command
    from pychat.model.errors import AckTimeout, ChatError, ConnectFailed, ConnectionLost, LocalProtocolError, Refused
    from pychat.model.events import (
        AccountChanged,
        AwayChanged,
        Disconnected,
        Event,
        Invited,
        Joined,
        Kicked,
        Left,
        Message,
        ModesChanged,
        Notice,
        ProfileChanged,
        Renamed,
        Tagged,
        TopicChanged,
    )
    from pychat.model.limits import Limits
    from pychat.model.replies import Failure, Gap
    from pychat.server import ChatServer
    from pychat.transport.trust import Certificate, Trust

_WHERE: Final = {
    "AccountChanged": "pychat.model.events",
    "Accounts": "pychat.core.accounts.base",
    "AckTimeout": "pychat.model.errors",
    "AwayChanged": "pychat.model.events",
    "Bot": "pychat.bot",
    "Certificate": "pychat.transport.trust",
    "Chat": "pychat.core.chat",
    "ChatClient": "pychat.client",
    "ChatError": "pychat.model.errors",
    "ChatServer": "pychat.server",
    "ConnectFailed": "pychat.model.errors",
    "ConnectionLost": "pychat.model.errors",
    "Disconnected": "pychat.model.events",
    "Dropped": "pychat.client.inbox",
    "Event": "pychat.model.events",
    "Failure": "pychat.model.replies",
    "Gap": "pychat.model.replies",
    "Handler": "pychat.core.handler",
    "Invited": "pychat.model.events",
    "Joined": "pychat.model.events",
    "Kicked": "pychat.model.events",
    "Left": "pychat.model.events",
    "Limits": "pychat.model.limits",
    "LocalProtocolError": "pychat.model.errors",
    "LocalSession": "pychat.core.local_session",
    "Message": "pychat.model.events",
    "ModesChanged": "pychat.model.events",
    "Notice": "pychat.model.events",
    "ProfileChanged": "pychat.model.events",
    "Reconnected": "pychat.client.inbox",
    "Reconnecting": "pychat.client.inbox",
    "Refused": "pychat.model.errors",
    "Renamed": "pychat.model.events",
    "Room": "pychat.core.rooms.room",
    "Session": "pychat.core.session",
    "StoredAccounts": "pychat.core.accounts.stored",
    "Tagged": "pychat.model.events",
    "TopicChanged": "pychat.model.events",
    "Trust": "pychat.transport.trust",
    "command": "pychat.handlers.function_commands",
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
    "Dropped",
    "Event",
    "Failure",
    "Gap",
    "Handler",
    "Invited",
    "Joined",
    "Kicked",
    "Left",
    "Limits",
    "LocalProtocolError",
    "LocalSession",
    "Message",
    "ModesChanged",
    "Notice",
    "ProfileChanged",
    "Reconnected",
    "Reconnecting",
    "Refused",
    "Renamed",
    "Room",
    "Session",
    "StoredAccounts",
    "Tagged",
    "TopicChanged",
    "Trust",
    "command",
]


if not TYPE_CHECKING:  # with this, a type checker would believe in every name

    def __getattr__(name: str) -> Any:
        """Import a public name on first use (PEP 562)."""
        if name == "KeptAccounts":
            from pychat.renamed import warn_renamed

            warn_renamed("pychat.KeptAccounts", "StoredAccounts", __name__)
            name = "StoredAccounts"
        where = _WHERE.get(name)
        if where is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(where), name)
        return value


def __dir__() -> list[str]:
    """All public names, also those that were not used yet."""
    return sorted({*globals(), *__all__})
