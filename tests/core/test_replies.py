"""A reply is for a person, and not for whoever has the nickname now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from chat_clients import Clients
from recorder import Recorder, enter, make_chat
from remote import come, open_chat

from pychat import Chat, Handler, Message, Session
from pychat.model.events import Notice, Renamed
from pychat.model.modes import parse
from pychat.model.replies import Failure, Ok
from pychat.model.server_ban import AddServerBan
from pychat.model.verbs import Ban, Direct, Invite, Kick, Kill, SetModes, SetNickname, Tag, Verb

LEFT = "'bob' has left; the person with this nickname now is somebody else"


def written() -> tuple[Chat, Recorder, Recorder, int]:
    """Bob has written to ann."""
    chat = make_chat()
    ann, bob = enter(chat, "ann"), enter(chat, "bob")
    bob.do(Direct("it is me", "ann"))
    (message,) = [item for item in ann.take() if isinstance(item, Message)]
    return chat, ann, bob, message.id


def heard(*sessions: Recorder) -> list[list[tuple[str | None, str]]]:
    """For whom it was and what it was, for each of them."""
    return [[(item.to, item.text) for item in who.take() if isinstance(item, Message)] for who in sessions]


def said(items: list[Any]) -> list[str]:
    """What the server said."""
    return [item.text for item in items if isinstance(item, Failure | Notice)]


@pytest.mark.parametrize("to", [None, "bob", "BOB"])
def test_a_reply_follows_who_took_another_nickname(to: str | None) -> None:
    """Whoever has the old one hears nothing, and the one who replies is told."""
    chat, ann, bob, id = written()
    bob.do(SetNickname("robert"))
    eve = enter(chat, "bob")

    answers = ann.do(Direct("the secret", to, reply_to=id))

    assert said(answers) == [f"{to or 'bob'} is now called robert"]
    assert heard(bob, eve) == [[("robert", "the secret")], []]


@pytest.mark.parametrize("to", [None, "bob"])
def test_a_reply_to_one_who_has_left_reaches_nobody(to: str | None) -> None:
    """Whether or not somebody else is called so."""
    chat, ann, bob, id = written()
    chat.close(bob, "quit")
    assert said(ann.do(Direct("the secret", to, reply_to=id))) == ["nobody here is called 'bob'"]
    eve = enter(chat, "bob")

    assert said(ann.do(Direct("the secret", to, reply_to=id))) == [LEFT]

    assert heard(eve) == [[]]


@pytest.mark.parametrize("to", [None, "bob"])
def test_a_reply_reaches_one_who_came_back(to: str | None) -> None:
    """By the old nickname after another one, or with the token."""
    chat = open_chat()
    ann, bob = enter(chat, "ann"), come(chat, "bob")
    bob.resumable = True
    bob.do(Direct("it is me", "ann"))
    (message,) = [item for item in ann.take() if isinstance(item, Message)]
    bob.do(SetNickname("robert"), SetNickname("bob"))
    assert said(ann.do(Direct("one", to, reply_to=message.id))) == []
    chat.close(bob, "connection closed", lost=True)
    again = come(chat, "bob", token=bob.token)

    assert said(ann.do(Direct("two", to, reply_to=message.id))) == []

    assert heard(bob, again) == [[("bob", "one")], [("bob", "two")]]


def test_a_name_without_a_reply_is_whoever_has_it() -> None:
    """That is what the sender has typed."""
    chat, ann, bob, _ = written()
    bob.do(SetNickname("robert"))
    eve = enter(chat, "bob")

    ann.do(Direct("hello", "bob"))

    assert heard(bob, eve) == [[], [("bob", "hello")]]


def test_a_message_that_waits_in_a_hook_is_for_the_one_it_was_written_to() -> None:
    """Though that one takes another nickname meanwhile, and somebody else the old one."""
    others: list[Recorder] = []

    class Slow(Handler):
        def before_message(self, session: Session, message: Message) -> Message:
            if message.text == "the secret":
                bob.do(SetNickname("robert"))
                others.append(enter(chat, "bob"))
            return message

    chat = make_chat(first=[Slow()])
    ann, bob = enter(chat, "ann"), enter(chat, "bob")

    ann.do(Direct("the secret", "bob"))

    assert heard(bob, *others) == [[("bob", "the secret")], []]


def test_reply_in_text_and_reply_to_in_json(clients: Clients, server: Any) -> None:
    """Eve has taken the nickname, and reads nothing."""
    started = server()
    ann, json = clients.text(started, "ann"), clients.json(started, "carl")
    bob = clients.text(started, "bob")
    bob.send("/msg ann it is me\n/msg carl it is me\n")
    ann.read_until("it is me")
    written = json.next("message")
    bob.send("/quit\n")
    ann.read_until("bob left")
    eve = clients.text(started, "bob")

    ann.send("/reply the secret\n")

    assert ann.read_until("has left")[-1] == f"! {LEFT}"
    json.ask("direct", to="bob", text="the secret", reply_to=written["id"])
    assert json.next("error")["text"] == LEFT
    json.ask("direct", to="bob", text="hello")
    assert "the secret" not in "\n".join(eve.read_until("hello"))


class LetsWait(Handler):
    """Let a verb of ann wait, as flood control does, and others act meanwhile."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        self.acts = acts

    def before_verb(self, session: Session, verb: Verb) -> None:
        """Wait for a moment that is over at once."""
        if session.nickname == "ann":
            acts, self.acts = self.acts, ()
            if acts:
                session.pause(0)
            for act in acts:
                act()


@pytest.mark.parametrize(
    "verb",
    [
        Direct("the secret", "bob"),
        Tag("+typing=active", to="bob"),
        Kick("bob", "lobby"),
        Invite("bob", "ops"),
        Ban("bob", "lobby"),
        SetModes(tuple(parse("+o", ["bob"])), "lobby"),
        Kill("bob"),
        AddServerBan("bob"),
    ],
)
def test_what_waits_is_for_the_one_who_had_the_nickname(verb: Verb) -> None:
    """Whoever takes it meanwhile is somebody else."""
    chat = make_chat()
    ann, bob = enter(chat, "ann", "lobby", "ops"), enter(chat, "bob", "lobby")
    eve = enter(chat, "eve", "lobby")
    with chat.order.lock:
        ann.person.modes = "o"
        chat.census.index_modes(ann)
    chat.add_handler(LetsWait(lambda: bob.do(SetNickname("robert")), lambda: eve.do(SetNickname("bob"))))

    answers = ann.do(verb)

    assert LEFT in [item.text for item in answers if isinstance(item, Failure)]
    assert [item for item in eve.take() if not isinstance(item, Renamed | Ok)] == []
    assert eve.is_here
