"""Empty rooms are in the file: they need no place in memory, and nothing deletes them but their own members."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_clients import make_accounts, wait_until

from pychat import ChatServer, Limits, LocalSession, Message, Refused
from pychat.core.rooms.room import Room
from pychat.model.errors import NotReadable
from pychat.stores import SqliteLog
from pychat.stores.sqlite.archive import Archive

MakeServer = Callable[..., ChatServer]


@pytest.fixture
def start(server: MakeServer, tmp_path: Path) -> Callable[..., ChatServer]:
    """Return a function that starts a server with the same file; two rooms can be in use."""
    running: list[ChatServer] = []

    def again(**limits: Any) -> ChatServer:
        for old in running:
            old.stop()
        log = SqliteLog(tmp_path / "chat.db")
        small = Limits(**{"max_rooms": 2, "resume_seconds": 0.0, **limits})
        running[:] = [server(log=log, limits=small, accounts=make_accounts())]
        return running[0]

    return again


Start = Callable[..., ChatServer]


def visit(session: LocalSession, *rooms: str) -> None:
    """Come into rooms, and leave them."""
    for room in rooms:
        session.join(room)
        session.leave(room)


def gone_from_memory(running: ChatServer, name: str) -> None:
    """Wait until nothing of a room is in memory."""

    def is_gone() -> bool:
        gc.collect()
        return name not in [room.name for room in running.chat.table.in_memory()]

    wait_until(is_gone, f"{name} is in the file alone")


def texts(session: LocalSession, room: str) -> list[str]:
    """What the record of a room has."""
    return [event.text for event in session.history(room) if isinstance(event, Message)]


def test_other_rooms_do_not_delete_the_record_of_an_empty_one(start: Start, tmp_path: Path) -> None:
    """However many there are; its topic is there, too, and after a restart."""
    running = start()
    ann = running.session("ann", ["ops"])
    ann.set_topic("tea at four")
    ann.say("important")
    ann.leave("ops")
    eve = running.session("eve")
    visit(eve, *[f"z{number}" for number in range(20)])

    gone_from_memory(running, "ops")
    for name in ("anna", "annie"):
        ann = running.session(name, ["Ops"])
        assert texts(ann, "ops") == ["important"]
        assert ann.rooms["ops"].topic == "tea at four"
        running = start()
    with Archive(tmp_path / "chat.db") as archive:
        assert len(archive.rooms) == 21 + 1


def test_nobody_takes_a_room_of_an_account_by_making_others(start: Start) -> None:
    """It has its key and its bans, however long it was empty, and whoever comes with the key is a member."""
    running = start()
    ann = running.session("ann")
    ann.person.account = "Ann"
    ann.join("den")
    ann.set_modes("+k", "sesame", room="den")
    ann.ban("mallory", "den")
    ann.leave("den")
    eve = running.session("eve")
    eve.person.account = "Eve"
    visit(eve, *[f"z{number}" for number in range(20)])
    gone_from_memory(running, "den")

    with pytest.raises(Refused, match=r"^room 'den' requires a key; it is missing or wrong$"):
        eve.join("den")
    with pytest.raises(Refused, match=r"^you are banned from room 'den'$"):
        running.session("mallory").join("den", "sesame")
    eve.join("den", "sesame")
    assert running.chat.table.get("den").state.roles == {}  # type: ignore[union-attr]
    ann.join("den")
    assert running.chat.table.get("den").state.roles == {ann.identity: "o"}  # type: ignore[union-attr]


def test_rooms_in_use_are_bounded(start: Start) -> None:
    """An empty room finds no place either while all are taken, and is not lost by that."""
    running = start()
    ann, bob = running.session("ann", ["lobby", "a"]), running.session("bob")
    with pytest.raises(Refused, match=r"^new rooms on this server: at most 2 rooms$"):
        bob.join("b")
    ann.leave("a")
    bob.join("b")
    with pytest.raises(Refused, match=r"^rooms on this server: at most 2 rooms$"):
        ann.join("a")
    bob.leave("b")
    ann.join("a")


def test_what_an_operator_of_the_server_changes_in_an_empty_room_is_kept(start: Start) -> None:
    """Nobody has to be there."""
    running = start()
    ann, root = running.session("ann"), running.session("root")
    ann.person.account, root.person.modes = "Ann", "o"
    visit(ann, "den")
    gone_from_memory(running, "den")

    root.set_modes("+mb", "eve", room="den")
    gone_from_memory(running, "den")
    root.set_modes("+t", room="den")
    gone_from_memory(running, "den")

    ann.join("den")
    rules = ann.rooms["den"].state
    assert (rules.letters, [entry.mask for entry in rules.lists["b"]]) == ("mnt", ["eve!*@*"])


def test_a_deleted_account_leaves_nothing_in_rooms_that_are_in_the_file(start: Start) -> None:
    """Whoever makes another one of that name is no operator; what was private is forgotten."""
    running = start(max_rooms=3)
    ann = running.session("ann")
    ann.register("correct-horse")
    for room in ("den", "hall"):
        ann.join(room)
    ann.set_modes("+k", "sesame", room="den")
    ann.say("secret", "den")
    ann.leave("den")
    ann.leave("hall")
    gone_from_memory(running, "den")
    ann.drop_account("correct-horse")
    gone_from_memory(running, "den")

    eve = running.session("eve", ["den"])
    assert (texts(eve, "den"), eve.rooms["den"].state.join_key) == ([], None)
    assert running.chat.log.rooms_of("ann") == []


def test_a_room_has_one_object(start: Start) -> None:
    """While anybody has it at hand, also if it is empty; and while it is not stored."""
    running = start()
    ann = running.session("ann")
    visit(ann, "den")
    gone_from_memory(running, "den")

    room = running.chat.find_room("DEN")
    assert room is not None
    assert running.chat.find_room("den") is room
    ann.join("den")
    assert ann.rooms["den"] is room
    ann.leave("den")
    assert running.chat.find_room("den") is room


def test_a_room_whose_change_is_on_its_way_to_the_file_is_not_read_from_it(start: Start) -> None:
    """The disk may be slow."""
    running = start()
    log = running.chat.log
    assert isinstance(log, SqliteLog)
    ann = running.session("ann")
    visit(ann, "den")
    gone_from_memory(running, "den")
    room: Room | None = running.chat.find_room("den")
    assert room is not None
    with running.chat.order.lock:
        room.state.topic = "tea"
        running.chat.persistence.save_room_locked(room)
        del room
        gc.collect()
        assert [room.topic for room in running.chat.table.in_memory() if room.name == "den"] == ["tea"]
    running.chat.order.wake()
    gone_from_memory(running, "den")
    room = running.chat.find_room("den")
    assert room is not None
    assert room.topic == "tea"


def test_a_room_that_cannot_be_read_lets_nobody_in(start: Start) -> None:
    """Its rules are not known, so nobody may become its operator."""
    running = start()
    ann = running.session("ann")
    visit(ann, "den")
    gone_from_memory(running, "den")
    log = running.chat.log
    assert isinstance(log, SqliteLog)
    log._database.write([("UPDATE rooms SET kept = 'no JSON' WHERE key = 'den'", ())])

    with pytest.raises(NotReadable, match=r"^the history cannot be read: the file is damaged$"):
        running.chat.find_room("den")
    with pytest.raises(Refused, match=r"^the history cannot be read: the file is damaged$"):
        ann.join("den")


def test_only_rooms_that_somebody_was_in_are_read_at_the_start(start: Start) -> None:
    """Not the thousands that are empty."""
    running = start(resume_seconds=30.0, max_rooms=10)
    ann = running.session("ann", ["ops"])
    visit(ann, "a", "b", "c")

    again = start(resume_seconds=30.0, max_rooms=10)
    assert sorted(room.name for room in again.chat.rooms()) == ["lobby", "ops"]
    assert again.chat.find_room("a") is not None
