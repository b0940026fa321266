"""`MemoryLog`: the order, the bounded record of each room, and what is no longer there."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat import Chat
from pychat.core.delivery import Attach, Batch, Entry, Private
from pychat.core.local_session import LocalSession
from pychat.core.log.log import MemoryLog
from pychat.core.rooms.room import Room
from pychat.model.events import Event, Message, Notice
from pychat.testing import FakeClock

CHAT = Chat()
A, B = Room(CHAT, "a"), Room(CHAT, "b")


def make_log(size: int = 1000) -> tuple[MemoryLog, list[Entry]]:
    """A log, and the list of what it accepted."""
    accepted: list[Entry] = []
    log = MemoryLog(size)
    log.open(accepted.append)
    return log, accepted


def append(log: MemoryLog, count: int, *rooms: Room) -> list[Event]:
    """Append so many events as one batch."""
    first = log.claim(count)
    events: list[Event] = [Notice(first + number, 0.0, None, str(first + number)) for number in range(count)]
    log.append(Batch(rooms or (A,), events))
    return events


def test_ids_go_on_growing_over_restarts() -> None:
    """A log of later has greater ids, however many the earlier one gave in a millisecond."""
    early = MemoryLog(clock=FakeClock(start=1_800_000_000.123))
    early.claim(2**20 - 1)

    later = MemoryLog(clock=FakeClock(start=1_800_000_000.124))
    assert early.last_id() < later.claim(1) < 2**63


@pytest.mark.parametrize("seconds", [9_151_488_000.0, 253_402_300_799.0], ids=["2260", "9999"])
def test_a_clock_of_the_far_future_does_not_use_up_the_ids(seconds: float) -> None:
    """Half of those that fit into 63 bits are left, for a later run with a clock that is right."""
    assert MemoryLog(clock=FakeClock(start=seconds)).claim(1) == 2**62


def test_what_is_appended_is_accepted_in_order() -> None:
    """Also what is not kept: answers, and who hears a room."""
    log, accepted = make_log()
    session = LocalSession(CHAT)
    entries: list[Entry] = [Private(session, ()), Attach(session, A), Batch((A,), [])]

    for entry in entries:
        log.append(entry)

    assert accepted == entries


def test_reading_backwards() -> None:
    """The last events, those before an id, and whether there are more."""
    log, _ = make_log()
    events = append(log, 5)

    assert log.read_before("a", None, 2) == (events[3:], True)
    assert log.read_before("a", events[3].id, 3) == (events[:3], False)
    assert log.read_before("a", events[0].id, 3) == ([], False)
    assert log.read_before("b", None, 3) == ([], False)
    assert log.read_before("a", None, 0) == ([], True)


def test_reading_forwards_in_several_rooms() -> None:
    """Merged by id; an event of both rooms comes once."""
    log, _ = make_log()
    first, second, both = append(log, 2, A), append(log, 2, B), append(log, 1, A, B)

    assert log.read_after(("a", "b"), 0) == ([*first, *second, *both], False)
    assert log.read_after(("a", "b"), first[0].id, 2) == ([first[1], second[0]], True)
    assert log.read_after(("b",), second[1].id, 1) == (both, False)
    assert log.read_after((), 0) == ([], False)


def test_a_gap_is_where_something_was_dropped() -> None:
    """The ring of a room keeps the newest; who has seen all that was dropped misses nothing."""
    log, _ = make_log(size=3)
    events = append(log, 5)

    assert log.read_after(("a",), 0).events == events[2:]
    assert [log.has_gap("a", event.id) for event in events] == [True, False, False, False, False]


def test_a_batch_larger_than_the_ring() -> None:
    """Even a part of the batch itself is dropped."""
    log, _ = make_log(size=3)
    append(log, 2)
    events = append(log, 10)

    assert log.read_after(("a",), 0).events == events[7:]
    assert [log.has_gap("a", event.id) for event in events[5:8]] == [True, False, False]


def test_ids_of_another_log_are_a_gap() -> None:
    """An id of an earlier run, or one that was not given yet, tells nothing about what was missed."""
    log, _ = make_log()
    (event,) = append(log, 1)

    assert log.has_gap("a", event.id - 2)
    assert log.has_gap("b", event.id - 2)
    assert not log.has_gap("b", event.id - 1)
    assert log.has_gap("a", event.id + 1)


def test_a_room_that_is_forgotten_leaves_a_gap() -> None:
    """Who comes back to a room that was dropped and made anew is told that something is missing."""
    log, _ = make_log()
    before = append(log, 2)
    log.forget("a")

    assert log.read_before("a", None, 5) == ([], False)
    assert log.has_gap("a", before[0].id)
    assert not log.has_gap("a", before[1].id)
    after = append(log, 1)
    assert log.has_gap("a", before[0].id)
    assert not log.has_gap("a", before[1].id)
    assert log.read_after(("a",), 0).events == after


@given(
    st.integers(1, 8),
    st.lists(st.tuples(st.integers(1, 5), st.sampled_from([(A,), (B,), (A, B)])), max_size=12),
    st.integers(0, 60),
    st.integers(1, 10),
)
def test_pages_together_are_everything_that_is_kept(
    size: int, batches: list[tuple[int, tuple[Room, ...]]], seen: int, page_size: int
) -> None:
    """Whatever was appended: pages forwards and backwards give the newest events of the room, in order, once."""
    log, _ = make_log(size)
    first = log.last_id() + 1
    events = [(event, rooms) for count, rooms in batches for event in append(log, count, *rooms)]
    of_a = [event for event, rooms in events if A in rooms]

    after, forwards, more = first + seen - 1, list[Event](), True
    while more:
        page, more = log.read_after(("a",), after, page_size)
        forwards += page
        after = page[-1].id if page else after
    kept = of_a[-size:]
    assert forwards == [event for event in kept if event.id >= first + seen]
    before, backwards, more = None, list[Event](), True
    while more:
        page, more = log.read_before("a", before, page_size)
        backwards = page + backwards
        before = page[0].id if page else before
    assert backwards == kept
    both = log.read_after(("a", "b"), 0).events
    assert all(one.id < other.id for one, other in pairwise(both))
    missed = [event for event in of_a if event.id >= first + seen]
    if len(missed) > len(forwards):
        assert log.has_gap("a", first + seen - 1)


def test_long_messages_leave_room_for_fewer_of_them() -> None:
    """Memory is bounded by characters, too, and what is dropped is a gap."""
    log = MemoryLog(events=10, chars=100)
    log.open(lambda entry: None)
    room = Chat().default_room
    ids = []
    for length in (40, 40, 40, 90, 200, 5):
        ids.append(log.claim(1))
        log.append(Batch((room,), [Message(ids[-1], 0.0, "lobby", "ann", "x" * length)]))
        kept = log.read_before(room.key, None, 10).events
        assert sum(len(event.text) for event in kept if isinstance(event, Message)) <= 100

    assert [event.id for event in kept] == ids[5:]
    assert log.has_gap(room.key, ids[3])
    assert not log.has_gap(room.key, ids[4])


def test_every_event_begins_with_its_id_and_its_time() -> None:
    """`Order.append_locked` makes the event with its position by that."""
    assert {kind._fields[:2] for kind in get_args(Event)} == {("id", "time")}
