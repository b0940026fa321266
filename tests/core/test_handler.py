"""The contract of handlers: checked when added, chains computed once, failures contained."""

from __future__ import annotations

import re
from typing import Any

import pytest
from recorder import enter, make_chat

from pychat import Chat, Handler, Message, Refused, Room, Session
from pychat.core.handler import check_handler
from pychat.core.hooks.chains import Chains, change_before, run_before, run_on
from pychat.handlers import Broadcast, Commands, FloodControl, History, JoinLeaveNotices, NicknameValidator
from pychat.model.errors import InternalFailure
from pychat.model.replies import Failure
from pychat.model.verbs import Say

ALL = [Broadcast, Commands, FloodControl, History, JoinLeaveNotices, NicknameValidator]


def make(name: str, value: Any) -> Handler:
    """A handler with this attribute."""
    handler: Handler = type("Mine", (Handler,), {name: value})()
    return handler


def test_a_misspelt_hook_is_an_error_that_knows_the_right_one() -> None:
    """Nothing is worse than a hook that is never called."""
    with pytest.raises(TypeError, match=r"^Mine\.before_mesage is not a hook; did you mean before_message\? \(hooks: "):
        check_handler(make("before_mesage", lambda self, session, message: message))


def test_a_hook_that_nothing_resembles() -> None:
    """Then there is no hint, but the list of hooks."""
    with pytest.raises(TypeError, match=r"^Mine\.on_xyzzy is not a hook \(hooks: before_connect, on_connect, "):
        check_handler(make("on_xyzzy", lambda self: None))


@pytest.mark.parametrize(
    "hook",
    [lambda self, session: None, lambda self, session, message, more: None, lambda self, *, session, message: None, 5],
)
def test_a_hook_with_other_parameters_is_an_error(hook: Any) -> None:
    """It says how it must be."""
    text = "Mine.on_message must take (self, session, message)"
    with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
        check_handler(make("on_message", hook))


def test_parameters_may_have_other_names_and_defaults() -> None:
    """They are passed by position."""
    assert check_handler(make("on_message", lambda self, who, what, more=None: None))
    assert check_handler(make("on_message", lambda self, *args: None))


@pytest.mark.parametrize("handler", [Broadcast, object(), None])
def test_what_is_no_handler_is_an_error(handler: object) -> None:
    """A class instead of an instance is the usual mistake."""
    with pytest.raises(
        TypeError, match=r"is not a handler: derive its class from pychat\.Handler and pass an instance$"
    ):
        Chat([handler])  # type: ignore[list-item]


def test_adding_a_wrong_handler_changes_nothing() -> None:
    """The chat goes on with those it had."""
    chat = make_chat()
    before = chat.handlers

    with pytest.raises(TypeError):
        chat.add_handler(make("on_mesage", lambda self, session, message: None))
    with pytest.raises(ValueError, match="this Broadcast is none of the handlers"):
        chat.add_handler(Broadcast(), before=Broadcast())

    assert chat.handlers == before


def test_a_chain_has_only_those_who_override_the_hook() -> None:
    """A handler that does not care about messages costs a message nothing."""
    broadcast, notices = Broadcast(), JoinLeaveNotices()
    chains = Chains([notices, broadcast])

    assert chains.on_message == (broadcast.on_message,)
    assert chains.on_disconnect == (notices.on_disconnect,)
    assert chains.before_message == ()
    assert not chains.message_waits


@pytest.mark.parametrize("kind", ALL)
def test_our_own_handlers_follow_the_contract(kind: type[Handler]) -> None:
    """And none of them waits where a batch of messages would be torn apart."""
    handler = check_handler(kind())
    assert not handler.waits


def test_a_handler_waits_unless_it_says_otherwise() -> None:
    """Whose hook may take its time does not hold up what was said before."""
    assert Chains([make("on_message", lambda self, session, message: None)]).message_waits
    assert Chains([make("before_verb", lambda self, session, verb: None)]).verb_waits
    assert not Chains([make("on_join", lambda self, session, room: None)]).message_waits


def test_run_before_lets_refusals_through_and_nothing_else() -> None:
    """The person hears the reason of a refusal, and no details of a failure."""

    def refuse(*args: object) -> Any:
        raise Refused("no shouting, please", code="loud")

    def fail() -> None:
        raise ValueError("a secret")

    with pytest.raises(Refused, match="no shouting, please"):
        run_before([refuse])
    with pytest.raises(InternalFailure, match="internal error"):
        run_before([fail])
    with pytest.raises(Refused, match="no shouting, please"):
        change_before([refuse], value="x")


