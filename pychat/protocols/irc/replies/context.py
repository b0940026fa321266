"""The context of lines for one client (names, nickname, capabilities), and the parts of a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, TypeAlias

from pychat.model.limits import Limits
from pychat.protocols.irc.asked import as_middle
from pychat.protocols.irc.capabilities import MULTI_PREFIX
from pychat.protocols.irc.commands.params import ROLES
from pychat.protocols.irc.line_length import packed, pieces, room_behind
from pychat.protocols.irc.replies.forms import Forms


class Context(NamedTuple):
    """Everything that lines depend on besides the item."""

    server: str
    """The server name in `:source`."""
    network: str
    """The server name shown to people."""
    version: str
    limits: Limits
    clock: Callable[[], float]
    """Returns the time, in POSIX seconds, for lines that are not events."""
    forms: Forms
    """What is written only once for all clients of the server."""
    capabilities: frozenset[str] = frozenset()
    nickname: str = "*"
    """The reader's nickname; "*" before registration (Modern IRC, "Numeric Replies")."""
    description: str = ""
    """One line about the server."""

    def numeric(self, code: str, *params: str, text: str | None = None) -> str:
        """Return `:server CODE nickname params... :text`; parameters are made valid as middle parameters."""
        line = f":{self.server} {code} {as_middle(self.nickname)}"
        if params:
            line = " ".join([line, *map(as_middle, params)])
        return line if text is None else f"{line} :{text}"

    def numerics(self, code: str, *params: str, words: Iterable[str], separator: str = " ") -> list[str]:
        """Return as many numerics as the words need in their last parameter; none for no words."""
        head = self.numeric(code, *params, text="")
        return [head + text for text in packed(words, room_behind(head), separator)]

    def texts(self, code: str, *params: str, text: str) -> list[str]:
        """Return as many numerics as the text needs in their last parameter."""
        head = self.numeric(code, *params, text="")
        return [head + piece for piece in pieces(text, room_behind(head))]


Renderer: TypeAlias = Callable[[Any, Context], list[str]]
"""Writes an item: lines with their tags, without their ends."""

PREFIXES: Final = {"o": "@", "v": "+"}
"""The nickname prefix for each of `modes.ROLES` (Modern IRC, "Channel Membership Prefixes")."""
ROLE_SIGNS: Final = {role: sign for sign, role in ROLES.items()}
"""The channel prefix for each `Message.role` (Modern IRC, "STATUSMSG Parameter")."""

_SOURCE_CHARS: Final = 88
"""Limit of a source without the nickname: names from the core are shorter, 18 characters and those of a host."""


def channel(room: str) -> str:
    """Return the IRC name of a room."""
    return as_middle(f"#{room}")


def source(nickname: str, userhost: str, context: Context) -> str:
    """Return the source of a line from a person, without the colon; short enough for a command to follow."""
    name = as_middle(f"{nickname}!{userhost}" if userhost else f"{nickname}!{nickname}@{context.server}")
    if len(name) <= _SOURCE_CHARS:  # nearly always
        return name
    return name[: _SOURCE_CHARS + context.limits.nickname_chars]


def user_and_host(userhost: str, nickname: str, context: Context) -> tuple[str, str]:
    """Return user and host; placeholders if they are unknown."""
    user, _, host = userhost.partition("@")
    return user or nickname, host or context.server


def prefixes(roles: str, context: Context) -> str:
    """Return the prefix of a nickname: the highest one, or all of them (IRCv3 multi-prefix)."""
    if not roles:
        return ""
    found = "".join([prefix for role, prefix in PREFIXES.items() if role in roles])
    return found if MULTI_PREFIX in context.capabilities else found[:1]
