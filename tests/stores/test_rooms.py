"""Rooms last: topics and rules are there when the server is started again, and members find them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from chat_clients import Clients, JsonPeer, wait_until

from pychat import ChatServer, Limits, LocalSession, Message, Refused, TopicChanged
from pychat.core.log.snapshots import RoomSnapshot, SessionSnapshot
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.modes import MaskEntry
from pychat.model.tokens import digest_of
from pychat.stores import SqliteLog
from pychat.stores.sqlite.event_codec import Unreadable
from pychat.stores.sqlite.state_codec import read_mask, read_room, read_session, write_mask, write_room, write_session
from pychat.testing import FakeClock

MakeServer = Callable[..., ChatServer]
Start = Callable[..., ChatServer]


@pytest.fixture
def start(server: MakeServer, tmp_path: Path) -> Start:
    """Return a function that ends the server, if there is one, and starts it again with the same file."""
    running: list[ChatServer] = []

    def again(clock: Clock = SYSTEM_CLOCK, **limits: float) -> ChatServer:
        for old in running:
            old.stop()
        log = SqliteLog(tmp_path / "chat.db", clock=clock)
        running[:] = [server(log=log, limits=Limits(**limits), clock=clock)]  # type: ignore[arg-type]
        return running[0]

    return again


def test_topic_and_rules_survive_a_restart(start: Start) -> None:
    """And so does who may come in."""
    first = start()
    ann, eve = first.session("ann", ["Ops"]), first.session("eve")
    ann.set_topic("tea at four")
    ann.set_modes("+mlk", "5", "sesame")
    ann.ban("eve")
    ann.invite("eve")
    settled = ann.list_rooms()
    identities = ann.identity, eve.identity

    room = start().chat.find_room("ops")
    assert room is not None
    assert (room.name, room.topic, room.state.topic_by) == ("Ops", "tea at four", "ann")
    assert room.state.letters == "mnkl"
    assert (room.state.join_key, room.state.limit, room.state.may_silence) == ("sesame", 5, True)
    assert [entry.mask for entry in room.state.lists["b"]] == ["eve!*@*"]
    assert room.state.roles == {identities[0]: "o"}
    assert room.state.invited == {identities[1]: True}
    assert settled[-1].created == room.state.created


def test_a_ban_ends_when_it_should_over_a_restart(start: Start) -> None:
    """Its end and its reason are kept; one that ends while the server is away is removed when it is there again."""
    clock = FakeClock()
    first = start(clock)
    ann = first.session("ann", ["Ops"])
    ann.ban("eve", seconds=3600, reason="spam")
    ann.mute("a:bob", seconds=1)
    first_room = first.chat.find_room("ops")
    assert first_room is not None
    long, short = list(first_room.state.lists["b"])
    assert (long.until, long.reason, short.mask) == (long.time + 3600, "spam", "m:a:bob")

    room = start(FakeClock(start=clock.time() + 2)).chat.find_room("ops")
    assert room is not None
    wait_until(lambda: [entry[:-1] for entry in room.state.lists["b"]] == [long[:-1]], "the end of the mute")


def masks_of(server: ChatServer, room: str) -> dict[str, list[str]]:
    """The lists of a room that are not empty."""
    found = server.chat.find_room(room)
    assert found is not None
    return {letter: [entry.mask for entry in masks] for letter, masks in found.state.lists.items() if len(masks)}


def rows(path: Path) -> list[tuple[str, str]]:
    """What the file has of masks."""
    with closing(sqlite3.connect(path)) as connection:
        return sorted(connection.execute("SELECT letter, key FROM masks").fetchall())


def test_each_change_of_a_list_is_one_row(start: Start, tmp_path: Path) -> None:
    """One that is added or removed; the others are not written again, nor with any other rule."""
    ann = start().session("ann", ["Ops"])
    ann.set_modes("+bbeI", "a", "B", "c", "d")
    ann.set_modes("-b+b", "a", "e")
    with closing(sqlite3.connect(tmp_path / "chat.db")) as connection:
        connection.execute("DELETE FROM masks WHERE key = 'b!*@*'")  # to see what is written again
        connection.commit()
    ann.set_modes("+m-e+b", "c", "f")

    assert rows(tmp_path / "chat.db") == [("I", "d!*@*"), ("b", "e!*@*"), ("b", "f!*@*")]
    assert masks_of(start(), "ops") == {"b": ["e!*@*", "f!*@*"], "I": ["d!*@*"]}


def test_lists_go_with_the_rules_of_a_room(start: Start, tmp_path: Path) -> None:
    """When the last member is gone, or the room is removed."""
    server = start()
    ann = server.session("ann", ["Ops"])
    ann.set_modes("+b", "a")
    ann.leave("Ops")
    ann.join("Ops")
    ann.set_modes("+b", "b", room="Ops")
    assert masks_of(start(), "ops") == {"b": ["b!*@*"]}

    start().chat.remove_room("ops")
    start()
    assert rows(tmp_path / "chat.db") == []


def test_masks_of_a_file_of_version_4_are_moved_into_rows(start: Start, tmp_path: Path) -> None:
    """There all of a room were in its own row."""
    path = tmp_path / "chat.db"
    ann = start().session("ann", ["Ops"])
    ann.ban("x", reason="spam")
    ann.set_modes("+bI", "y", "z")
    start().stop()
    with closing(sqlite3.connect(path)) as connection:
        lists: dict[str, list[Any]] = {}
        for letter, kept in connection.execute("SELECT letter, kept FROM masks ORDER BY kept"):
            lists.setdefault(letter, []).append(json.loads(kept)[:-1])
        connection.execute("UPDATE rooms SET kept = json_set(kept, '$.lists', json(?))", (json.dumps(lists),))
        connection.executescript(
            "DROP INDEX blocks_with_messages; ALTER TABLE blocks DROP COLUMN messages;"
            "DROP TABLE masks; DROP TABLE steps; PRAGMA user_version = 4"
        )

    assert masks_of(start(), "ops") == {"b": ["x!*@*", "y!*@*"], "I": ["z!*@*"]}
    again = start()
    assert masks_of(again, "ops") == {"b": ["x!*@*", "y!*@*"], "I": ["z!*@*"]}
    room = again.chat.find_room("ops")
    assert room is not None
    assert [entry.reason for entry in room.state.lists["b"]] == ["spam", ""]


def test_who_is_operator_by_account_is_it_after_a_restart(start: Start) -> None:
    """However long that takes, and by any nickname; the room keeps its rules."""
    ann = start(resume_seconds=0.0).session("ann")
    ann.person.account = "Ann"
    ann.join("den")
    ann.set_modes("+m", room="den")

    again = start(resume_seconds=0.0)
    eve, anna = again.session("eve", ["den"]), again.session("anna")
    anna.person.account = "ann"
    anna.join("den")

    with pytest.raises(Refused, match="is moderated: only operators"):
        eve.say("x", "den")
    anna.set_modes("-m", room="den")
    assert eve.say("x", "den") is not None


def test_nobody_is_made_operator_by_a_restart(start: Start) -> None:
    """Who comes first into a room that waits for its members is one of them, not the one who makes it."""
    start().session("ann", ["ops"])

    bob = start().session("bob", ["ops"])

    with pytest.raises(Refused, match=r"^only operators of room 'ops' may do that$"):
        bob.set_modes("+m")


def test_a_room_to_which_nobody_comes_back_is_left_by_its_last_member(start: Start) -> None:
    """After a while its rules are gone; who comes then makes it anew, and does not see what was private."""
    ann = start().session("ann", ["ops"])
    ann.set_modes("+k", "sesame")
    ann.say("secret", "ops")

    running = start(resume_seconds=0.0)
    bob = running.session("bob", ["ops"])
    assert [event for event in bob.history("ops") if isinstance(event, Message)] == []
    bob.set_modes("+m")
    assert running.room("ops").state.join_key is None


def test_rules_protect_a_room_meanwhile(start: Start) -> None:
    """A room with a key has it while its members are on their way."""
    start().session("ann", ["ops"]).set_modes("+k", "sesame")

    bob = start().session("bob")

    with pytest.raises(Refused, match=r"^room 'ops' requires a key; it is missing or wrong$"):
        bob.join("ops")
    assert bob.join("ops", "sesame")


def test_a_room_that_was_left_before_has_no_rules(start: Start) -> None:
    """Only its topic, as if the server had never ended."""
    ann = start().session("ann", ["ops"])
    ann.set_topic("tea at four", "ops")
    ann.set_modes("+m", room="ops")
    ann.leave("ops")

    running = start()
    bob = running.session("bob", ["ops"])
    assert running.room("ops").topic == "tea at four"
    bob.set_modes("+m", room="ops")


def test_a_room_that_is_forgotten_does_not_come_back(start: Start) -> None:
    """Neither its topic nor its record."""
    running = start()
    ann = running.session("ann", ["ops"])
    ann.set_topic("tea at four", "ops")
    running.chat.remove_room("ops")

    assert start().chat.find_room("ops") is None


def test_a_topic_that_is_acknowledged_is_stored(start: Start) -> None:
    """Its event is in the record, too."""
    ann = start().session("ann")
    ann.set_topic("tea at four")

    running = start()
    bob = running.session("bob")
    assert [event.topic for event in bob.history() if isinstance(event, TopicChanged)] == ["tea at four"]
    assert running.room("lobby").topic == "tea at four"
    running.room("lobby").announce("hello")


def test_what_is_written_of_a_room_can_be_read() -> None:
    """With the types that it had."""
    kept = RoomSnapshot(
        "Ops", True, "tea", "ann", 5.0, "~ann@host", 4.0, "mn", {"k": "k", "l": "5"}, {},
        {2**62: "ov"}, (1, 2), False,
    )  # fmt: skip

    assert read_room(write_room(kept)) == kept
    entry = MaskEntry("eve!*@*", "ann", 6.0, "~ann@host", 7.5, "spam", (2**62,))
    assert read_mask(write_mask(entry)) == entry
    session = SessionSnapshot("5e", "ann", 2**62, ("lobby", "Ops"), None, "Ann", "i", 5.5)
    assert read_session(write_session(session)) == session


def test_a_room_of_an_older_file_has_its_values() -> None:
    """There the limit and the seconds of the slow mode are numbers."""
    kept = RoomSnapshot("Ops", True, "", "", 0.0, "", 4.0, "n", {"k": "sesame", "l": "5"}, {}, {}, (), False)
    fields = json.loads(write_room(kept))

    assert read_room(json.dumps({**fields, "limit": 5, "slow": 0})) == kept
    assert read_room(json.dumps({**fields, "slow": 30})).values == {"k": "sesame", "l": "5", "W": "30"}
    with pytest.raises(Unreadable, match="not a room"):
        read_room(json.dumps({**fields, "limit": "many"}))


@pytest.mark.parametrize("text", ["", "[]", "5", "{}", '{"lists": []}', '{"lists": {"b": 5}}'])
def test_what_is_no_room_is_an_error(text: str) -> None:
    """Never anything else than `Unreadable`."""
    with pytest.raises(Unreadable, match="not a room"):
        read_room(text)
    with pytest.raises(Unreadable, match="not a session"):
        read_session(text)
    with pytest.raises(Unreadable, match="not a mask"):
        read_mask(text)


# Coming back over a restart


def enter(clients: Clients, server: ChatServer, nick: str, **hello: Any) -> tuple[JsonPeer, dict[str, Any]]:
    """Come in; return the client and its welcome."""
    peer = clients.new_json(server)
    peer.ask("hello", nick=nick, ref=1, **hello)
    return peer, peer.until("welcome")[-1]


def test_who_comes_back_with_the_token_is_who_it_was(start: Start, clients: Clients) -> None:
    """With its nickname, its rooms, its role and what it missed; even if the server was killed."""
    ann, welcome = enter(clients, start(), "ann", rooms=["ops"])
    ann.answer("mode", modes="+i")
    seen = ann.answer("say", text="before")["id"]

    running = start()
    with pytest.raises(Refused, match=r"^nickname 'ann' is reserved for \d+ s for somebody who lost the connection"):
        running.session("ann")
    running.room("ops").announce("meanwhile")
    back, again = enter(clients, running, "", resume={"token": welcome["token"], "after": seen})
    assert again["nick"] == "ann"
    assert again["token"] != welcome["token"]
    assert [item["text"] for item in back.until("notice") if "text" in item] == ["meanwhile"]
    assert back.answer("mode", modes="-i")["type"] == "ok"


def test_a_room_waits_for_members_that_were_lost_before_the_restart(start: Start, clients: Clients) -> None:
    """It has its key meanwhile, and its operator is who it was."""
    running = start()
    ann, welcome = enter(clients, running, "ann", rooms=["ops"])
    ann.answer("mode", modes="+k", args=["sesame"])
    seen = ann.answer("say", text="acknowledged")["id"]
    ann.close()
    room = running.chat.find_room("ops")
    assert room is not None
    wait_until(lambda: not room.members, "ann is gone")

    again = start()
    with pytest.raises(Refused, match=r"^room 'ops' requires a key; it is missing or wrong$"):
        again.session("eve", ["ops"])
    back, _ = enter(clients, again, "", resume={"token": welcome["token"]})
    assert seen in [item["id"] for item in back.answer("history", room="ops")["events"]]
    assert back.answer("mode", modes="-k")["type"] == "ok"


def test_a_token_from_before_a_restart_is_no_password(server: MakeServer, clients: Clients, tmp_path: Path) -> None:
    """The password may be another one since then, so that somebody stays out."""
    first = server(log=SqliteLog(tmp_path / "chat.db"), password="old")
    _, welcome = enter(clients, first, "ann", password="old")
    first.stop()
    second = server(log=SqliteLog(tmp_path / "chat.db"), password="new")

    back, resume = clients.new_json(second), {"token": welcome["token"]}
    assert back.answer("hello", nick="ann", resume=resume)["code"] == "password_required"
    assert back.answer("hello", nick="ann", resume=resume, password="old")["code"] == "wrong_password"
    assert back.answer("hello", nick="", resume=resume, password="new")["nick"] == "ann"


def test_a_token_is_good_for_a_while_only(start: Start, clients: Clients) -> None:
    """Then the nickname is free again, and the token worth nothing."""
    _, welcome = enter(clients, start(), "ann")

    running = start(resume_seconds=0.0)
    assert running.session("ann").nickname == "ann"
    _, again = enter(clients, running, "bob", resume={"token": welcome["token"]})
    assert again["nick"] == "bob"


def test_who_has_gone_does_not_come_back(start: Start, clients: Clients) -> None:
    """A goodbye is one, also if the server ends afterwards."""
    ann, welcome = enter(clients, start(), "ann")
    ann.ask("quit")
    ann.read_rest()

    _, again = enter(clients, start(), "bob", resume={"token": welcome["token"]})
    assert again["nick"] == "bob"


def test_the_file_does_not_tell_a_token(start: Start, clients: Clients, tmp_path: Path) -> None:
    """Only what it can be recognised by."""
    _, welcome = enter(clients, start(), "ann")
    start()

    together = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert welcome["token"].encode() not in together
    assert digest_of(welcome["token"]).encode() in together


def test_a_ban_of_an_address_survives_a_restart(start: Start, clients: Clients, tmp_path: Path) -> None:
    """What stands for the address is the same; another file has another secret."""
    running = start()
    running.session("ann", ["ops"])
    eve, _ = enter(clients, running, "eve")
    host = eve.answer("whois", nick="eve")["userhost"].partition("@")[2]
    ann = running.chat.find("ann")
    assert isinstance(ann, LocalSession)
    ann.ban(f"*!*@{host}", "ops")

    again, _ = enter(clients, start(), "tim")

    assert again.answer("whois", nick="tim")["userhost"].endswith(f"@{host}")
    assert again.answer("join", room="ops")["code"] == "banned"
    other = SqliteLog(tmp_path / "other.db")
    other.close()
    assert other.secret != start().chat.log.secret