def test_change_before_passes_the_value_on() -> None:
    """Each hook gets what the one before returned."""
    assert change_before([lambda value: value + "1", lambda value: value + "2"], value="x") == "x12"


def test_a_hook_that_forgets_to_return_is_an_internal_error(caplog: pytest.LogCaptureFixture) -> None:
    """The usual mistake: the log says what was returned."""
    forgets: Any = lambda value: None  # noqa: E731 -- wrongly typed on purpose

    with pytest.raises(InternalFailure):
        change_before([forgets], value="x")

    assert "TypeError: the hook returned None, not the str that it was given" in caplog.text


def test_run_on_runs_all_even_if_one_fails(caplog: pytest.LogCaptureFixture) -> None:
    """And tells in the end that one did."""
    ran: list[int] = []

    def fail() -> None:
        ran.append(1)
        raise ValueError("oh")

    with pytest.raises(InternalFailure):
        run_on([fail, lambda: ran.append(2)])

    assert ran == [1, 2]
    assert "ValueError: oh" in caplog.text


def test_hooks_run_in_the_order_of_handlers() -> None:
    """A connection from its begin to its end."""
    heard: list[str] = []

    class Writes(Handler):
        def __init__(self, name: str) -> None:
            self.name = name

        def before_connect(self, session: Session) -> None:
            heard.append(f"{self.name} before_connect")

        def on_connect(self, session: Session) -> None:
            heard.append(f"{self.name} on_connect")

        def before_nick(self, session: Session, nickname: str) -> str:
            heard.append(f"{self.name} before_nick {session.nickname} {nickname}")
            return nickname + self.name

        def on_nick(self, session: Session, old: str | None, new: str) -> None:
            heard.append(f"{self.name} on_nick {old} {new}")

        def before_join(self, session: Session, room: Room) -> None:
            heard.append(f"{self.name} before_join {room.name}")

        def on_join(self, session: Session, room: Room) -> None:
            heard.append(f"{self.name} on_join {session in room.members}")

        def on_leave(self, session: Session, room: Room, reason: str) -> None:
            heard.append(f"{self.name} on_leave {reason} {session.closed}")

        def on_disconnect(self, session: Session, reason: str) -> None:
            heard.append(f"{self.name} on_disconnect {reason} {session.nickname} {list(session.rooms)}")

    chat = Chat([Writes("1"), Writes("2")])
    chat.session("ann").close("tired")

    assert heard == [
        "1 before_connect",
        "2 before_connect",
        "1 on_connect",
        "2 on_connect",
        "1 before_nick None ann",
        "2 before_nick None ann1",
        "1 on_nick None ann12",
        "2 on_nick None ann12",
        "1 before_join lobby",
        "2 before_join lobby",
        "1 on_join True",
        "2 on_join True",
        "1 on_leave tired True",
        "2 on_leave tired True",
        "1 on_disconnect tired ann12 ['lobby']",
        "2 on_disconnect tired ann12 ['lobby']",
    ]


def test_a_handler_that_refuses_a_message() -> None:
    """The example of the documentation."""

    class NoShouting(Handler):
        def before_message(self, session: Session, message: Message) -> Message:
            if message.text.isupper():
                raise Refused("no shouting, please")
            return message

    chat = make_chat(first=[NoShouting()])
    ann, bob = enter(chat, "ann"), enter(chat, "bob")
    ann.take()

    assert ann.do(Say("HELLO", ref=1)) == [Failure(1, "refused", "no shouting, please", "lobby")]
    ann.do(Say("hello"))
    assert [message.text for message in bob.take()] == ["hello"]


def test_what_a_handler_remembers_of_a_session_is_gone_with_it() -> None:
    """`memo` is the session's own, under the handler's key."""

    class Counts(Handler):
        def on_message(self, session: Session, message: Message) -> None:
            session.memo[self] = session.memo.get(self, 0) + 1

    counts = Counts()
    chat = make_chat(counts)
    ann, bob = enter(chat, "ann"), enter(chat, "bob")
    ann.do(Say("x"), Say("x"))
    bob.do(Say("x"))

    assert (ann.memo[counts], bob.memo[counts]) == (2, 1)
