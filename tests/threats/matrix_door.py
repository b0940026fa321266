"""
How a caller of the matrix speaks, and hears what comes of it.

Bytes go into the protocol of a language, and its verbs into the chat, as `transport/connection.py` does it.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from matrix_languages import CLASSIC, INSIDE, IRC, JSON, PROGRAM, TEXT, Spelling
from matrix_people import World

from pychat.model.limits import Limits
from pychat.model.replies import Failure
from pychat.model.verbs import Verb
from pychat.protocols.base import Dialect, Protocol
from pychat.protocols.irc.dialect import IrcDialect
from pychat.protocols.irc.protocol import IrcProtocol
from pychat.protocols.jsonl.protocol import JsonDialect, JsonProtocol
from pychat.protocols.text.protocol import ClassicDialect, ClassicProtocol, TextDialect, TextProtocol

YES: Final = "yes"

_LIMITS: Final = Limits()
DIALECTS: Final[dict[str, Dialect]] = {
    TEXT: TextDialect(),
    CLASSIC: ClassicDialect(),
    JSON: JsonDialect(),
    IRC: IrcDialect("pychat", _LIMITS, mechanisms=("PLAIN",), registers=True),
}


class Outcome(NamedTuple):
    """What came of asking."""

    code: str
    """`YES`, or the code of the first refusal."""
    verbs: tuple[str, ...]
    """Names of the verbs that the words were taken for."""
    heard: list[Any]
    """The items that the caller was told."""
    written: bytes
    """The refusals as the language writes them."""


def ask(world: World, language: str, spelling: Spelling) -> Outcome:
    """Let the caller say it."""
    performed = _perform_inside(world, spelling) if language == PROGRAM else _perform(world, language, spelling)
    heard = world.caller.take()
    failures = [item for item in heard if isinstance(item, Failure)]
    dialect = DIALECTS.get(language)
    written = b"" if dialect is None else dialect.encode_private(failures, world.caller.nickname)
    code = failures[0].code if failures else YES
    return Outcome(code, tuple(type(verb).__name__ for verb in performed), heard, written)


def _perform_inside(world: World, spelling: Spelling) -> list[Verb]:
    verb = INSIDE[spelling.row]()
    world.chat.perform(world.caller, [verb])
    return [verb]


def protocol_of(language: str) -> Protocol:
    """A connection's protocol; one of IRC has negotiated tags."""
    match language:
        case "text":
            return TextProtocol(_LIMITS, DIALECTS[language])
        case "classic":
            return ClassicProtocol(_LIMITS, DIALECTS[language])
        case "JSON":
            return JsonProtocol(_LIMITS, DIALECTS[language])
    dialect = DIALECTS[IRC]
    assert isinstance(dialect, IrcDialect)
    protocol = IrcProtocol(_LIMITS, dialect)
    protocol.receive(b"CAP REQ :message-tags\r\nCAP END\r\n")
    protocol.take_verbs()
    return protocol


def _perform(world: World, language: str, spelling: Spelling) -> list[Verb]:
    return say(world, protocol_of(language), spelling.said.encode() + (b"" if language == CLASSIC else b"\n"))


def say(world: World, protocol: Protocol, data: bytes) -> list[Verb]:
    """Let the caller send these bytes, and return the verbs that were performed for them."""
    chat, caller = world.chat, world.caller
    if caller.nickname is not None:
        protocol.registered(caller.nickname)
    protocol.receive(data)
    performed: list[Verb] = []
    while verbs := protocol.take_verbs():
        for verb in verbs:
            nickname = caller.nickname
            chat.perform(caller, [verb])
            performed.append(verb)
            if caller.nickname is not None and caller.nickname != nickname:
                protocol.registered(caller.nickname)
    return performed
