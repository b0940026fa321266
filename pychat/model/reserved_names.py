"""
Nicknames that nobody can have, because people would take them for the server, its operators or its services, and tell
them passwords.

Names that look like these are reserved, too. The test is stricter than for two people's names, where `bill` may exist
beside `bi11`: here "i", "l", "1" and "|" are the same, and punctuation does not count.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from pychat.model.names import skeleton

RESERVED: Final = (
    "server",
    "service",
    "services",
    "system",
    "admin",
    "administrator",
    "operator",
    "ircop",
    "sysop",
    "sysadmin",
    "root",
    "global",
    *(f"{what}serv" for what in ("nick", "chan", "memo", "oper", "host", "bot", "auth", "sasl", "group", "help")),
)
"""
Words for people and programs with power over others, and names of services on IRC networks. Words that honest people
and bots use (`staff`, `support`, `help`, `bot`) are not among them: use `NicknameValidator(forbidden=...)` for those.
"""

_PUNCTUATION: Final = str.maketrans("", "", r"-_[]{}^\`")
_BAR: Final = str.maketrans("", "", "|")
_SAME_STROKE: Final = str.maketrans("l", "i")


def reserved_word(nickname: str, server: str = "") -> str | None:
    """
    Return the reserved word that a nickname is or looks like, or None.

    Args:
        server: The name of the server, which is reserved as well.
    """
    looks = _looks(nickname)
    if not looks.isdisjoint(_looks(server)):
        return server
    return next((word for look, word in _WORDS.items() if look in looks), None)


@lru_cache(maxsize=64)
def _looks(name: str) -> frozenset[str]:
    """Return the skeletons of a name, with its bars as letters and without them."""
    bare = name.translate(_PUNCTUATION)
    return frozenset(
        [skeleton(shape).translate(_SAME_STROKE) for shape in {bare, bare.translate(_BAR)} if shape],
    )


_WORDS: Final = {look: word for word in RESERVED for look in _looks(word)}
