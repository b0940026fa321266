"""
The IRC dialect: items become lines, according to the capabilities of their readers.

The modules in `replies/` have a table for each topic, from item to renderer. `replies/context.py`, `replies/tags.py`
and `line_length.py` make lines and keep them within their limits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from copy import copy
from typing import ClassVar, Final

from pychat.model.cloaks import server_host
from pychat.model.limits import Limits
from pychat.protocols.base import Dialect, Item
from pychat.protocols.irc.capabilities import (
    ACCOUNT_NOTIFY,
    ACCOUNT_TAG,
    AWAY_NOTIFY,
    BATCH,
    CHGHOST,
    ECHO_MESSAGE,
    EXTENDED_JOIN,
    INVITE_NOTIFY,
    MESSAGE_TAGS,
    MULTI_PREFIX,
    SERVER_TIME,
    SETNAME,
    STANDARD_REPLIES,
    USERHOST_IN_NAMES,
)
from pychat.protocols.irc.line_length import to_bytes
from pychat.protocols.irc.replies import accounts as answers_accounts
from pychat.protocols.irc.replies import errors as failures
from pychat.protocols.irc.replies import events, labels, messages
from pychat.protocols.irc.replies import history as answers_history
from pychat.protocols.irc.replies import people as answers_people
from pychat.protocols.irc.replies import rooms as answers_rooms
from pychat.protocols.irc.replies import server as answers_server
from pychat.protocols.irc.replies.context import Context, Renderer
from pychat.protocols.irc.replies.forms import Forms
from pychat.protocols.irc.replies.tags import with_times
from pychat.version import DESCRIPTION

RENDERERS: Final[dict[type, Renderer]] = {
    **messages.RENDERERS,
    **events.RENDERERS,
    **answers_rooms.RENDERERS,
    **answers_people.RENDERERS,
    **answers_server.RENDERERS,
    **answers_history.RENDERERS,
    **answers_accounts.RENDERERS,
    **failures.RENDERERS,
}
WRITTEN: Final = frozenset(
    {
        ACCOUNT_NOTIFY,
        ACCOUNT_TAG,
        AWAY_NOTIFY,
        BATCH,
        CHGHOST,
        ECHO_MESSAGE,
        EXTENDED_JOIN,
        INVITE_NOTIFY,
        MESSAGE_TAGS,
        MULTI_PREFIX,
        SERVER_TIME,
        SETNAME,
        STANDARD_REPLIES,
        USERHOST_IN_NAMES,
    }
)
"""Capabilities that change the output. Clients that differ only in others share a dialect."""


class IrcDialect(Dialect):
    """
    IRC with a set of capabilities.

    Args:
        server_name: The name of the server.
        capabilities: The negotiated ones; only those in `WRITTEN` count.
        version: The software version that the server reports.
        clock: Returns the time, in POSIX seconds, for lines that are not events (IRCv3 server-time).
        mechanisms: The SASL mechanisms of the server.
        registers: True if anybody can register an account.
        registers_early: True if they can do so before registration.
        description: One line about the server.
    """

    name: ClassVar[str] = "irc"

    def __init__(
        self,
        server_name: str,
        limits: Limits,
        capabilities: frozenset[str] = frozenset(),
        version: str = "pychat",
        clock: Callable[[], float] = time.time,
        mechanisms: tuple[str, ...] = (),
        registers: bool = False,
        registers_early: bool = False,
        description: str = DESCRIPTION,
    ) -> None:
        capabilities &= WRITTEN
        self.capabilities = capabilities
        self.mechanisms, self.registers, self.registers_early = mechanisms, registers, registers_early
        self.source = server_host(server_name)
        """The server name used in `:source`."""
        self.echoes = ECHO_MESSAGE in capabilities
        self._context = Context(
            self.source, server_name, version, limits, clock, Forms(), capabilities, description=description
        )
        # All dialects that this server has needed so far, shared by all of them: at most one for each subset of
        # `WRITTEN`. Readers may add one at the same time; the first one wins.
        self._others = {capabilities: self}

    def with_capabilities(self, capabilities: frozenset[str]) -> IrcDialect:
        """Return the dialect for these capabilities; always the same object for the same set."""
        wanted = capabilities & WRITTEN
        known = self._others.get(wanted)
        if known is not None:
            return known
        made = copy(self)
        made.capabilities, made.echoes = wanted, ECHO_MESSAGE in wanted
        made._context = self._context._replace(capabilities=wanted)
        return self._others.setdefault(wanted, made)

    def encode(self, items: Sequence[Item]) -> bytes:
        """Return the lines of the items; see `Dialect.encode`."""
        return messages.block(items, self._context) or _encode(items, self._context)

    def encode_private(self, items: Sequence[Item], nickname: str | None) -> bytes:
        """Return the lines with this nickname in numerics; see `Dialect.encode_private`."""
        return _encode(items, self._context if nickname is None else self._context._replace(nickname=nickname))

    def label(self, label: str, parts: Sequence[bytes]) -> list[bytes]:
        """Add the label to the parts of a response; see `Dialect.label`."""
        return labels.label(label, parts, self._context)


def _encode(items: Sequence[Item], context: Context) -> bytes:
    lines: list[str] = []
    for item in items:
        lines += RENDERERS[type(item)](item, context)
    return to_bytes(with_times(lines, context))
