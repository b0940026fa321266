"""Telling who comes and who has to go takes its place together with the change itself, so no list contradicts it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from chat_clients import DEADLINE
from recorder import Recorder, enter, make_chat, no_alarm_is_left

from pychat import Chat, Handler, Room, Session
from pychat.handlers import Broadcast, JoinLeaveNotices
from pychat.model import queries, replies
from pychat.model.events import Event, Joined, Kicked, Left, Message, Renamed, RoomEvent
from pychat.model.verbs import Hello, Join, Kick, Leave, Say, SetNickname, SetTopic

__all__ = ["no_alarm_is_left"]


def kinds(items: Sequence[Any]) -> list[str]:
    """The types of what was heard."""
    return [type(item).__name__ for item in items]


def test_nobody_is_in_a_list_whose_arrival_was_not_heard() -> None:
    """A member that asks who is there while the hooks of a join take their time has heard of the join already."""
    inside, go = threading.Event(), threading.Event()

    class TakesItsTime(Handler):
        def on_join(self, session: Session, room: Room) -> None:
            if session.nickname == "ann":
                inside.set()
                assert go.wait(DEADLINE)

    chat = make_chat(first=[TakesItsTime()])
    bob = enter(chat, "bob")
    coming = threading.Thread(target=enter, args=(chat, "ann"))
    coming.start()
    assert inside.wait(DEADLINE)
    heard = bob.do(queries.ListMembers())
    go.set()
    coming.join()

    assert kinds(heard) == ["Joined", "Members"]
    assert [member.nickname for member in heard[1].members] == ["bob", "ann"]


def test_the_others_hear_of_a_join_before_it_is_answered() -> None:
    """Everything a verb causes is on its way to everybody when the one who asked gets the answer."""
    heard: list[tuple[str | None, str]] = []

    class Tells(Recorder):
        def deliver(self, items: Sequence[Event | replies.Reply]) -> None:
            heard.extend((self.nickname, kind) for kind in kinds(items))

    chat = make_chat()
    for nickname in ("ann", "bob"):
        session = Tells(chat)
        chat.open(session)
        chat.perform(session, [Hello(nickname, ())])
    heard.clear()

    chat.perform(chat.find("ann") or session, [Join("ops")])
    chat.perform(session, [Join("ops")])

    assert heard == [("ann", "Members"), ("ann", "Joined"), ("bob", "Members")]


def test_who_joins_does_not_hear_of_it() -> None:
    """Neither at once nor when it catches up with what was said during its hooks."""

    class Greets(Handler):
        def on_join(self, session: Session, room: Room) -> None:
            room.announce(f"hello {session.nickname}")

    chat = make_chat(Greets())
    bob = enter(chat, "bob")
    ann = enter(chat, "ann", "ops")

    assert kinds(ann.do(Join("lobby"))) == ["Members", "Notice"]
    assert kinds(bob.take()) == ["Joined", "Notice"]


def test_who_resumes_hears_of_its_own_arrival() -> None:
    """It was away, and so may others of what is in the record."""
    chat = make_chat()
    bob = enter(chat, "bob")
    ann = enter(chat, "ann")
    token, seen = ann.token, chat.log.last_id()
    ann.resumable = True
    chat.close(ann, "lost", lost=True)
    bob.do(Say("where is she?"))

    again = Recorder(chat)
    chat.open(again)
    items = again.do(Hello("ann", token=token, after=seen))

    assert kinds(items) == ["Welcome", "Motd", "Members", "Disconnected", "Message", "Joined"]


def test_who_comes_back_at_once_after_a_kick() -> None:
    """The others hear both in that order, even if hooks of the kick still run."""

    class Again(Handler):
        def on_kick(self, session: Session, room: Room, member: Session, reason: str) -> None:
            assert isinstance(member, Recorder)
            member.do(SetNickname("bobby"), Join("ops"))

    chat = make_chat(first=[Again()])
    ann, bob, carl = (enter(chat, nickname, "ops") for nickname in ("ann", "bob", "carl"))

    ann.do(Kick("bob"))

    heard = carl.take()
    assert kinds(heard) == ["Kicked", "Joined"]
    assert (heard[0].nickname, heard[1].nickname) == ("bob", "bobby")
    assert bob in chat.room("ops")


def test_who_comes_back_at_once_when_the_room_is_closed() -> None:
    """The same where the program itself puts people out."""

    class Again(Handler):
        def on_leave(self, session: Session, room: Room, reason: str) -> None:
            assert isinstance(session, Recorder)
            if session.nickname == "bob":
                session.do(SetNickname("bobby"), Join("ops"))

    chat = make_chat(first=[Again()])
    enter(chat, "bob", "ops")
    carl = enter(chat, "carl", "ops")

    chat.remove_room("ops")

    assert kinds(carl.take()) == ["Left", "Joined", "Left"]


def test_a_handler_decides_what_is_announced() -> None:
    """It is asked about each change, and one that says yes is enough."""

    class OnlyFriends(Handler):
        def announces(self, session: Session, room: Room, kind: type[RoomEvent]) -> bool:
            asked.append((session.nickname, room.name, kind))
            return session.nickname == "bob"

    asked: list[Any] = []
    chat = Chat([OnlyFriends(), Broadcast()])
    ann, bob, carl = (enter(chat, nickname) for nickname in ("ann", "bob", "carl"))
    ann.person.modes = "o"
    asked.clear()

    heard = ann.do(Kick("bob"))
    ann.do(Kick("carl"))
    bob.do(Join("lobby"), Join("lobby"), Leave())
    carl.do(Join("lobby"), Leave())

    assert kinds(heard + ann.take()) == ["Joined", "Kicked", "Ok", "Joined", "Left"]
    assert asked == [
        ("bob", "lobby", Kicked),
        ("carl", "lobby", Kicked),
        ("bob", "lobby", Joined),
        ("bob", "lobby", Left),
        ("carl", "lobby", Joined),
        ("carl", "lobby", Left),
    ]


def test_a_handler_that_fails_to_decide_hurts_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """The failure is logged; the others are asked, and who joined has joined."""

    class Fails(Handler):
        def announces(self, session: Session, room: Room, kind: type[RoomEvent]) -> bool:
            raise ValueError("a secret")

    chat = Chat([Fails(), JoinLeaveNotices(), Fails(), Broadcast()])
    bob = enter(chat, "bob")
    ann = enter(chat, "ann", "ops")

    assert kinds(ann.do(Join("lobby"))) == ["Members"]
    assert kinds(bob.take()) == ["Joined"]
    assert "Fails.announces failed" in caplog.text


def test_what_was_said_before_is_sent_before_a_hook_decides() -> None:
    """A hook that may wait holds up nothing: of a join, a nickname, a topic."""
    heard: list[list[str]] = []

    class Waits(Handler):
        def before_join(self, session: Session, room: Room) -> None:
            heard.append(kinds(bob.take()))

        def before_nick(self, session: Session, nickname: str) -> str:
            heard.append(kinds(bob.take()))
            return nickname

        def before_topic(self, session: Session, room: Room, topic: str) -> str:
            heard.append(kinds(bob.take()))
            return topic

    chat = make_chat()
    bob, ann = enter(chat, "bob"), enter(chat, "ann")
    bob.take()
    chat.add_handler(Waits())

    ann.do(Say("1"), Join("ops"), Say("2", "lobby"), SetNickname("anna"), Say("3", "lobby"), SetTopic("tea", "lobby"))

    assert heard == [["Message"], ["Message"], ["Renamed", "Message"]]


def test_who_is_kicked_out_while_it_joins_again_is_not_in_the_room() -> None:
    """To join a room that one is in asks no hook and no limit, so it must not bring anybody in."""

    class Rooms(dict[str, Room]):
        """Asks who is in a room, and then somebody is kicked out."""

        def __contains__(self, key: object) -> bool:
            answer = super().__contains__(key)
            if answer:
                ann.do(Kick("bob", "ops"))
            return answer

    chat = make_chat()
    ann, bob = enter(chat, "ann", "ops"), enter(chat, "bob", "ops")
    bob.rooms = Rooms(bob.rooms)

    items = bob.do(Join("ops", ref=1))

    assert kinds(items) == ["Kicked", "Failure"]
    assert items[1].code == "not_a_member"
    assert chat.room("ops").members == (ann,)


def test_a_rename_does_not_come_between_a_join_and_its_announcement() -> None:
    """What is announced is who the member is at that place of the order."""

    class Renames(Handler):
        def on_join(self, session: Session, room: Room) -> None:
            if session.nickname == "ann":
                assert isinstance(session, Recorder)
                session.chat.perform(session, [SetNickname("anna")])

    chat = make_chat(first=[Renames()])
    bob = enter(chat, "bob")

    enter(chat, "ann")

    heard = bob.take()
    assert [type(event) for event in heard] == [Joined, Renamed]
    assert (heard[0].nickname, heard[1].old, heard[1].new) == ("ann", "ann", "anna")


@pytest.mark.parametrize("behind", [0, 600])
def test_who_is_kicked_out_while_it_joins_hears_nothing_more(behind: int) -> None:
    """What is said behind the kick is not for it, and it hears of the kick once."""

    class Slow(Handler):
        def on_join(self, session: Session, room: Room) -> None:
            if session.nickname == "bob":
                ann.do(*[Say("public", "ops")] * behind, Kick("bob", "ops"), *[Say("private", "ops")] * 600)

    chat = make_chat(Slow())
    ann, bob = enter(chat, "ann", "ops"), enter(chat, "bob", "lobby")

    items = bob.do(Join("ops"))

    assert kinds(items) == ["Members", "Kicked"]


def test_who_is_kicked_out_while_it_catches_up_hears_no_more() -> None:
    """Pages that are read later are not for it either."""

    class Drains(Recorder):
        def drained(self, timeout: float) -> bool:
            if "ops" in self.rooms:
                ann.do(Kick("bob", "ops"), Say("private", "ops"))
            return True

    chat = make_chat()
    ann = enter(chat, "ann", "ops")
    seen = chat.log.last_id()
    ann.do(*[Say("public", "ops")] * 600)
    bob = Drains(chat)
    chat.open(bob)

    items = bob.do(Hello("bob", ("ops",), after=seen))

    texts = [item.text for item in items if isinstance(item, Message)]
    assert set(texts) == {"public"}
    assert len(texts) < 600


def test_those_concerned_are_told_where_no_handler_announces() -> None:
    """Who leaves or is kicked out has to know, and who kicks; nobody else hears of it, and it is in no record."""
    chat = Chat([Broadcast()])
    ann, bob, carl = (enter(chat, nickname, "ops") for nickname in ("ann", "bob", "carl"))

    assert kinds(ann.do(Kick("bob", reason="out"))) == ["Kicked", "Ok"]
    assert [(event.id, event.nickname, event.by, event.reason) for event in bob.take()] == [(0, "bob", "ann", "out")]
    assert kinds(ann.do(Leave())) == ["Left", "Ok"]
    assert kinds(carl.take()) == []
    assert chat.log.read_after(["ops"], 0).events == []
