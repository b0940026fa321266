"""Who hears a room: encoded once per dialect, and what a link that is singled out collects by itself."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence

import pytest

from pychat import Chat, Message
from pychat.protocols.base import Item
from pychat.protocols.jsonl.protocol import JsonDialect
from pychat.protocols.text.protocol import TextDialect
from pychat.transport.link import Link
from pychat.transport.subscribers import Subscribers

ROOM = Chat().default_room


class CountingDialect(TextDialect):
    """Counts how often it is used."""

    def __init__(self) -> None:
        super().__init__()
        self.uses = 0

    def encode(self, items: Sequence[Item]) -> bytes:
        self.uses += 1
        return super().encode(items)


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    """One that nothing is sent to."""
    with socket.socket() as made:
        yield made


def add(subscribers: Subscribers, link: Link) -> Link:
    """Let a link hear the room, as the writer does: singled out for the pass in which that happens."""
    link.pass_parts = []
    subscribers.add(link)
    return link


def end_pass(subscribers: Subscribers, *links: Link) -> dict[str, bytes]:
    """End the pass; return what those get who were not singled out."""
    parts = {dialect.name: b"".join(parts) for dialect, parts in subscribers.take_parts()}
    for link in links:
        link.pass_parts = None
    return parts


def say(text: str) -> list[Message]:
    """One message."""
    return [Message(1, 0.0, "lobby", "ann", text)]


def test_an_event_is_encoded_once_per_dialect(sock: socket.socket) -> None:
    """However many hear it."""
    subscribers, text = Subscribers(ROOM), CountingDialect()
    links = [add(subscribers, Link(sock, text, 0.0)) for _ in range(100)]
    links.append(add(subscribers, Link(sock, JsonDialect(), 0.0)))
    end_pass(subscribers, *links)

    size = subscribers.encode(say("hello"), None)

    parts = end_pass(subscribers)
    assert (parts["text"], text.uses) == (b"ann: hello\n", 1)
    assert size == sum(map(len, parts.values()))
    assert subscribers.links() == links


def test_a_link_that_is_singled_out_collects_its_own_parts(sock: socket.socket) -> None:
    """It begins with those of the pass, hears what others say, and not what it said itself."""
    subscribers, text = Subscribers(ROOM), TextDialect()
    link, other = add(subscribers, Link(sock, text, 0.0)), add(subscribers, Link(sock, text, 0.0))
    end_pass(subscribers, link, other)

    subscribers.encode(say("one"), None)
    link.pass_parts = []
    subscribers.single_out(link)
    link.pass_parts.append(b"private\n")
    subscribers.encode(say("own"), link)
    subscribers.encode(say("two"), other)

    assert b"".join(link.pass_parts) == b"ann: one\nprivate\nann: two\n"
    assert end_pass(subscribers, link) == {"text": b"ann: one\nann: own\nann: two\n"}


def test_who_hears_several_rooms_is_known_in_each(sock: socket.socket) -> None:
    """Until it hears one only."""
    first, second = Subscribers(ROOM), Subscribers(ROOM)
    link = add(first, Link(sock, TextDialect(), 0.0))
    assert not first.several

    add(second, link)
    assert list(first.several) == list(second.several) == [link]
    first.remove(link)
    first.remove(link)

    assert (first.several, second.several, first.groups, link.rooms) == ({}, {}, {}, (second,))
