"""
The languages that a server speaks: what reads each of them, and what writes it. A new one is a line of this table, a
member of `detect.Language`, and a sign by which `detect.Detector` knows it.

HTTP is none of them: nobody comes in by it (`http/page.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from pychat.model.limits import Limits
from pychat.protocols.base import Dialect, Protocol
from pychat.protocols.detect import Language
from pychat.protocols.irc.dialect import IrcDialect
from pychat.protocols.irc.protocol import IrcProtocol
from pychat.protocols.jsonl.protocol import JsonDialect, JsonProtocol
from pychat.protocols.text.protocol import ClassicDialect, ClassicProtocol, TextDialect, TextProtocol
from pychat.version import __version__


class Host(NamedTuple):
    """What languages tell of the server that speaks them, before a client has said what it knows."""

    name: str
    description: str
    default_room: str
    limits: Limits
    mechanisms: tuple[str, ...] = ()
    """Of SASL."""
    registers: bool = False
    """Whether everybody can make an account."""
    registers_early: bool = False
    """Whether also before they have come in."""


class Spoken(NamedTuple):
    """One language."""

    protocol: Callable[[Limits, Any], Protocol]
    """Makes the reader of one connection, which writes with a dialect of this language."""
    dialect: Callable[[Host], Dialect]


def _irc(host: Host) -> Dialect:
    return IrcDialect(
        host.name,
        host.limits,
        version=f"pychat-{__version__}",
        mechanisms=host.mechanisms,
        registers=host.registers,
        registers_early=host.registers_early,
        description=host.description,
    )


LANGUAGES: Final[dict[Language, Spoken]] = {
    Language.TEXT: Spoken(TextProtocol, lambda host: TextDialect(host.default_room)),
    Language.CLASSIC: Spoken(ClassicProtocol, lambda host: ClassicDialect(host.default_room)),
    Language.JSON: Spoken(JsonProtocol, lambda host: JsonDialect()),
    Language.IRC: Spoken(IrcProtocol, _irc),
}


def make_dialects(host: Host) -> dict[Language, Dialect]:
    """Return what writes each language, for all connections of a server."""
    return {language: spoken.dialect(host) for language, spoken in LANGUAGES.items()}
