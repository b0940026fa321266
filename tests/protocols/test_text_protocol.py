"""Line mode: nc, telnet, people."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from protocol_strategies import SMALL, chunked, converse, take_all

from pychat.model.limits import Limits
from pychat.model.verbs import Abort, Hello, Invalid, Join, Quit, Say, SayAll, Verb
from pychat.protocols.text.protocol import TextDialect, TextProtocol


def new(limits: Limits = Limits()) -> TextProtocol:  # noqa: B008 -- immutable
    """A connection that was just made."""
    return TextProtocol(limits, TextDialect())


def registered(limits: Limits = Limits()) -> TextProtocol:  # noqa: B008 -- immutable
    """A connection whose nickname is "ann"."""
    protocol = new(limits)
    protocol.receive(b"ann\n")
    assert protocol.take_verbs() == [Hello("ann", replay=True)]
    protocol.registered("ann")
    return protocol


def test_the_first_line_is_the_nickname_and_the_next_are_messages() -> None:
    """Lines behind the nickname wait until it is accepted."""
    protocol = new()
    protocol.receive(b" ann \r\nhello\r\n/join ops\nbye\n")

    assert protocol.take_verbs() == [Hello("ann", replay=True)]
    protocol.registered("ann")
    assert protocol.take_verbs() == [Say("hello"), Join("ops"), Say("bye")]
    assert protocol.take_verbs() == []


def test_who_lacks_the_password_is_asked_for_it() -> None:
    """The next line is the password as it is, and the nickname the one that was given before."""
    protocol = new()
    protocol.receive(b"ann\n /open sesame \r\nhello\n")
    assert protocol.take_verbs() == [Hello("ann", replay=True)]
    protocol.lacks_password()

    assert protocol.take_verbs() == [Hello("ann", replay=True, password=" /open sesame ")]
    protocol.registered("ann")
    assert protocol.take_verbs() == [Say("hello")]


def test_the_password_goes_with_the_next_nickname() -> None:
    """When it was right and the nickname was not, nobody is asked for it again."""
    protocol = new()
    protocol.receive(b"taken\nwrong\nright\nann\n")
    assert protocol.take_verbs() == [Hello("taken", replay=True)]
    protocol.lacks_password()
    assert protocol.take_verbs() == [Hello("taken", replay=True, password="wrong")]
    protocol.lacks_password()

    assert protocol.take_verbs() == [Hello("taken", replay=True, password="right")]
    assert protocol.take_verbs() == [Hello("ann", replay=True, password="right")]


def test_after_a_refused_nickname_the_next_line_is_the_next_try() -> None:
    """Taking again without `registered` means that the last try failed; an empty line is a try, too."""
    protocol = new()
    protocol.receive(b"a b\n\nann\nhello\n")

    assert protocol.take_verbs() == [Hello("a b", replay=True)]
    assert protocol.take_verbs() == [Hello("", replay=True)]
    assert protocol.take_verbs() == [Hello("ann", replay=True)]
    protocol.registered("ann")
    assert protocol.take_verbs() == [Say("hello")]


def test_commands_work_before_there_is_a_nickname() -> None:
    """A slash is a slash from the first line on, and /nick is one more way to answer the question."""
    protocol = new()
    protocol.receive(b"/quit bye\n/nick ann\nhello\n")

    assert protocol.take_verbs() + protocol.take_verbs() == [Quit("bye"), Hello("ann", replay=True)]
    protocol.registered("ann")
    assert protocol.take_verbs() == [Say("hello")]


@pytest.mark.parametrize(
    ("data", "verbs"),
    [
        (b"hello\n", [Say("hello")]),
        (b"\n\r\nhello\n\n", [Say("hello")]),
        (b"one\n\ntwo\n", [Say("one"), Say("two")]),
        (b"  indented  \n", [Say("  indented  ")]),
        (b"/me waves\nhello\n", [Say("waves", action=True), Say("hello")]),
        (b"hello\n/me waves\n", [Say("hello"), Say("waves", action=True)]),
        (b"//etc\n", [Say("/etc")]),
        ("\u2028 é \x85\n".encode(), [Say("\u2028 é \x85")]),
        (b"\xff\xfb\x01hello\n", [Say("hello")]),
    ],
)
def test_what_a_line_means(data: bytes, verbs: list[Verb]) -> None:
    """A line is a message, a slash makes it a command, an empty one is nothing."""
    protocol = registered()
    protocol.receive(data)

    assert protocol.take_verbs() == verbs


def test_lines_that_come_together_are_said_together() -> None:
    """One verb for all of them, so that they are checked and published at once; commands stay apart."""
    protocol = registered()
    protocol.receive(b"one\ntwo\n")
    protocol.receive(b"three\n/me waves\nfour\n")

    assert take_all(protocol) == [SayAll(["one", "two"]), Say("three"), Say("waves", action=True), Say("four")]


def test_a_long_chunk_is_said_in_parts() -> None:
    """So that the writer has something to do while the rest is checked."""
    protocol = registered()
    protocol.receive(b"x\n" * 1000)

    assert [len(verb.texts) for verb in take_all(protocol) if isinstance(verb, SayAll)] == [512, 488]


def test_a_line_that_is_too_long_is_refused_and_the_next_one_read() -> None:
    """The refusal stands between the lines around it."""
    protocol = registered(SMALL)
    protocol.receive(b"one\n" + b"x" * 13 + b"\ntwo\n")

    refusal = Invalid("line_too_long", "line too long: at most 12 bytes")
    assert take_all(protocol) == [Say("one"), refusal, Say("two")]


def test_an_endless_line_ends_the_session() -> None:
    """What came before is said, then the session is told why it ends, once."""
    protocol = registered(SMALL)
    protocol.receive(b"one\n" + b"x" * 31)

    assert take_all(protocol) == [Say("one"), Abort("line_too_long", "no newline in 30 bytes")]
    protocol.receive(b"two\n")
    assert take_all(protocol) == []


def test_invalid_utf8_is_replaced_and_reported_once() -> None:
    """The message goes on with replacement characters."""
    protocol = registered()
    protocol.receive(b"one\ncaf\xe9\ncaf\xe9\n")

    complaint = Invalid("bad_utf8", "this is not UTF-8: unreadable bytes were replaced by \ufffd")
    assert protocol.take_verbs() == [Say("one"), complaint, Say("caf\ufffd"), Say("caf\ufffd")]


def test_an_unfinished_last_line_counts() -> None:
    """`printf hello | nc` needs no newline."""
    protocol = registered()
    protocol.receive(b"hello")

    assert protocol.take_verbs() == []
    protocol.receive_eof()
    assert protocol.take_verbs() == [Say("hello")]


@given(chunked(), st.integers(0, 3))
@example((b"ann\n" + b"x" * 31, [b"ann\n", b"x" * 31]), 0)
@example((b"\xffa\n\xe9\n\xe9\n", [b"\xff", b"a\n\xe9", b"\n\xe9\n"]), 1)
def test_any_chunks_give_the_same_verbs(case: tuple[bytes, list[bytes]], refused: int) -> None:
    """Whatever bytes come, cut wherever: the same verbs, no exception, and nothing is kept over the limits."""
    stream, chunks = case
    protocol = new(SMALL)

    assert converse(protocol, chunks, refused=refused) == converse(new(SMALL), [stream], refused=refused)
    assert not protocol._pending


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_exception(stream: bytes) -> None:
    """Random bytes give verbs and nothing else."""
    converse(new(), [stream])
