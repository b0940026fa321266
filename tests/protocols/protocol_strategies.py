"""What the property tests of protocols share: any bytes, in any chunks."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from pychat.model.limits import Limits
from pychat.model.verbs import Hello, Say, SayAll, Verb
from pychat.protocols.base import Protocol

SMALL = Limits(line_bytes=12, unfinished_bytes=30)
"""Limits that short examples reach."""

_PIECES = [
    b"\n",
    b"\r\n",
    b"\r",
    b"a",
    b"ann",
    b"/",
    b"/me x",
    b"\xff",
    b"\xff\xfa",
    b"\xff\xf0",
    b"\xff\xfb\x01",
    b"\0",
]
_PIECES += ["é".encode(), b"\xc3", b"\x85", b"\x1c", "\u2028".encode(), b"x" * 12, b"y" * 31, b'{"type":"rooms"}', b"{"]

streams = st.lists(st.sampled_from(_PIECES) | st.binary(max_size=6), max_size=25).map(b"".join)
"""Bytes that are more likely to mean something than random ones."""


@st.composite
def chunked(draw: st.DrawFn, source: st.SearchStrategy[bytes] = streams) -> tuple[bytes, list[bytes]]:
    """A stream, and one way to cut it."""
    stream = draw(source)
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    return stream, [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


def converse(protocol: Protocol, chunks: Sequence[bytes], *, refused: int = 0) -> list[Verb]:
    """All verbs of a connection whose first nicknames are refused that many times, and the next accepted."""
    verbs: list[Verb] = []
    for chunk in [*chunks, None]:
        if chunk is None:
            protocol.receive_eof()
        else:
            protocol.receive(chunk)
        while taken := protocol.take_verbs():
            verbs += one_by_one(taken)
            for verb in taken:
                if isinstance(verb, Hello):
                    refused -= 1
                    if refused < 0:
                        protocol.registered(verb.nickname)
    return verbs


def take_all(protocol: Protocol) -> list[Verb]:
    """Everything that is ready; a protocol gives a part of it at a time."""
    verbs: list[Verb] = []
    while taken := protocol.take_verbs():
        verbs += taken
    return verbs


def one_by_one(verbs: Sequence[Verb]) -> list[Verb]:
    """The same verbs, with each message on its own: how many travel together depends on the chunks."""
    spread: list[Verb] = []
    for verb in verbs:
        spread += [Say(text, verb.room) for text in verb.texts] if isinstance(verb, SayAll) else [verb]
    return spread
