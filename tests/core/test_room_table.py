"""The table of rooms: how many are in use, who has opened them, and what becomes of empty ones in memory."""

from __future__ import annotations

from threading import Event, Thread
from typing import Any

import pytest
from chat_clients import DEADLINE
from remote import Remote, come, no_alarm_is_left, open_chat

from pychat.core.chat import Chat
from pychat.core.rooms.room import Room
from pychat.core.waiting import on_wait
from pychat.model.replies import Failure
from pychat.model.verbs import Join, Leave, LeaveAll, Quit
from pychat.testing import FakeClock

__all__ = ["no_alarm_is_left"]


def people(chat: Chat, count: int, address: str = "192.0.2.1") -> list[Remote]:
    """Let so many in from an address, into the lobby."""
    return [come(chat, f"p{number}-{address[-1]}", address) for number in range(count)]


def refusals(items: list[Any]) -> list[str]:
    """The texts of what was refused."""
    return [item.text for item in items if isinstance(item, Failure)]


def named(chat: Chat) -> list[str]:
    """The rooms in use, but for the lobby."""
    return [room.name for room in chat.rooms() if not room.pinned]


def test_one_address_cannot_use_up_the_rooms() -> None:
    """It has its share, also by the rooms of a hello; others go on making rooms, and join those that it opened."""
    chat = open_chat(rooms_per_address=10)
    rooms = tuple(f"z{number}" for number in range(20))
    eve = come(chat, "eve", "203.0.113.9", rooms=rooms)

    assert refusals(eve.take()) == ["rooms opened by your address: at most 10 rooms"] * 10
    (other,) = people(chat, 1, "203.0.113.9")
    assert refusals(other.do(Join("mine"))) == ["rooms opened by your address: at most 10 rooms"]
    (ann,) = people(chat, 1)
    assert refusals(ann.do(Join("z0"), Join("ops"))) == []
    assert len(named(chat)) == 11


def test_an_account_has_a_share_as_well() -> None:
    """From whatever addresses."""
    chat = open_chat(rooms_per_address=2)
    ann, bob = come(chat, "ann", "192.0.2.1"), come(chat, "bob", "192.0.2.2")
    ann.person.account = bob.person.account = "Ann"
    assert refusals(ann.do(Join("a"), Join("b"))) == []
    assert refusals(bob.do(Join("c"))) == ["rooms opened by your account: at most 2 rooms"]
    bob.person.account = None
    assert refusals(bob.do(Join("c"))) == []


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "unix", ""])
def test_this_machine_is_exempt(address: str) -> None:
    """And so is the program."""
    chat = open_chat(rooms_per_address=1, new_rooms_per_10_minutes=1)
    assert refusals(come(chat, "ann", address, rooms=("a", "b", "c")).take()) == []


def test_a_class_of_sixty_behind_one_address_has_its_rooms() -> None:
    """With the usual limits each of them makes a room at the same time, and all come back after a while."""
    chat = open_chat(clock=FakeClock())
    pupils = people(chat, 60)
    for number, pupil in enumerate(pupils):
        assert refusals(pupil.do(Join(f"group{number}"))) == []
    for pupil in pupils:
        pupil.do(Leave())
    for number, pupil in enumerate(pupils):
        assert refusals(pupil.do(Join(f"group{number}"))) == []


def test_new_rooms_are_counted_by_time() -> None:
    """Names that were never used; a room that there was costs nothing, and the time ends."""
    clock = FakeClock()
    chat = open_chat(clock=clock, new_rooms_per_10_minutes=2)
    (ann,) = people(chat, 1)
    ann.do(Join("a"), Leave(), Join("b"), Leave())

    assert refusals(ann.do(Join("c"))) == ["new rooms from your address in 10 minutes: at most 2 rooms"]
    assert refusals(ann.do(Join("a"), Join("b"))) == []
    clock.advance(600)
    assert refusals(ann.do(Join("c"))) == []


def test_a_room_counts_for_the_one_who_has_been_in_it_for_the_longest() -> None:
    """So who leaves a room that others go on using has a place for another one."""
    chat = open_chat(rooms_per_address=1)
    ann, bob = come(chat, "ann", "192.0.2.1"), come(chat, "bob", "192.0.2.2")
    ann.do(Join("a"))
    bob.do(Join("a"))
    assert refusals(ann.do(Join("b"))) != []
    ann.do(Leave("a"))
    assert refusals(ann.do(Join("b"))) == []
    assert refusals(bob.do(Join("c"))) != []
    bob.do(LeaveAll())
    assert refusals(bob.do(Join("c"))) == []


