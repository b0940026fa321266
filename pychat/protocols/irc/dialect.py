"""
IRC as it is written: items become lines, as the capabilities of those who read them allow.

A table per concept says how an item is written: the modules in
`replies/`. Lines are made and kept within their limits by `replies/context.py`, `replies/tags.py` and
`line_length.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
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
"""Capabilities that change what is written. Who differs in others only shares a dialect, encoded once."""


class IrcDialect(Dialect):
    """
    IRC with a set of capabilities.

    Args:
        server_name: What the server calls itself.
        capabilities: Those that were negotiated; only those in `WRITTEN` count.
        version: What the server says it runs.
        clock: Tells the time, in POSIX seconds, of what is no event (IRCv3 server-time).
        mechanisms: Of SASL, that the server has.
        registers: Whether everybody can make an account.
        registers_early: Whether also before they have come in.
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
        """The name of the server in `:source`."""
        self.echoes = ECHO_MESSAGE in capabilities
        self._context = Context(self.source, server_name, version, limits, clock, capabilities, description=description)
        # All dialects of the server that were ever needed, shared by all of them: at most one for each subset of
        # `WRITTEN`. Readers may ask at the same time; whose comes first is the one.
        self._others = {capabilities: self}

    def with_capabilities(self, capabilities: frozenset[str]) -> IrcDialect:
        """Return the dialect of those who have negotiated these; for the same ones always the same object."""
        wanted = capabilities & WRITTEN
        known = self._others.get(wanted)
        if known is not None:
            return known
        _, network, version, limits, clock, *_, description = self._context
        made = IrcDialect(
            network, limits, wanted, version, clock, self.mechanisms, self.registers, self.registers_early, description
        )
        made._others = self._others
        return self._others.setdefault(wanted, made)

    def encode(self, items: Sequence[Item]) -> bytes:
        """See `Dialect.encode`."""
        return messages.block(items, self._context) or _encode(items, self._context)

    def encode_private(self, items: Sequence[Item], nickname: str | None) -> bytes:
        """See `Dialect.encode_private`: numerics name the one who reads them."""
        return _encode(items, self._context if nickname is None else self._context._replace(nickname=nickname))

    def label(self, label: str, parts: Sequence[bytes]) -> list[bytes]:
        """See `Dialect.label`."""
        return labels.label(label, parts, self._context)


def _encode(items: Sequence[Item], context: Context) -> bytes:
    lines: list[str] = []
    for item in items:
        lines += RENDERERS[type(item)](item, context)
    return to_bytes(with_times(lines, context))
