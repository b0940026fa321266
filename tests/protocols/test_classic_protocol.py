"""The tutorial's client: one recv, one message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_strategies import SMALL, converse, streams, take_all

from pychat.model.limits import Limits
from pychat.model.verbs import Abort, Hello, Invalid, Quit, Say, Verb
from pychat.protocols.text.protocol import ClassicDialect, ClassicProtocol


def new(limits: Limits = Limits()) -> ClassicProtocol:  # noqa: B008 -- immutable
    """A connection that was just made."""
    return ClassicProtocol(limits, ClassicDialect())


def registered(limits: Limits = Limits()) -> ClassicProtocol:  # noqa: B008 -- immutable
    """A connection whose nickname is "ann", written "Ann" by its client."""
    protocol = new(limits)
    protocol.receive(b"Ann")
    assert protocol.take_verbs() == [Hello("Ann", replay=True)]
    protocol.registered("ann")
    return protocol


def test_it_is_not_asked_again() -> None:
    """It would answer the question with the same nickname for ever."""
    assert not ClassicProtocol.asks_again
    assert not ClassicProtocol.asks_password
    assert ClassicProtocol.replays


@pytest.mark.parametrize(
    ("chunk", "verbs"),
    [
        (b"ann: hello", [Say("hello")]),
        (b"Ann: hello", [Say("hello")]),
        (b"bob: hello", [Say("bob: hello")]),
        (b"ann:hello", [Say("ann:hello")]),
        (b"ann: ann: hello", [Say("ann: hello")]),
        (b"ann: ", []),
        (b"", []),
        (b"ann: /quit bye", [Quit("bye")]),
        (b"ann: one\nann: two\r\n", [Say("one"), Say("two")]),
        (b"hello", [Say("hello")]),
    ],
)
def test_what_a_chunk_means(chunk: bytes, verbs: list[Verb]) -> None:
    """Its own prefix is stripped, once; anybody else's is text."""
    protocol = registered()
    protocol.receive(chunk)

    assert protocol.take_verbs() == verbs


def test_the_first_prefix_is_known_after_a_rename() -> None:
    """The client goes on with the nickname it began with, whatever it is called meanwhile."""
    protocol = registered()
    for number in range(100):
        protocol.registered(f"ann{number}")
    protocol.receive(b"Ann: one\nann: two\nann99: three\nann0: four")

    assert protocol.take_verbs() == [Say("one"), Say("two"), Say("three"), Say("ann0: four")]


def test_a_chunk_before_the_nickname_is_accepted_waits() -> None:
    """Messages that come at once with the nickname are not lost."""
    protocol = new()
    protocol.receive(b"ann")
    protocol.receive(b"ann: hello")

    assert protocol.take_verbs() == [Hello("ann", replay=True)]
    protocol.registered("ann")
    assert protocol.take_verbs() == [Say("hello")]


@pytest.mark.parametrize("first", [b"Zoe: hello", b"Zoe: hello\n", b"Zoe: hello\nZoe: you\n"])
def test_a_first_message_tells_the_nickname(first: bytes) -> None:
    """It comes from a client that did not understand the prompt."""
    protocol = new()
    protocol.receive(first)

    assert protocol.take_verbs() == [Hello("Zoe", replay=True)]
    protocol.registered("zoe")
    assert protocol.take_verbs()[0] == Say("hello")
    protocol.receive(b"Zoe: bob: what?")
    assert protocol.take_verbs()[-1] == Say("bob: what?")


def test_limits_hold_for_a_chunk() -> None:
    """A chunk over a line's limit is refused, one over the bound of an unfinished line ends the session."""
    protocol = registered(SMALL)
    protocol.receive(b"x" * 13)
    protocol.receive(b"x" * 31)
    protocol.receive(b"hello")

    assert take_all(protocol) == [
        Invalid("line_too_long", "line too long: at most 12 bytes"),
        Abort("line_too_long", "no newline in 30 bytes"),
    ]


@given(st.lists(streams, max_size=6))
def test_any_chunks_are_read_without_an_exception(chunks: list[bytes]) -> None:
    """Whatever comes gives verbs, and nothing is kept."""
    protocol = new(SMALL)
    converse(protocol, chunks)

    assert not protocol._pending
