"""Who was put out is silent at once, whatever was going on for that session."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from chat_clients import DEADLINE
from recorder import Recorder, enter, make_chat
from remote import come, no_alarm_is_left, open_chat

from pychat import Handler, Message, Session
from pychat.core.accounts.base import Accounts
from pychat.handlers import Broadcast, FloodControl, JoinLeaveNotices
from pychat.model.events import Disconnected, Event
from pychat.model.modes import parse
from pychat.model.replies import Failure
from pychat.model.server_ban import AddServerBan, RemoveServerBan
from pychat.model.verbs import (
    Announce,
    Ban,
    BecomeOperator,
    Direct,
    Hello,
    Invite,
    Join,
    Kick,
    Kill,
    Leave,
    LogIn,
    Quit,
    Register,
    Say,
    SayAll,
    SendWallops,
    SetAway,
    SetIgnored,
    SetModes,
    SetNickname,
    SetRealname,
    SetTopic,
    SetUserModes,
    Tag,
    Unban,
    Verb,
    Watch,
)
from pychat.testing import FakeClock, MakeChat

__all__ = ["no_alarm_is_left"]


class PutsOut(Handler):
    """Put a session out while one of its hooks runs, as an operator may while a hook takes its time."""

    at: str | None = ""
    """The nickname of the session to put out; nobody's at first."""
    act: Callable[[Session], Any]

    def put_out(self, session: Session, *args: Any) -> Any:
        """Act once; return what the hook has to."""
        if session.nickname == self.at:
            self.at = ""
            self.act(session)
        return args[-1] if args else None


def puts_out(hook: str, act: Callable[[Session], Any] = lambda session: session.disconnect("spam")) -> PutsOut:
    """A handler that does it in the hook of this name."""
    made: PutsOut = type("PutsOut", (PutsOut,), {hook: PutsOut.put_out, "act": staticmethod(act)})()
    return made


HOOKS: dict[str, tuple[Verb, ...]] = {
    "before_verb": (
        Say("BUY"),
        Direct("BUY", "ann"),
        Tag("+BUY", "lobby"),
        SetTopic("BUY"),
        SetNickname("BUY"),
        SetAway("BUY"),
        SetRealname("BUY"),
        Join("buy"),
        Leave(None, "BUY"),
        Quit("BUY"),
        Invite("ann", "ops"),
        Kick("ann", "ops", "BUY"),
        SetModes(tuple(parse("+b", ["BUY"])), "ops"),
    ),
    "before_message": (Say("BUY"), Say("BUY", action=True), Direct("BUY", "ann"), SayAll(["BUY", "BUY"])),
    "on_message": (Say("BUY"), Direct("BUY", "ann"), SayAll(["BUY", "BUY"])),
    "before_topic": (SetTopic("BUY"),),
    "before_join": (Join("buy"),),
    "before_nick": (SetNickname("BUY"),),
}


@pytest.mark.parametrize(
    ("hook", "verb"), [pytest.param(hook, verb, id=f"{hook} {verb!r}") for hook in HOOKS for verb in HOOKS[hook]]
)
def test_nothing_is_accepted_of_one_who_is_put_out_in_a_hook(hook: str, verb: Verb) -> None:
    """The others hear only that it is gone, and why; what comes in the same chunk is not performed either."""
    handler = puts_out(hook)
    chat = make_chat(first=[handler])
    bob, ann = enter(chat, "bob", "lobby", "ops"), enter(chat, "ann", "lobby", "ops")
    bob.take(), ann.take()
    handler.at = "bob"

    answers = bob.do(verb, Say("BUY more"), SetTopic("BUY more"))

    assert (answers, ann.take()) == ([], [])
    assert (chat.default_room.topic, ann.nickname, chat.find("bob"), chat.find_room("buy")) == ("", "ann", bob, None)
    assert [type(event) for event in chat.default_room.history() if isinstance(event, Message)] == []
    chat.close(bob, "connection closed")
    (gone,) = ann.take()
    assert (type(gone), gone.reason) == (Disconnected, "spam")


@pytest.mark.parametrize(
    "verb",
    [
        SetAway("BUY"),
        SetRealname("BUY"),
        SetUserModes(tuple(parse("+i", []))),
        SetTopic("BUY"),
        SetNickname("BUY"),
        SetIgnored(("ann",)),
        Watch(("ann",)),
        Invite("ann", "ops"),
        Kick("ann", "lobby"),
        SetModes(tuple(parse("+m", []))),
        Ban("ann", "lobby"),
        Unban("eve", "lobby"),
        SendWallops("BUY"),
        Announce("BUY"),
        AddServerBan("192.0.2.1"),
        RemoveServerBan("192.0.2.9"),
        Join("buy"),
        Register("sesame12"),
    ],
    ids=repr,
)
def test_a_verb_that_has_begun_changes_nothing_any_more(verb: Verb) -> None:
    """Whatever it waits for: the order lock, a password that is hashed. It is asked again under the lock."""
    chat = open_chat()
    chat.operators.check = lambda name, password: True  # type: ignore[method-assign]  # no hashing
    bob, ann = enter(chat, "bob", "lobby", "ops"), enter(chat, "ann")
    bob.do(BecomeOperator("root", "x"), Ban("eve", "lobby"), AddServerBan("192.0.2.9"), Kick("ann", "lobby"))
    ann.do(Join("lobby"))
    bob.take(), ann.take()
    chat.order.change = put_out_before(chat.order.change, bob)  # type: ignore[method-assign]
    chat.propose = put_out_before(chat.propose, bob)

    answers = bob.do(verb)

    assert (answers, ann.take()) == ([], [])
    assert (bob.away, bob.account, bob.ignored, list(bob.rooms)) == (None, None, None, ["lobby", "ops"])
    assert (bob.nickname, "i" in bob.modes, len(chat.bans.current())) == ("bob", False, 1)
    assert chat.accounts.owner("bob") is None


