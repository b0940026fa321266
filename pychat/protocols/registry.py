"""
The registry of languages: each with its protocol (reader) and its dialect (writer). A new language needs a line in this
table, a member of `detect.Language`, and a sign by which `detect.Detector` recognises it.

HTTP is not in the table, because nobody can chat over it (`http/page.py`).
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
    """The information that a language announces about the server before the client has sent its capabilities."""

    name: str
    description: str
    default_room: str
    limits: Limits
    mechanisms: tuple[str, ...] = ()
    """The SASL mechanisms."""
    registers: bool = False
    """True if anybody can register an account."""
    registers_early: bool = False
    """True if they can do so before they are connected to the chat."""


class Spoken(NamedTuple):
    """One language."""

    protocol: Callable[[Limits, Any], Protocol]
    """Makes the protocol of one connection, which writes with a dialect of this language."""
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
    """Return the dialects of a server, shared by all its connections."""
    return {language: spoken.dialect(host) for language, spoken in LANGUAGES.items()}
