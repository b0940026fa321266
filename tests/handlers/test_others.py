"""The small handlers: who may come in under which name, who hears whom, who is told what."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pychat import Chat, Handler, Joined, Left, Limits, LocalSession, Message, Refused, Room, Session
from pychat.handlers import Broadcast, History, JoinLeaveNotices, NicknameValidator
from pychat.model.events import Disconnected, Event
from pychat.model.replies import Replay, Reply
from pychat.model.verbs import Hello


class Replays(LocalSession):
    """A session that wants replays, and keeps them."""

    def __init__(self, chat: Chat) -> None:
        super().__init__(chat)
        self.replayed: list[Replay] = []
        self.replays = True

    def deliver(self, items: Sequence[Event | Reply]) -> None:
        self.replayed += [item for item in items if isinstance(item, Replay)]
        super().deliver(items)


def newcomer(chat: Chat, nickname: str, *, wants: bool = True) -> list[tuple[str, list[str]]]:
    """Let somebody in; return what was replayed, as rooms and texts."""
    session = Replays(chat)
    chat.open(session)
    chat.perform(session, [Hello(nickname, replay=wants)])
    return [
        (replay.room, [event.text for event in replay.events if isinstance(event, Message)])
        for replay in session.replayed
    ]


# NicknameValidator


def test_without_arguments_every_valid_nickname_passes() -> None:
    """The rules of names are not this handler's."""
    assert Chat([NicknameValidator()]).session("a").nickname == "a"


def test_nicknames_that_are_not_welcome() -> None:
    """Too short, or forbidden in whatever case; also as a second nickname."""
    chat = Chat([NicknameValidator(min_chars=3, forbidden=["Root", "moderator"])])
    ann = chat.session("ann")

    with pytest.raises(Refused, match="nickname 'al' is too short: at least 3 characters"):
        chat.session("al")
    for name in ("root", "ROOT", "Moderator"):
        with pytest.raises(Refused, match=f"nickname {name!r} is not allowed here; choose another"):
            chat.session(name)
    with pytest.raises(Refused, match="nickname 'root' is not allowed here; choose another"):
        ann.set_nickname("root")
    assert ann.nickname == "ann"


# JoinLeaveNotices, Broadcast


def test_without_join_leave_notices_nobody_is_told() -> None:
    """Membership is core's own; who tells of it is a choice."""
    chat = Chat([Broadcast()])
    ann, bob = chat.session("ann"), chat.session("bob", ["lobby", "ops"])
    bob.leave("ops")
    bob.close()

    assert list(ann.events(timeout=0)) == []
    assert len(chat.default_room.members) == 1


def test_join_leave_notices_tell_each_room_what_concerns_it() -> None:
    """Joins and leaves room by room, a disconnect once."""
    chat = Chat([JoinLeaveNotices()])
    ann, ops = chat.session("ann"), chat.session("ops", ["ops"])
    bob = chat.session("bob", ["lobby", "ops"])
    bob.leave("ops", "done")
    bob.close("tired")

    assert [type(event) for event in ann.events(timeout=0)] == [Joined, Disconnected]
    assert [type(event) for event in ops.events(timeout=0)] == [Joined, Left]


def test_who_never_came_in_leaves_unnoticed() -> None:
    """A session without nickname or rooms is nobody's business."""
    chat = Chat([JoinLeaveNotices()])
    ann = chat.session("ann")
    nobody = LocalSession(chat)
    chat.open(nobody)
    chat.close(nobody, "gone")

    assert list(ann.events(timeout=0)) == []


def test_another_broadcast_lets_only_some_hear() -> None:
    """The proximity chat of the documentation."""

    class Nearby(Handler):
        def on_message(self, session: Session, message: Message) -> None:
            assert message.room is not None
            room = session.chat.room(message.room)
            room.publish(message, to=[member for member in room.members if member.memo.get("place") == "here"])

    chat = Chat([Nearby()])
    ann, bob, carl = (chat.session(name) for name in ("ann", "bob", "carl"))
    ann.memo["place"] = bob.memo["place"] = "here"

    assert ann.say("hello")

    assert bob.next(Message, timeout=0).text == "hello"
    assert list(carl.events(timeout=0)) == []
    assert [len(session.history()) for session in (bob, carl)] == [1, 0]
    assert chat.default_room.history() == []


# History


def test_history_replays_the_last_20_messages_to_who_wants_them() -> None:
    """Messages only, oldest first, and nothing of it twice."""
    chat = Chat([JoinLeaveNotices(), History(), Broadcast()])
    ann = chat.session("ann")
    for number in range(25):
        ann.say(f"m{number}")

    assert newcomer(chat, "bob") == [("lobby", [f"m{number}" for number in range(5, 25)])]
    assert newcomer(chat, "carl", wants=False) == []


def test_how_many_messages_are_replayed_can_be_chosen() -> None:
    """By the handler's argument or by the limit; none is nothing."""
    for handler, limits, count in [
        (History(3), Limits(), 3),
        (History(), Limits(replay_messages=2), 2),
        (History(0), Limits(), 0),
    ]:
        chat = Chat([handler, Broadcast()], limits=limits)
        ann = chat.session("ann")
        for number in range(5):
            ann.say(f"m{number}")

        expected = [("lobby", [f"m{number}" for number in range(5 - count, 5)])] if count else []
        assert newcomer(chat, "bob") == expected


def test_an_empty_history_is_not_replayed() -> None:
    """Joins and leaves are no messages."""
    chat = Chat([JoinLeaveNotices(), History(), Broadcast()])
    chat.session("ann").close()

    assert newcomer(chat, "bob") == []


def test_what_is_said_while_the_hooks_of_a_join_run_is_not_replayed() -> None:
    """The replay ends where the join is; what follows is heard live, so nothing comes twice."""

    class Meanwhile(Handler):
        def on_join(self, session: Session, room: Room) -> None:
            if session.nickname == "bob":
                ann.say("meanwhile")

    chat = Chat([Meanwhile(), History(), Broadcast()])
    ann = chat.session("ann")
    ann.say("before")

    assert newcomer(chat, "bob") == [("lobby", ["before"])]
    bob = chat.find("bob")
    assert isinstance(bob, LocalSession)
    assert [event.text for event in bob.events(timeout=0) if isinstance(event, Message)] == ["meanwhile"]


def test_a_replay_never_cuts_off_whoever_joins() -> None:
    """However many messages are wanted and however long they are: the newest that a send queue takes."""
    chat = Chat([History(500), Broadcast()])
    ann = chat.session("ann")
    for number in range(200):
        ann.say(f"{number} ".ljust(4096, "x"))

    ((_, texts),) = newcomer(chat, "bob")

    assert texts[-1].startswith("199 ")
    assert 4096 < sum(map(len, texts)) < chat.limits.send_queue_bytes // 2
