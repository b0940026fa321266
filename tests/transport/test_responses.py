"""Answers to requests with a label: marked at their end, and everything for the link in its order."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence

import pytest

from pychat.protocols.text.protocol import TextDialect
from pychat.transport.labeled_responses import Responses
from pychat.transport.link import Link


class LabellingDialect(TextDialect):
    """Puts the label and the number of parts before each part."""

    def label(self, label: str, parts: Sequence[bytes]) -> list[bytes]:
        return [b"%s/%d %s" % (label.encode(), len(parts), part) for part in parts or [b"nothing"]]


@pytest.fixture
def link() -> Iterator[Link]:
    """In a pass of the writer in which it was singled out."""
    with socket.socket() as sock:
        made = Link(sock, LabellingDialect(), 0.0)
        made.pass_parts = []
        yield made


def add(responses: Responses, link: Link, part: bytes, *, answers: bool = True) -> None:
    """The link gets something."""
    assert link.pass_parts is not None
    link.pass_parts.append(part)
    if answers:
        responses.add(link, len(link.pass_parts) - 1)


def test_only_what_answers_is_marked_and_the_order_stays(link: Link) -> None:
    """What others said meanwhile stays in its place."""
    responses = Responses()
    add(responses, link, b"before", answers=False)
    responses.start(link, "a")
    add(responses, link, b"one")
    add(responses, link, b"other", answers=False)
    add(responses, link, b"two")
    responses.end(link)
    add(responses, link, b"after", answers=False)

    assert link.pass_parts == [b"before", b"a/2 one", b"other", b"a/2 two", b"after"]
    assert link not in responses


def test_an_answer_may_take_several_passes(link: Link) -> None:
    """What came in earlier ones is held, and marked when the end is known."""
    responses = Responses()
    responses.start(link, "a")
    add(responses, link, b"one")
    assert link.pass_parts is not None
    assert responses.hold(link, link.pass_parts) == 3
    assert responses.links() == [link]

    link.pass_parts = responses.take_held(link)
    add(responses, link, b"two")
    responses.end(link)

    assert link.pass_parts == [b"a/2 one", b"a/2 two"]
    assert responses.take_held(link) == []


def test_parts_that_say_nothing_do_not_count(link: Link) -> None:
    """A reply for which the language has no words is no part of the answer."""
    responses = Responses()
    responses.start(link, "a")
    add(responses, link, b"")
    responses.end(link)

    assert link.pass_parts == [b"", b"a/0 nothing"]


def test_an_end_without_a_start_is_nothing(link: Link) -> None:
    """A session that quits ends its answer, and then its connection does so again."""
    responses = Responses()
    responses.end(link)

    assert link.pass_parts == []