def test_what_was_counted_is_taken_back() -> None:
    """Whoever leaves last, however: nothing is left at the end."""
    chat = open_chat()
    pair = people(chat, 2)
    for one in pair:
        one.do(Join("a"), Join("b"))
    pair[0].resumable = True
    chat.close(pair[0], "lost", lost=True)
    again = come(chat, "p0-1", token=pair[0].token)
    pair[1].do(Quit())
    again.do(Quit())

    shares = chat.table.shares
    assert (named(chat), dict(shares._used), shares._payers) == ([], {}, {})


def test_whoever_comes_back_to_a_room_finds_a_place() -> None:
    """Those who make new ones, from however many addresses, leave a quarter of the places to rooms that there were."""
    chat = open_chat(max_rooms=8)
    (ann,) = people(chat, 1)
    ann.do(Join("den"), Join("club"), LeaveAll())
    crowd = [come(chat, f"eve{number}", f"203.0.113.{number}") for number in range(6)]
    made = [refusals(eve.do(Join(f"z{number}"))) for number, eve in enumerate(crowd)]

    assert made == [*[[]] * 5, ["new rooms on this server: at most 6 rooms"]]  # the lobby is one of them
    assert refusals(ann.do(Join("den"), Join("club"))) == []
    assert refusals(ann.do(Join("new"))) == ["new rooms on this server: at most 6 rooms"]


def test_empty_rooms_need_no_place() -> None:
    """They are there for whoever asks, with their topics, and are no longer counted."""
    chat = open_chat(max_rooms=3)
    (ann,) = people(chat, 1)
    for name in ("a", "b", "c"):
        ann.do(Join(name), Leave(name))

    assert named(chat) == []
    assert [chat.find_room(name) is not None for name in ("a", "B", "c", "d")] == [True, True, True, False]


def test_of_too_many_empty_rooms_in_memory_the_oldest_of_no_account_is_dropped() -> None:
    """Nothing lasts there."""
    chat = open_chat(max_rooms=3)
    (ann,) = people(chat, 1)
    ann.person.account = "ann"
    ann.do(Join("den"), Leave("den"))
    ann.person.account = None
    for name in ("a", "b", "c"):
        ann.do(Join(name), Leave(name))

    assert [name for name in ("den", "a", "b", "c") if chat.find_room(name)] == ["den", "b", "c"]


def test_an_account_with_many_rooms_does_not_push_out_those_of_others() -> None:
    """Its own go, the oldest first; and nobody loses a room to somebody who has as many."""
    chat = open_chat(max_rooms=3)
    (ann,) = people(chat, 1)
    for account, name in [("ann", "den"), ("eve", "e1"), ("eve", "e2"), ("eve", "e3"), ("bob", "b1"), ("tim", "t1")]:
        ann.person.account = account
        ann.do(Join(name), Leave(name))

    names = ("den", "e1", "e2", "e3", "b1", "t1")
    assert [name for name in names if chat.find_room(name)] == ["den", "e3", "b1"]


def test_a_room_that_is_removed_and_made_again_meanwhile_is_the_new_one() -> None:
    """Whoever asks for it gets the one that is there."""
    chat = open_chat()
    chat.room("ops")
    obtain = chat.table.obtain
    made: list[Room] = []

    def obtain_before_others(name: str) -> Room:
        room = obtain(name)
        if not made:
            made.append(room)
            chat.remove_room(name)
            made.append(obtain(name))
        return room

    chat.table.obtain = obtain_before_others  # type: ignore[method-assign]
    room = chat.room("ops")

    assert room is not made[0]
    assert chat.find_room("ops") is room
    room.announce("hi")


def test_whoever_waits_for_a_room_that_another_thread_reads_says_so_before() -> None:
    """So that nobody else waits for it."""
    chat = open_chat()
    waits = Event()

    def join() -> None:
        on_wait(waits.set)
        chat.room("ops")

    thread = Thread(target=join)
    with chat.table._making:
        thread.start()
        assert waits.wait(DEADLINE)
    thread.join()

    assert chat.find_room("ops") is not None
