"""Threat "a hostile server fills a client": whatever a server says, what a client keeps of it is bounded in bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from chat_clients import DEADLINE
from chat_networks import WELCOME, Script, script

from pychat.client import ChatClient, Dropped
from pychat.client.backlog import Backlog, Memory, bytes_of
from pychat.client.inbox import Inbox
from pychat.model.clock import SYSTEM_CLOCK
from pychat.model.errors import ConnectionLost, RemoteProtocolError
from pychat.model.events import Disconnected, Event, Joined, Message
from pychat.model.replies import Gap, HistoryPage, MemberInfo, Members
from pychat.protocols.jsonl.protocol import JsonClientProtocol, JsonDialect
from pychat.terminal import worker_threads as messenger
from pychat.terminal.join_leave_digest import MOST_HELD, ComingsAndGoings
from pychat.terminal.rooms import KEPT_BYTES, KEPT_ITEMS, MOST_NAMES, Rooms
from pychat.terminal.worker_threads import Answer, Request, _Waiting

__all__ = ["script"]  # the fixture

MIB = 2**20


def said(text: str, room: str = "lobby") -> Message:
    """What somebody says."""
    return Message(1, 0.0, room, "eve", text)


def bytes_in(items: Iterable[Any]) -> int:
    """What things take in memory."""
    return sum(map(bytes_of, items))


def test_memory_of_a_client_an_inbox_is_bounded_in_bytes() -> None:
    """Threat of that name: the oldest things are dropped, and that is said."""
    inbox = Inbox(most_bytes=MIB)

    for number in range(100):
        inbox.put(said(f"{number} " + "x" * 100_000))

    dropped = inbox.take(0)
    assert isinstance(dropped, Dropped)
    rest = [inbox.take(0) for _ in range(100 - dropped.number)]
    assert bytes_in(filter(None, rest)) <= MIB
    assert isinstance(rest[-1], Message)
    assert rest[-1].text.startswith("99 ")
    assert inbox.take(0) is None


def test_one_thing_that_is_too_large_is_dropped() -> None:
    """And so is everything before it; what comes then is heard."""
    inbox = Inbox(most_bytes=MIB)

    inbox.put(Members(None, "lobby", "", (MemberInfo("x" * 100),) * 50_000))
    inbox.put(said("small"))

    assert inbox.take(0) == Dropped(1)
    assert inbox.take(0) == said("small")


def test_a_person_who_waits_is_told_what_was_dropped() -> None:
    """Also if nothing else came."""
    inbox = Inbox(most_bytes=1000)

    inbox.put(said("x" * 2000))

    assert inbox.take(DEADLINE) == Dropped(1)


def test_honest_talk_fills_an_inbox_by_number_and_not_by_bytes() -> None:
    """10,000 messages as long as people write them fit."""
    inbox = Inbox()

    for _ in range(10_000):
        inbox.put(said("x" * 2000))

    assert inbox.take(0) == said("x" * 2000)


def test_backlogs_have_memory_together_and_give_it_back() -> None:
    """What is full is the memory; who adds something drops what is its own."""
    memory = Memory(MIB)
    one, two = Backlog[Message](1000, memory), Backlog[Message](1000, memory)

    assert one.append(said("x" * MIB)) == 1
    assert (len(one), memory.used) == (0, 0)
    for _ in range(20):
        one.append(said("x" * 100_000))
    assert two.append(said("y" * 100_000)) == 1
    one.take_all()
    assert two.append(said("y" * 100_000)) == 0
    two.take_all()
    assert memory.used == 0


@pytest.mark.parametrize(
    "event",
    [
        said("x" * MIB),
        Joined(1, 0.0, "lobby", "eve", away="x" * MIB),
        Disconnected(1, 0.0, (), "eve", "x" * MIB),
    ],
)
def test_an_event_of_a_megabyte_ends_the_connection(event: Event) -> None:
    """Nobody says that; pages of history may be long, and lists of members."""
    with pytest.raises(RemoteProtocolError, match=r"an event has at most 1048576 characters$"):
        JsonClientProtocol().receive(JsonDialect().encode([event]))


def test_a_page_of_megabytes_is_read() -> None:
    """500 messages of 4 KiB with everything in them escaped."""
    page = HistoryPage(1, "lobby", (said('"' * 4096),) * 500, False)

    assert JsonClientProtocol().receive(JsonDialect().encode([page])) == [page]


@pytest.mark.parametrize("kind", ["members", "joined", "renamed", "message"])
def test_a_name_of_kilobytes_ends_the_connection(kind: str) -> None:
    """So whatever is kept by name is bounded by the number of names."""
    stamp = {"id": f"{1:016x}", "time": "2026-11-22T15:04:05.123Z"}
    fields = {"room": "x" * 2000, "nick": "x" * 2000, "new": "y", "topic": "", "members": [], "text": ""}
    with pytest.raises(RemoteProtocolError, match=r"must be a string of at most 1000 characters$"):
        JsonClientProtocol().receive(json.dumps({"type": kind, **stamp, **fields}).encode() + b"\n")


def test_a_client_believes_that_it_is_in_so_many_rooms_and_no_more(script: Callable[..., Script]) -> None:
    """A server that puts it into more is none."""
    server = script(WELCOME)
    with ChatClient(port=server.port, nick="ann") as ann:
        server.say(*[Members(None, f"room{number}", "", (), joined=True) for number in range(1001)])

        def hear_all() -> None:
            while True:
                ann.take(DEADLINE)

        with pytest.raises(ConnectionLost, match=r"^the server joins us to more than 1000 rooms$"):
            hear_all()
        assert len(ann.rooms) == 1000


def test_what_a_terminal_keeps_of_rooms_is_bounded_in_bytes() -> None:
    """Of all rooms that are not shown together; what was dropped is counted, and what a room leaves is free again."""
    rooms = Rooms()
    for number in range(50):
        room = rooms.enter(Members(None, f"room{number}", "", (), joined=True))
        for _ in range(KEPT_ITEMS):
            room.keep(said("x" * 10_000, room.name), unread=True)

    kept = {room.name: room.catch_up() for room in rooms}

    assert sum(bytes_in(items) for items, _ in kept.values()) <= KEPT_BYTES
    assert {len(items) + dropped for items, dropped in kept.values()} == {KEPT_ITEMS}
    for room in [*rooms]:
        room.keep(Gap(room.name, 1))
        rooms.leave(room.name)
    assert rooms._memory.used == 0


def test_a_terminal_knows_so_many_names_and_no_more() -> None:
    """Of those who are in a room, and of those who come."""
    rooms = Rooms()
    crowd = tuple([MemberInfo(f"n{number}") for number in range(MOST_NAMES - 10)])

    lobby = rooms.enter(Members(None, "lobby", "", crowd, joined=True))
    ops = rooms.enter(Members(None, "ops", "", crowd, joined=True))
    for number in range(10):
        rooms.note(Joined(1, 0.0, "lobby", f"late{number}"))

    assert len(lobby.nicknames) + len(ops.nicknames) == MOST_NAMES


def test_a_terminal_holds_back_so_many_who_come_and_no_more() -> None:
    """Then they are shown at once."""
    held = ComingsAndGoings()

    for number in range(MOST_HELD):
        assert not held.is_full
        held.add(Joined(1, 0.0, "lobby", f"n{number}"), SYSTEM_CLOCK.monotonic())

    assert held.is_full


def test_what_waits_for_the_screen_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """One piece of news may be large; then the next one waits."""
    monkeypatch.setattr(messenger, "_WAITING_BYTES", MIB)
    news = _Waiting(1000)
    large = Answer(Request(None, ""), HistoryPage(1, "lobby", (said("x" * MIB),), False))  # type: ignore[arg-type]

    news.put_nowait(large)

    assert news.full()
    assert news.get_nowait() is large
    assert not news.full()
    assert news.empty()
