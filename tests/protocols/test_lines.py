"""Framing: where lines end, and how long they may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_strategies import SMALL, chunked

from pychat.model.limits import Limits
from pychat.model.verbs import Abort, Invalid
from pychat.protocols.base import Protocol
from pychat.protocols.irc.dialect import IrcDialect
from pychat.protocols.irc.protocol import IrcProtocol
from pychat.protocols.jsonl.protocol import JsonDialect, JsonProtocol
from pychat.protocols.lines import LineBuffer, LineDecoder, PendingLines, endless, too_long
from pychat.protocols.text.protocol import ClassicDialect, ClassicProtocol, TextDialect, TextProtocol


def lines_of(buffer: LineBuffer, *chunks: bytes, eof: bool = False) -> list[bytes | None]:
    """Feed the chunks and return single lines, None for each that was too long."""
    runs = [run for chunk in chunks for run in buffer.receive(chunk)]
    if eof:
        runs += buffer.receive_eof()
    return [line for run in runs for line in ([None] if run is None else run.split(b"\n"))]


@pytest.mark.parametrize(
    ("stream", "lines"),
    [
        (b"one\ntwo\n", [b"one", b"two"]),
        (b"one\r\ntwo\r\n", [b"one", b"two"]),
        (b"one\r\r\n", [b"one\r"]),
        (b"\n\r\n", [b"", b""]),
        (b"a\rb\x0b\x0c\x1c\x1d\x1e\x85\n", [b"a\rb\x0b\x0c\x1c\x1d\x1e\x85"]),
        ("a\u2028b\u2029\n".encode(), ["a\u2028b\u2029".encode()]),
    ],
)
def test_a_line_ends_with_a_newline_and_nothing_else(stream: bytes, lines: list[bytes]) -> None:
    """Only 0x0A ends a line, and one CR before it is part of the ending."""
    assert lines_of(LineBuffer(4096, 16384), stream) == lines


def test_an_unfinished_line_waits_for_its_end() -> None:
    """A line that comes in pieces comes out whole, with its CR taken off although it came alone."""
    buffer = LineBuffer(4096, 16384)

    assert lines_of(buffer, b"he", b"llo", b"\r") == []
    assert lines_of(buffer, b"\nnext") == [b"hello"]
    assert lines_of(buffer, eof=True) == [b"next"]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_a_line_at_the_limit_passes_and_one_over_it_is_reported_once(ending: bytes) -> None:
    """The limit counts the line without its ending, and the line behind one that is too long is read again."""
    stream = b"x" * 12 + ending + b"y" * 13 + ending + b"z" + ending

    assert lines_of(LineBuffer(SMALL.line_bytes, SMALL.unfinished_bytes), stream) == [b"x" * 12, None, b"z"]


def test_a_line_that_does_not_end_breaks_the_stream() -> None:
    """More bytes than allowed without a newline: what came before is given, and nothing after it is read."""
    buffer = LineBuffer(SMALL.line_bytes, SMALL.unfinished_bytes)

    assert lines_of(buffer, b"one\n" + b"x" * 30) == [b"one"]
    assert not buffer.broken
    assert lines_of(buffer, b"x", b"\ntwo\n", eof=True) == []
    assert buffer.broken


def test_a_line_over_the_bound_breaks_the_stream_although_it_ends() -> None:
    """What counts is the length of the line, not whether its newline is in the same chunk."""
    buffer = LineBuffer(SMALL.line_bytes, SMALL.unfinished_bytes)

    assert lines_of(buffer, b"one\n" + b"x" * 31 + b"\ntwo\n", b"three\n") == [b"one"]
    assert buffer.broken


def test_memory_is_bounded_whatever_comes() -> None:
    """A megabyte in single bytes leaves no more than one line's limit behind."""
    buffer = LineBuffer(4096, 16384)

    for _ in range(2**14 + 1):
        buffer.receive(b"x")
        assert len(buffer._tail) <= Limits().line_bytes + 1
    assert buffer.broken
    assert len(buffer._tail) == 0


@given(chunked())
def test_any_chunks_give_the_same_lines(case: tuple[bytes, list[bytes]]) -> None:
    """However a stream is cut, its lines are those of the definition: split, strip one CR, compare with the limits."""
    stream, chunks = case
    expected: list[bytes | None] = []
    parts = stream.split(b"\n")
    for part in parts if parts[-1] else parts[:-1]:
        if len(part) > SMALL.unfinished_bytes:
            break
        line = part.removesuffix(b"\r")
        expected.append(line if len(line) <= SMALL.line_bytes else None)

    whole, pieces = (
        LineBuffer(SMALL.line_bytes, SMALL.unfinished_bytes),
        LineBuffer(SMALL.line_bytes, SMALL.unfinished_bytes),
    )

    assert lines_of(whole, stream, eof=True) == expected
    assert lines_of(pieces, *chunks, eof=True) == expected
    assert whole.broken == pieces.broken == any(len(part) > SMALL.unfinished_bytes for part in parts)


def test_what_is_not_utf8_is_replaced_and_complained_of_once() -> None:
    """The complaint comes before the first bad line, and never again."""
    decoder = LineDecoder()
    complaint = Invalid("bad_utf8", "this is not UTF-8: unreadable bytes were replaced by \ufffd")

    assert decoder.decode(b"good\nb\xe9d\nw\xffrse") == ["good", complaint, "b\ufffdd", "w\ufffdrse"]
    assert decoder.decode(b"b\xe9d") == ["b\ufffdd"]


def test_a_cut_character_does_not_swallow_the_newline() -> None:
    """The first bytes of a character at the end of a line are replaced; the next line is whole."""
    assert LineDecoder().decode(b"caf\xc3\nnext")[1:] == ["caf\ufffd", "next"]


def test_the_texts_name_the_limits() -> None:
    """Who sends too much is told how much is allowed."""
    assert too_long(4096) == Invalid("line_too_long", "line too long: at most 4096 bytes")
    assert endless(16384) == Abort("line_too_long", "no newline in 16384 bytes")


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line), min_size=1), st.integers(1, 5))
def test_lines_wait_as_bytes(lines: list[bytes], most: int) -> None:
    """They come out in their order, at most so many at a time, and nothing else is ever made of them."""
    pending = PendingLines()
    pending.add([b"\n".join(lines), None])
    taken: list[bytes] = []

    while (run := pending.take(most)) is not None:
        assert run.count(b"\n") < most
        taken += run.split(b"\n")

    assert taken == lines
    assert not pending


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    "protocol",
    [
        JsonProtocol(Limits(), JsonDialect()),
        IrcProtocol(Limits(), IrcDialect("pychat", Limits())),
        TextProtocol(Limits(), TextDialect()),
        ClassicProtocol(Limits(), ClassicDialect()),
    ],
    ids=lambda protocol: type(protocol).__name__,
)
def test_64_lines_at_a_time_become_verbs(protocol: Protocol, known: bool) -> None:
    """A verb takes up to a hundred times the memory of a short line, so the others stay bytes."""
    if known:
        protocol.registered("ann")
    protocol.receive(b"/x\n" * 1000)

    parts = []
    while verbs := protocol.take_verbs():
        parts.append(len(verbs))

    assert sum(parts) == 1000
    assert max(parts) <= 64
