"""What holds between the parts of the shared state, whatever people do."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st
from invariants import check_people
from recorder import Recorder, enter, make_chat, no_alarm_is_left

from pychat.core.chat import Chat
from pychat.core.rooms.room import Room
from pychat.core.rooms.snapshot import restore_room, snapshot_of
from pychat.model.modes import MaskEntry, ModeChange
from pychat.model.verbs import (
    Ban,
    Invite,
    Join,
    Kick,
    Leave,
    LeaveAll,
    SetAway,
    SetModes,
    SetNickname,
    SetTopic,
    Unban,
    Verb,
)

__all__ = ["no_alarm_is_left"]

NICKNAMES = st.sampled_from(["ann", "bob", "eve", "zed"])
ROOMS = st.sampled_from(["lobby", "ops", "den"])
MASKS = st.sampled_from(["x!*@*", "bob!*@*", "m:eve!*@*"])
CHANGES = st.one_of(
    st.builds(ModeChange, st.booleans(), st.sampled_from("ov"), NICKNAMES),
    st.builds(ModeChange, st.booleans(), st.sampled_from("beI"), MASKS),
    st.builds(ModeChange, st.booleans(), st.sampled_from("mintsC")),
    st.builds(ModeChange, st.booleans(), st.sampled_from("klW"), st.just("3")),
)
VERBS: st.SearchStrategy[Verb] = st.one_of(
    st.builds(Join, ROOMS, key=st.none() | st.just("3")),
    st.builds(Leave, ROOMS),
    st.builds(LeaveAll),
    st.builds(Kick, NICKNAMES, ROOMS),
    st.builds(Invite, NICKNAMES, ROOMS),
    st.builds(Ban, NICKNAMES | MASKS, ROOMS, seconds=st.none() | st.just(60.0), kick=st.booleans(), mute=st.booleans()),
    st.builds(Unban, NICKNAMES | MASKS, ROOMS, mute=st.booleans()),
    st.builds(SetModes, st.lists(CHANGES, min_size=1, max_size=3).map(tuple), ROOMS),
    st.builds(SetTopic, st.sampled_from(["", "tea"]), ROOMS),
    st.builds(SetAway, st.none() | st.just("lunch")),
    st.builds(SetNickname, NICKNAMES),
)


def _lasting(masks: Iterable[MaskEntry]) -> list[MaskEntry]:
    """Return masks without their ends by `Clock.monotonic`, which are others after a restart."""
    return [entry._replace(deadline=None) for entry in masks]


def check(chat: Chat, people: list[Recorder], rooms: dict[str, Room]) -> None:
    """Check that all parts agree."""
    check_people(chat)
    here = [person for person in people if not person.closed]
    assert {person.identity for person in here} == set(chat.nicknames.by_identity)
    assert [chat.find(person.nickname or "") for person in here] == here
    for person in here:
        assert list(person.rooms) == [key for key in person.rooms if person in rooms[key]]
        assert {key for key, room in rooms.items() if person in room} == set(person.rooms)
    for room in rooms.values():
        state = room.state
        assert set(state.members) <= {person.identity for person in here}
        assert all(state.members.values())
        assert set(state.roles) <= {*state.members, *state.expected}
        assert state.may_silence == bool(state.flags & set("mC") or len(state.lists["b"]) or "W" in state.values)
        again = Room(chat, room.name)
        saved = snapshot_of(room, 0.0)
        lists = {letter: tuple(masks) for letter, masks in state.lists.items()}
        restore_room(again, saved._replace(lists=lists), chat.clock)
        assert snapshot_of(again, 0.0) == saved._replace(occupied=False)
        assert [_lasting(masks) for masks in again.state.lists.values()] == [
            _lasting(masks) for masks in lists.values()
        ]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3), VERBS | st.just("quit")), max_size=25))
def test_the_parts_of_the_state_agree(steps: list[tuple[int, Verb | str]]) -> None:
    """After each verb: who is where, with which role, and what a restart would restore."""
    chat = make_chat()
    people = [enter(chat, nickname, "lobby", "ops") for nickname in ("ann", "bob", "eve")]
    root = enter(chat, "root", "lobby")
    root.person.modes = "o"
    people.append(root)
    everybody = list(people)
    rooms = {name: chat.room(name) if name == "lobby" else people[0].rooms.get(name) for name in ("lobby", "ops")}
    known = {name: room for name, room in rooms.items() if room is not None}
    for number, step in steps:
        person = people[number]
        if isinstance(step, str):
            chat.close(person, "quit")
            people[number] = enter(chat, f"guest{len(everybody)}", "lobby")
            everybody.append(people[number])
        else:
            person.do(step)
        known |= {key: room for one in people for key, room in one.rooms.items()}
        check(chat, everybody, known)
