"""Telnet commands are dropped, wherever the chunks are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from protocol_strategies import chunked

from pychat.protocols.text.telnet import TelnetFilter


@pytest.mark.parametrize(
    ("stream", "text"),
    [
        (b"plain", b"plain"),
        (b"\xff\xfb\x01a\xff\xfd\x03b", b"ab"),
        (b"a\xff\xf4b", b"ab"),
        (b"a\xff\xffb", b"a\xffb"),
        (b"a\xff\xfa\x1f\x00\x50\x00\n\xff\xf0b\n", b"ab\n"),
        (b"a\xff\xfa\x18\xff\xffx\xff\xf0b", b"ab"),
        (b"a\xff", b"a"),
    ],
)
def test_commands_are_dropped(stream: bytes, text: bytes) -> None:
    """RFC 854: two bytes, three with an option, a subnegotiation up to IAC SE; a doubled 0xFF is the byte."""
    assert TelnetFilter(100).strip(stream) == text


def test_a_subnegotiation_may_not_last_for_ever() -> None:
    """One that has more bytes than allowed breaks the stream."""
    telnet = TelnetFilter(10)

    assert telnet.strip(b"a\xff\xfa" + b"x" * 10) == b"a"
    assert not telnet.broken
    assert telnet.strip(b"x") == b""
    assert telnet.broken
    assert telnet.strip(b"text") == b""


@given(chunked())
def test_any_chunks_give_the_same_text(case: tuple[bytes, list[bytes]]) -> None:
    """A command may be cut anywhere."""
    stream, chunks = case
    whole, pieces = TelnetFilter(30), TelnetFilter(30)

    assert b"".join(map(pieces.strip, chunks)) == whole.strip(stream)
    assert pieces.broken == whole.broken
