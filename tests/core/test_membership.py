"""Joining, leaving and kicks at odd moments: while hooks change the rooms, the log fails, or the server stops."""

from __future__ import annotations

from pathlib import Path

from recorder import OPENED, Recorder, enter, make_chat, no_alarm_is_left
from remote import Remote, come, open_chat

from pychat.core.chat import Chat
from pychat.core.handler import Handler
from pychat.core.log.log import MemoryLog
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.handlers import Broadcast, JoinLeaveNotices
from pychat.model.events import Event, Joined, Kicked, Message
from pychat.model.limits import Limits
from pychat.model.modes import parse
from pychat.model.replies import Failure, Members
from pychat.model.verbs import Hello, Join, Kick, Leave, Say, SetModes
from pychat.stores import SqliteLog
from pychat.testing import FakeClock

__all__ = ["no_alarm_is_left"]


def mode(letters: str, *arguments: str, room: str | None = None) -> SetModes:
    """The verb of `/mode +o bob`."""
    return SetModes(tuple(parse(letters, arguments)), room)


def test_a_room_that_is_forgotten_as_it_empties_takes_nobody_with_it() -> None:
    """In memory there are only so many empty rooms, and owned ones stay."""
    chat = make_chat(limits=Limits(max_rooms=3))
    for number in range(3):
        owner = enter(chat, f"owner{number}")
        owner.log_in(f"account{number}")
        owner.do(Join(f"room{number}"), mode("+o", f"owner{number}", room=f"room{number}"))
        chat.close(owner, "quit")
    ann = enter(chat, "ann", "mine")

    assert not [item for item in ann.do(Leave("mine")) if isinstance(item, Failure)]
    bob = enter(chat, "bob", "mine")
    chat.close(bob, "quit")

    assert chat.find("bob") is None


def test_a_visitor_with_a_role_is_told_of_the_join_itself() -> None:
    """The role by account is another event."""
    chat = make_chat()
    boss = enter(chat, "boss", "ops")
    boss.log_in("Boss")
    boss.do(mode("+v", "boss"))
    visitor = enter(chat, "ci", visit=True)
    visitor.log_in("Boss")

    (members,) = [item for item in visitor.do(Join("ops")) if isinstance(item, Members)]

    assert isinstance(members.arrival, Joined)


def test_a_room_that_waits_has_one_alarm_however_many_knock() -> None:
    """Whoever does not know the key costs no more than an answer."""
    chat = open_chat(clock=FakeClock())
    ann = come(chat)
    ann.resumable = True
    chat.perform(ann, [Hello("ann", ("ops",)), mode("+k", "x")])
    chat.close(ann, "lost", lost=True)
    bob = enter(chat, "bob")
    before = len(chat.alarms._heap)

    for _ in range(10):
        bob.do(Join("ops"))

    assert len(chat.alarms._heap) == before


def test_a_room_that_a_hook_removes_is_made_anew_for_the_join() -> None:
    """As for a game that begins again."""

    class Reset(Handler):
        def before_join(self, session: Session, room: Room) -> None:
            if room.name == "Game":
                session.chat.remove_room("Game")

    chat = make_chat(Reset())
    ann, bob = enter(chat, "ann"), enter(chat, "bob")

    ann.do(Join("Game"))
    bob.do(Join("Game"))

    assert [person.room_names for person in (ann, bob)] == [("lobby",), ("lobby", "Game")]


def test_a_hook_of_a_session_that_was_disconnected_can_remove_a_room() -> None:
    """All other members leave it."""

    class Ends(Handler):
        def on_message(self, session: Session, message: Message) -> None:
            session.disconnect("game over")
            session.chat.remove_room("game")

    chat = make_chat(Ends())
    ann, bob = enter(chat, "ann", "game"), enter(chat, "bob", "game")

    ann.do(Say("end", room="game"))

    assert bob.room_names == ()


def test_nobody_joins_if_the_log_has_failed_meanwhile() -> None:
    """Hooks take time."""

    class Failing(MemoryLog):
        storage_error: str | None = None

    log = Failing()

    class Slow(Handler):
        def before_join(self, session: Session, room: Room) -> None:
            log.storage_error = "disk full" if room.name == "ops" else None

    chat = Chat([Slow(), JoinLeaveNotices(), Broadcast()], log=log)
    OPENED.add(chat)
    ann = enter(chat, "ann")

    (failure,) = ann.do(Join("ops"))

    assert (failure.code, ann.room_names) == ("not_stored", ("lobby",))


def test_a_leave_that_waits_while_the_server_stops_leaves_the_room_as_it_is(tmp_path: Path) -> None:
    """After the restart, the member is expected, with its role and the key."""

    class Stops(Handler):
        def announces(self, session: Session, room: Room, kind: type[Event]) -> bool:
            if kind is not Joined:
                session.chat.end()
            return True

    chat = Chat([Stops(), Broadcast()], log=SqliteLog(tmp_path / "chat.db"))
    ann = Recorder(chat)
    ann.resumable = True
    chat.open(ann)
    chat.perform(ann, [Hello("ann", ("ops",)), mode("+k", "x"), Say("hello")])
    chat.perform(ann, [Leave("ops")])
    chat.close(ann, "stop", lost=True)
    chat.log.close()

    again = Chat([Broadcast()], log=SqliteLog(tmp_path / "chat.db"))
    room = again.find_room("ops")
    assert room is not None
    said = [event.text for event in room.history() if isinstance(event, Message)]
    found = list(room.state.roles.values()), room.state.join_key, said
    again.end()
    again.log.close()

    assert found == (["o"], "x", ["hello"])


def test_a_kick_of_somebody_who_resumes_meanwhile_is_told_of_the_session_that_is_there() -> None:
    """The hook would otherwise get one that has ended."""
    new: list[Remote] = []
    told: list[Session] = []

    class Slow(Handler):
        def announces(self, session: Session, room: Room, kind: type[Event]) -> bool:
            if kind is Kicked:
                session.chat.close(session, "lost", lost=True)
                new.append(come(session.chat))
                session.chat.perform(new[0], [Hello("bob", None, token=session.token)])
            return True

        def on_kick(self, session: Session, room: Room, member: Session, reason: str) -> None:
            told.append(member)

    chat = make_chat(first=[Slow()])
    ann, bob = enter(chat, "ann", "ops"), come(chat)
    bob.resumable = True
    chat.perform(bob, [Hello("bob", ("ops",))])

    ann.do(Kick("bob", "ops"))

    assert (told, new[0].room_names) == ([new[0]], ())
