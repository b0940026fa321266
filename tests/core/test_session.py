"""`LocalSession`: a participant inside this process, its inbox and its verbs."""

from __future__ import annotations

import threading

import pytest
from chat_clients import DEADLINE, pychat_threads, wait_until
from recorder import make_chat, member

from pychat import Chat, Handler, Joined, LocalSession, Message, Refused, Session
from pychat.core.delivery import Entry
from pychat.core.log.log import MemoryLog
from pychat.model.errors import AckTimeout, LimitExceeded, LocalProtocolError
from pychat.model.events import Disconnected


def test_verbs_return_what_they_were_answered() -> None:
    """One method per verb; what was asked for is returned, not waited for as an event."""
    chat = make_chat()
    ann, bob = chat.session("ann", ["lobby", "ops"]), chat.session("bob")

    number = ann.say("hello", "lobby")
    assert bob.next(Message, timeout=DEADLINE).id == number
    assert ann.join("lobby") == (member("ann"), member("bob"))
    assert ann.members() == ann.join("LOBBY")
    assert [(room.name, room.members) for room in ann.list_rooms()] == [("lobby", 2), ("ops", 1)]
    assert [type(event) for event in ann.history(limit=2)] == [Joined, Message]
    assert ann.direct("bob", "psst", action=True) == bob.next(Message, timeout=DEADLINE).id
    ann.set_nickname("anna")
    ann.set_away("lunch")
    ann.set_topic("tea")
    ann.leave("ops", "done")
    assert (ann.nickname, ann.away, list(ann.rooms), chat.default_room.topic) == ("anna", "lunch", ["lobby"], "tea")


def test_a_refused_verb_raises_with_reason_and_code() -> None:
    """As `Refused`, whatever the chat's own error was."""
    chat = make_chat()
    ann = chat.session("ann")

    with pytest.raises(Refused, match="you are not in room 'ops'; join it first") as caught:
        ann.say("hello", "ops")

    assert caught.value.code == "not_a_member"


def test_a_refused_nickname_leaves_no_session() -> None:
    """The handlers hear that it is gone."""
    heard: list[str] = []

    class Listens(Handler):
        def on_disconnect(self, session: Session, reason: str) -> None:
            heard.append(reason)

    chat = make_chat(Listens())
    chat.session("ann")

    with pytest.raises(Refused, match="nickname 'ANN' is in use; choose another"):
        chat.session("ANN")

    assert heard == ["not admitted"]
    assert len(chat.sessions()) == 1


def test_next_takes_what_comes_before_and_gives_up_in_time() -> None:
    """A time limit that is over is a `TimeoutError` that says what was waited for."""
    chat = make_chat()
    ann, bob = chat.session("ann"), chat.session("bob")
    bob.say("hello")

    assert ann.next(Message, timeout=DEADLINE).text == "hello"
    with pytest.raises(TimeoutError, match="no Joined within 0 s"):
        ann.next(Joined, timeout=0)


def test_next_wakes_when_something_comes() -> None:
    """From another thread."""
    chat = make_chat()
    ann, bob = chat.session("ann"), chat.session("bob")
    heard: list[str] = []
    thread = threading.Thread(target=lambda: heard.append(ann.next(Message, timeout=DEADLINE).text))
    thread.start()

    bob.say("hello")
    thread.join(DEADLINE)

    assert heard == ["hello"]


def test_events_until_nothing_comes_or_it_is_over() -> None:
    """What is in the inbox can be taken after the end."""
    chat = make_chat()
    ann, bob = chat.session("ann"), chat.session("bob")
    bob.say("one")
    bob.say("two")

    assert [type(event) for event in ann.events(timeout=0)] == [Joined, Message, Message]
    bob.close("tired")
    ann.close()

    (event,) = ann.events()
    assert isinstance(event, Disconnected)
    assert event.reason == "tired"
    with pytest.raises(LocalProtocolError, match="the session is closed"):
        ann.next(Message)
    with pytest.raises(LocalProtocolError, match="the session is closed"):
        ann.say("x")
    ann.close()


def test_who_does_not_take_its_events_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The inbox is bounded, like the queue of a member behind a socket."""
    monkeypatch.setattr(LocalSession, "INBOX_EVENTS", 5)
    chat = make_chat()
    ann, bob = chat.session("ann"), chat.session("bob")

    for number in range(10):
        bob.say(str(number))

    assert bob.next(Disconnected, timeout=DEADLINE).reason == "too slow: 5 events were waiting"
    wait_until(lambda: ann.closed and not pychat_threads(), "ann is out")


def test_a_kick_does_not_wait_for_hooks() -> None:
    """It may be called under any lock: the hooks run on another thread."""
    go_on = threading.Event()

    class Slow(Handler):
        def on_disconnect(self, session: Session, reason: str) -> None:
            go_on.wait(DEADLINE)

    chat = make_chat(Slow())
    ann, bob = chat.session("ann"), chat.session("bob")

    bob.disconnect("out")
    go_on.set()

    assert ann.next(Disconnected, timeout=DEADLINE).reason == "out"
    wait_until(lambda: not pychat_threads(), "the thread has ended")


def test_a_log_that_does_not_accept_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller learns that it may be accepted yet."""

    class Stuck(MemoryLog):
        stuck = False

        def append(self, entry: Entry) -> None:
            if not self.stuck:
                super().append(entry)

    log = Stuck()
    chat = Chat(log=log)
    ann = chat.session("ann")
    log.stuck = True
    monkeypatch.setattr(LocalSession, "ANSWER_SECONDS", 0.01)

    with pytest.raises(
        AckTimeout, match=r"^no answer from the server for 0\.01 s; the message may or may not have been accepted$"
    ):
        ann.say("hello")


def test_verbs_of_one_session_from_many_threads() -> None:
    """Each thread gets its own answer."""
    chat = make_chat()
    ann = chat.session("ann")
    ids: list[int | None] = []

    def talk() -> None:
        for _ in range(50):
            ids.append(ann.say("x"))

    threads = [threading.Thread(target=talk) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)

    assert None not in ids
    assert len(set(ids)) == 400


def test_repr_names_the_person() -> None:
    """As logs show it."""
    ann = make_chat().session("ann")

    assert repr(ann) == f"<LocalSession {ann.identity} 'ann'>"


def test_close_ends_the_session_or_says_why_not() -> None:
    """It is no verb that a handler could refuse; a reason that is too long is an error of the program."""

    class NoWayOut(Handler):
        def before_verb(self, session: Session, verb: object) -> None:
            if session.nickname is not None:
                raise Refused("stay")

    ann = make_chat(NoWayOut()).session("ann")

    with pytest.raises(LimitExceeded, match="reason: at most 390 characters"):
        ann.close("x" * 391)
    assert not ann.closed
    ann.close("x" * 390)
    assert ann.closed