def put_out_before(change: Callable[..., Any], session: Session) -> Any:
    """Return a function that takes the lock, before which the session is put out: the latest moment that matters."""

    def late(*args: Any, **more: Any) -> Any:
        session.disconnect("spam")
        return change(*args, **more)

    return late


def test_the_first_reason_stays() -> None:
    """Whatever else would have ended the session while it still has to be closed."""
    chat = make_chat()
    bob, ann = enter(chat, "bob"), enter(chat, "ann")

    bob.disconnect("killed by ann (spam)")
    bob.disconnect("you are banned from this server")
    bob.disconnect_self("flooding")

    assert [event.reason for event in ann.take()] == ["killed by ann (spam)"]


def test_a_pause_ends_when_its_session_is_put_out() -> None:
    """Others wait on; and who is put out already does not begin to wait."""
    clock = FakeClock()
    chat = make_chat(clock=clock)
    bob, ann = enter(chat, "bob"), enter(chat, "ann")

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(session.pause, 3600.0) for session in (bob, ann)]
        clock.wait_for_waiters(2)
        bob.disconnect("spam")
        both[0].result(DEADLINE)
        assert not both[1].done()
        clock.advance(3600.0)
        both[1].result(DEADLINE)
    bob.pause(3600.0)

    assert clock.waits == [3600.0, 3600.0]


def test_a_paste_ends_when_its_sender_is_killed(chat_server: MakeChat, clock: FakeClock) -> None:
    """Lines that flood control holds back are not said; the room hears why the sender is gone."""
    chat = chat_server(
        handlers=[FloodControl(), JoinLeaveNotices(), Broadcast()], clock=clock, operators={"root": "sesame12"}
    )
    ann = chat.join("ann")
    ann.ask(BecomeOperator("root", "sesame12"))
    spam = chat.connect()
    spam.send("spam\n" + "".join(f"line {number}\n" for number in range(18)))
    clock.wait_for_waiters()
    heard = {message.text for message in ann.received(Message)}

    ann.ask(Kill("spam", "enough"))

    assert ann.next(Disconnected).reason == "killed by ann (enough)"
    assert "line 0" in heard
    assert [message.text for message in ann.received(Message) if message.text not in heard] == []
    assert spam.read_until("goodbye")[-1] == "-- goodbye: killed by ann (enough)"


def test_who_comes_in_is_not_let_in_when_put_out_meanwhile() -> None:
    """Its nickname is free."""
    handler = puts_out("before_nick")
    chat = make_chat(first=[handler])
    ann = enter(chat, "ann")
    bob = Recorder(chat)
    chat.open(bob)
    handler.at = None  # the nickname of those who have none yet

    bob.do(Hello("bob", ("lobby", "ops")))

    assert (chat.find("bob"), bob.rooms, ann.take()) == (None, {}, [])


def test_who_is_put_out_while_coming_into_rooms_comes_into_no_more() -> None:
    """The hook of the first room has put it out."""
    handler = puts_out("on_join")
    chat = make_chat(handler)
    bob = Recorder(chat)
    chat.open(bob)
    handler.at = "bob"

    bob.do(Hello("bob", ("lobby", "ops")))

    assert (list(bob.rooms), chat.find_room("ops")) == (["lobby"], None)


def test_a_password_that_is_checked_logs_nobody_in_who_was_put_out_meanwhile() -> None:
    """Accounts of a program may take their time."""

    class Slow(Accounts):
        def check(self, name: str, password: str) -> str | None:
            bob.disconnect("spam")
            return name

    chat = open_chat(Slow())
    bob = come(chat, "bob")

    bob.do(LogIn("sesame12", "owner"))

    assert (bob.account, bob.closed) == (None, True)


SILENCINGS: dict[str, tuple[Verb, str]] = {
    "removed": (Kick("bob", "ops"), "not_a_member"),
    "banned": (Ban("bob", "ops"), "cannot_speak"),
    "muted": (Ban("bob", "ops", mute=True), "cannot_speak"),
    "moderated": (SetModes(tuple(parse("+m", [])), "ops"), "cannot_speak"),
}


@pytest.mark.parametrize("verb", [Say("BUY", "ops"), SayAll(["BUY", "BUY"], "ops"), SetTopic("BUY", "ops")], ids=repr)
@pytest.mark.parametrize("way", SILENCINGS)
def test_who_may_not_talk_any_more_does_not_say_what_waits_in_a_hook(way: str, verb: Verb) -> None:
    """It is asked again when the hook has returned; the sender is told."""
    silence, code = SILENCINGS[way]
    hook = "before_topic" if isinstance(verb, SetTopic) else "before_message"
    handler = puts_out(hook, lambda session: ann.do(silence))
    chat = make_chat(first=[handler])
    ann, bob = enter(chat, "ann", "ops"), enter(chat, "bob", "ops")
    handler.at = "bob"

    answers = bob.do(verb)

    assert {item.code for item in answers if isinstance(item, Failure)} == {code}
    room = chat.find_room("ops")
    assert room is not None
    heard: list[Event] = [event for event in room.history() if isinstance(event, Message)]
    assert (heard, room.topic) == ([], "")
