"""A room waits for members that lost the connection: until they are back, or nobody is expected any more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from churn import DueAlarms
from remote import Remote, come, no_alarm_is_left, open_chat

from pychat.core.chat import Chat
from pychat.core.log.log import MemoryLog
from pychat.core.rooms.room import Room
from pychat.model.events import Message
from pychat.model.modes import parse
from pychat.model.replies import Failure
from pychat.model.verbs import Hello, Join, Leave, Quit, Say, SetModes
from pychat.testing import FakeClock
from pychat.testing.waiting import wait_until

__all__ = ["no_alarm_is_left"]

SECONDS = 30.0
"""`Limits.resume_seconds`."""


@pytest.fixture
def clock() -> FakeClock:
    """Stands still."""
    return FakeClock()


@pytest.fixture
def chat(clock: FakeClock) -> Iterator[Chat]:
    """A chat by that clock."""
    opened = open_chat(clock=clock)
    yield opened
    opened.alarms.stop()


def arrive(chat: Chat, nickname: str, *, token: str | None = None, **hello: Any) -> Remote:
    """Let somebody in whose nickname is kept over a lost connection."""
    session = come(chat)
    session.resumable = True
    chat.perform(session, [Hello(nickname, token=token, **hello)])
    assert session.nickname == nickname
    session.take()
    return session


def lose(chat: Chat, *sessions: Remote, reason: str = "connection closed") -> None:
    """Their connections break."""
    for session in sessions:
        chat.close(session, reason, lost=True)


def failure(items: list[Any]) -> tuple[str, str]:
    """The code and the text of the only item, a refusal."""
    (item,) = items
    assert isinstance(item, Failure)
    return item.code, item.text


def private(chat: Chat) -> tuple[Remote, Room]:
    """Somebody in a room with a key, with unread messages."""
    ann = arrive(chat, "ann", rooms=("den",))
    ann.do(SetModes(tuple(parse("+k", ("sesame",)))), Say("secret"))
    return ann, ann.rooms["den"]


def is_abandoned(chat: Chat, room: Room) -> bool:
    """Whether nobody is awaited there any more, and all that goes with that is done."""
    with chat.order.lock:
        return not room.state.waits_until


def said(chat: Chat) -> list[str]:
    """What the record of the room has."""
    return [event.text for event in chat.log.read_after(("den",), 0).events if isinstance(event, Message)]


@pytest.mark.parametrize("reason", ["connection closed", "too slow: 262144 bytes were waiting"])
def test_a_private_room_stays_private_while_its_members_are_away(chat: Chat, reason: str) -> None:
    """Whyever the connection was lost; who comes back is its operator and finds what was said."""
    ann, room = private(chat)
    lose(chat, ann, reason=reason)

    eve = arrive(chat, "eve")
    assert failure(eve.do(Join("den"))) == ("bad_key", "room 'den' requires a key; it is missing or wrong")
    back = arrive(chat, "ann", token=ann.token)
    assert back.rooms == {"den": room}
    assert (room.state.join_key, room.state.roles) == ("sesame", {ann.identity: "o"})
    assert said(chat) == ["secret"]


def test_who_comes_first_into_an_awaited_room_is_not_its_operator(chat: Chat) -> None:
    """Nor when they know the key, nor when they leave and come again."""
    ann, room = private(chat)
    lose(chat, ann)

    eve = arrive(chat, "eve")
    eve.do(Join("den", key="sesame"), Leave("den"), Join("den", key="sesame"))

    assert room.state.roles == {ann.identity: "o"}
    assert said(chat) == ["secret"]
    back = arrive(chat, "ann", token=ann.token)
    assert [member.nickname for member in room.members] == ["eve", "ann"]
    assert room.state.roles == {back.identity: "o"}


def test_the_room_waits_also_if_the_last_member_leaves_by_itself(chat: Chat) -> None:
    """Because another one is expected still."""
    ann, room = private(chat)
    bob = arrive(chat, "bob")
    bob.do(Join("den", key="sesame"))
    lose(chat, ann)
    bob.do(Quit())

    assert failure(arrive(chat, "eve").do(Join("den")))[0] == "bad_key"
    assert room.state.roles == {ann.identity: "o"}


def test_when_nobody_comes_back_the_room_is_abandoned(chat: Chat, clock: FakeClock) -> None:
    """By itself, with all that was private; who comes then makes it anew."""
    ann, room = private(chat)
    lose(chat, ann)
    clock.wait_for_waiters()
    clock.advance(SECONDS - 1)
    assert room.state.awaits(clock.monotonic())
    clock.wait_for_waiters()
    clock.advance(1)
    wait_until(lambda: is_abandoned(chat, room), "the room is abandoned")

    assert (room.state.join_key, said(chat)) == (None, [])
    eve = arrive(chat, "eve", rooms=("den",))
    assert eve.rooms["den"].state.roles == {eve.identity: "o"}


def test_a_second_loss_begins_the_wait_anew(chat: Chat, clock: FakeClock) -> None:
    """The alarm of the first one finds that somebody is expected again."""
    ann, room = private(chat)
    lose(chat, ann)
    clock.wait_for_waiters()
    clock.advance(SECONDS / 2)
    again = arrive(chat, "ann", token=ann.token, rooms=("den",))
    lose(chat, again)
    clock.wait_for_waiters()
    clock.advance(SECONDS / 2 + 1)
    clock.wait_for_waiters()

    assert failure(arrive(chat, "eve").do(Join("den")))[0] == "bad_key"
    assert arrive(chat, "ann", token=again.token, rooms=("den",)).rooms["den"] is room


def test_a_room_whose_members_cannot_come_back_is_abandoned_at_once(chat: Chat) -> None:
    """Those who leave, and those without a token."""
    ann, room = private(chat)
    ann.do(Leave("den"))
    assert (room.state.join_key, said(chat)) == (None, [])


def test_rooms_of_members_that_were_put_out_are_not_awaited(chat: Chat) -> None:
    """Nothing is kept for those whom the server does not want."""
    ann, room = private(chat)
    ann.must_not_return = True
    lose(chat, ann)
    assert room.state.join_key is None


def test_no_time_to_come_back_is_no_wait() -> None:
    """With `resume_seconds` 0."""
    chat = open_chat(resume_seconds=0.0, log=MemoryLog())
    ann, room = private(chat)
    lose(chat, ann)
    assert (room.state.join_key, room.state.waits_until) == (None, 0.0)


def test_whoever_is_lost_again_and_again_leaves_no_more_to_do(chat: Chat, clock: FakeClock) -> None:
    """One check of the room is scheduled, which schedules the next one."""
    chat.alarms = alarms = DueAlarms(clock)  # type: ignore[assignment]
    ann = arrive(chat, "ann", rooms=("den",))
    for _ in range(100):
        lose(chat, ann)
        clock.advance(SECONDS - 1)
        alarms.run()
        ann = arrive(chat, "ann", token=ann.token)
        assert list(ann.rooms) == ["den"]

    lose(chat, ann)
    assert len(alarms) <= 4  # also for the nickname
    clock.advance(SECONDS)
    alarms.run()
    assert (len(alarms), [room.name for room in chat.rooms()]) == (0, ["lobby"])
