"""How much a session is brought that comes back, and where; the rest is announced as a gap."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from recorder import Recorder, enter, make_chat

from pychat import Chat, Handler, Limits, Room, Session
from pychat.core.rooms import behind
from pychat.handlers import Broadcast, History, JoinLeaveNotices
from pychat.model.errors import Busy, NotReadable, Refused
from pychat.model.events import Joined, Message
from pychat.model.queries import ReadHistory
from pychat.model.replies import Gap, HistoryPage, Members, Replay
from pychat.model.verbs import Direct, Hello, Join, Say

LIMITS = Limits(history_events=100_000, history_chars=100_000_000)


def lose(chat: Chat, session: Recorder) -> str:
    """Break a connection; return the token."""
    assert session.token is not None
    session.resumable = True
    chat.close(session, "lost", lost=True)
    return session.token


def come_back(chat: Chat, *rooms: str, token: str | None = None, after: int, replay: bool = False) -> Recorder:
    """Say hello with a place; what came of it is in `items`."""
    session = Recorder(chat)
    session.resumable = True
    chat.open(session)
    chat.perform(session, [Hello("ann", rooms or None, replay, token, after)])
    return session


def texts(session: Recorder) -> list[str]:
    """What was said, as it was heard."""
    return [item.text for item in session.items if isinstance(item, Message)]


def gaps(session: Recorder) -> list[tuple[str, int]]:
    """Where something is missing."""
    return [(item.room, item.after) for item in session.items if isinstance(item, Gap)]


def test_amplification_by_resume_a_place_without_a_token_brings_a_page() -> None:
    """Threat of that name: one line of a stranger brings as much as one request for history, then a gap."""
    chat = make_chat(limits=LIMITS)
    bob = enter(chat, "bob")
    bob.do(*[Say(f"{number}") for number in range(20_000)])

    ann = come_back(chat, after=1)

    heard = texts(ann)
    assert 0 < len(heard) <= 500
    assert heard == [str(number) for number in range(len(heard))]
    last = max(item.id for item in ann.items if isinstance(item, Message))
    assert gaps(ann) == [("lobby", 1), ("lobby", last)]
    bob.do(Say("now"))
    assert texts(ann)[-1] == "now"
    ann.take()
    (page,) = ann.do(ReadHistory("lobby", after=last, ref=1))
    assert isinstance(page, HistoryPage)
    assert page.events[0].text == str(len(heard))  # type: ignore[union-attr]  # a message


def test_amplification_by_resume_a_worthless_token_brings_a_page() -> None:
    """Threat of that name: any other token is none."""
    chat = make_chat(limits=LIMITS)
    enter(chat, "bob").do(*[Say(f"{number}") for number in range(2000)])

    ann = come_back(chat, token="guessed", after=1)

    assert 0 < len(texts(ann)) <= 500
    assert len(gaps(ann)) == 2


def test_who_was_away_for_a_little_gets_everything_without_a_token() -> None:
    """As long as it is a page: a program that kept only its place, or was away for longer than tokens are kept."""
    chat = make_chat(limits=LIMITS)
    bob = enter(chat, "bob")
    after = chat.log.last_id()
    bob.do(*[Say(f"{number}") for number in range(300)])

    ann = come_back(chat, after=after)

    assert texts(ann) == [str(number) for number in range(300)]
    assert gaps(ann) == []


def test_who_was_away_from_a_busy_room_for_30_seconds_gets_everything() -> None:
    """Sixty people who talk as fast as flood control lets them say 4,200 messages, or some more."""
    chat = make_chat(limits=LIMITS)
    bob, ann = enter(chat, "bob"), enter(chat, "ann")
    after, token = chat.log.last_id(), lose(chat, ann)
    bob.do(*[Say(f"{number} {'x' * 500}") for number in range(60 * 80)])

    back = come_back(chat, token=token, after=after)

    assert [text.split()[0] for text in texts(back)] == [str(number) for number in range(60 * 80)]
    assert gaps(back) == []


def test_what_is_too_much_is_a_gap_behind_what_was_brought() -> None:
    """Also with a token there is an end; the gap begins where that is, and what is said now comes behind it."""
    chat = make_chat(limits=LIMITS)
    bob, ann = enter(chat, "bob", "lobby", "ops"), enter(chat, "ann", "lobby", "ops")
    after, token = chat.log.last_id(), lose(chat, ann)
    bob.do(*[Say(f"{number} {'x' * 4000}") for number in range(2000)])

    back = come_back(chat, token=token, after=after)

    heard = texts(back)
    assert behind.MOST_PAGES * 10 < len(heard) < 2000
    last = max(item.id for item in back.items if isinstance(item, Message))
    assert gaps(back) == [("ops", last)]  # "lobby" was quiet
    bob.do(Say("now", "ops"), Say("here, too", "lobby"))
    assert texts(back)[-2:] == ["now", "here, too"]
    assert back.behind is None


def test_who_comes_back_pays_for_what_it_is_brought() -> None:
    """Before its next verb it waits for what it has cost."""
    chat = make_chat(limits=LIMITS)
    bob, ann = enter(chat, "bob"), enter(chat, "ann")
    after, token = chat.log.last_id(), lose(chat, ann)
    bob.do(*[Say(f"{number} {'x' * 1000}") for number in range(4000)])

    assert come_back(chat, token=token, after=after).owes > 0


@pytest.mark.parametrize("error", [Busy(), NotReadable("it is damaged")])
def test_what_is_missed_is_read_in_turn(monkeypatch: pytest.MonkeyPatch, error: Refused) -> None:
    """By those who read for questions, where addresses take turns; if that is too much for them, there is a gap."""
    chat = make_chat(limits=LIMITS)
    bob, ann = enter(chat, "bob"), enter(chat, "ann")
    after, token = chat.log.last_id(), lose(chat, ann)
    bob.do(*[Say(f"{number}") for number in range(600)])
    turns: list[object] = []

    def run(address: object, function: Callable[[], Any]) -> Any:
        turns.append(address)
        if len(turns) == 2:
            raise error
        return function()

    monkeypatch.setattr(chat.log, "run_slow", run)
    back = come_back(chat, token=token, after=after)

    assert texts(back) == [str(number) for number in range(600)]
    assert turns == [None]
    again = come_back(chat, token=lose(chat, back), after=after)
    assert (texts(again), gaps(again)) == ([], [("lobby", after)])


def test_nothing_is_brought_behind_a_goodbye(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is put out while it catches up, by the end of the server, say, hears no more."""
    chat = make_chat(limits=LIMITS)
    bob, ann = enter(chat, "bob"), enter(chat, "ann")
    after, token = chat.log.last_id(), lose(chat, ann)
    bob.do(*[Say(f"{number}") for number in range(1200)])
    turns = count()

    def run(address: object, function: Callable[[], Any]) -> Any:
        back = chat.find("ann")
        if next(turns) == 1 and back is not None:
            chat.begin_disconnect(back, "over")
        return function()

    monkeypatch.setattr(chat.log, "run_slow", run)

    heard = texts(come_back(chat, token=token, after=after))
    assert 0 < len(heard) <= 500
    assert heard == [str(number) for number in range(len(heard))]


@pytest.mark.parametrize("missed", [510, 1000, 1010])
def test_what_is_said_while_a_page_is_read_comes_once(monkeypatch: pytest.MonkeyPatch, missed: int) -> None:
    """Whoever waits for a turn to read hears it in its place, whatever is said meanwhile."""
    chat = make_chat(limits=LIMITS)
    bob, ann = enter(chat, "bob"), enter(chat, "ann")
    after, token = chat.log.last_id(), lose(chat, ann)
    bob.do(*[Say(f"{number}") for number in range(missed)])
    said = count(missed)

    def run(address: object, function: Callable[[], Any]) -> Any:
        bob.do(*[Say(f"{next(said)}") for _ in range(100)])
        return function()

    monkeypatch.setattr(chat.log, "run_slow", run)
    back = come_back(chat, token=token, after=after)

    assert texts(back) == [str(number) for number in range(next(said))]


def test_a_room_that_the_token_does_not_stand_for_is_joined_like_any_other() -> None:
    """One gets its last messages, if one wants them; that there is more behind the place is said."""
    chat = Chat([JoinLeaveNotices(), History(), Broadcast()], limits=LIMITS)
    bob, ann = enter(chat, "bob", "lobby", "ops", "quiet"), enter(chat, "ann")
    after, token = chat.log.last_id(), lose(chat, ann)
    bob.do(Say("in lobby", "lobby"), Say("in ops", "ops"))

    back = come_back(chat, "ops", "lobby", "quiet", token=token, after=after, replay=True)

    assert texts(back) == ["in lobby"]
    assert gaps(back) == [("ops", after)]
    assert [item.room for item in back.items if isinstance(item, Replay)] == ["ops"]
    assert {item.place for item in back.items if isinstance(item, Members)} == {after}


def test_what_happens_to_a_session_alone_while_it_is_behind_has_no_id() -> None:
    """So no client takes it for its place; when everything has come, direct messages have ids as ever."""

    class Written(Recorder):
        def drained(self, timeout: float) -> bool:
            bob.do(Direct("psst", "ann"))
            return True

    chat = make_chat(limits=LIMITS)
    bob, ann = enter(chat, "bob"), enter(chat, "ann")
    after, token = chat.log.last_id(), lose(chat, ann)
    bob.do(*[Say("x") for _ in range(600)])
    back = Written(chat)
    back.resumable = True
    chat.open(back)

    items = back.do(Hello("ann", None, False, token, after))
    bob.do(Direct("psst", "ann"))

    direct = [item.id for item in items if isinstance(item, Message) and item.to is not None]
    assert direct == [0]
    (late,) = back.take()
    assert late.id == chat.log.last_id()


@pytest.mark.parametrize(("resumable", "order"), [(True, ["in ops", "in lobby"]), (False, ["in lobby", "in ops"])])
def test_who_may_come_back_hears_all_rooms_in_the_order_of_ids_also_while_it_joins_one(
    resumable: bool, order: list[str]
) -> None:
    """Others hear at once what the rooms say in which they are, whatever takes its time in the new one."""

    class Talks(Handler):
        def on_join(self, session: Session, room: Room) -> None:
            if session is ann:
                bob.do(Say("in ops", "ops"), Say("in lobby", "lobby"))

    chat = make_chat(Talks(), limits=LIMITS)
    bob, ann = enter(chat, "bob", "lobby", "ops"), enter(chat, "ann")
    ann.resumable = resumable

    heard = [item.text for item in ann.do(Join("ops")) if isinstance(item, Message)]
    bob.do(Say("live", "lobby"))

    assert heard == order
    assert texts(ann) == ["live"]


def test_a_join_answers_with_the_place_of_the_session() -> None:
    """Whoever hears nothing else before the connection is lost goes on from there."""
    chat = make_chat(limits=LIMITS)
    bob, ann = enter(chat, "bob"), enter(chat, "ann")
    bob.do(Say("heard"))

    (members,) = [item for item in ann.do(Join("ops")) if isinstance(item, Members)]

    assert members.place == chat.log.last_id()
    assert isinstance(chat.log.read_before("ops", None, 1).events[0], Joined)
