"""What programs publish and announce: cleaned or refused where it enters, and never lost without a word."""

from __future__ import annotations

from typing import Any

import pytest

from pychat import ChatServer, Handler, Kicked, Left, Message, ModesChanged, Notice, Refused, Session, TopicChanged
from pychat.handlers import Broadcast
from pychat.model.errors import LocalProtocolError
from pychat.testing import ChatHarness, MakeChat


def message(text: str = "hello", sender: str = "webbie", **more: Any) -> Message:
    """As a program makes one."""
    return Message(0, 0.0, "lobby", sender, text, **more)


@pytest.mark.parametrize("through_the_room", [True, False])
def test_text_that_a_program_publishes_is_cleaned(chat: ChatHarness, through_the_room: bool) -> None:
    """What a translation service returned may be anything."""
    ann = chat.session("ann")
    said = message("bad\x07 text\r\nPRIVMSG", formatted="\x02bad\r\n\x1b[2J", userhost="a\x07b")

    if through_the_room:
        chat.room().publish(said)
    else:
        chat.server.chat.publish(said)

    heard = ann.next(Message)
    assert (heard.sender, heard.text, heard.userhost) == ("webbie", "bad\ufffd text\nPRIVMSG", "a\ufffdb")


def test_other_events_are_cleaned_as_well(chat: ChatHarness) -> None:
    """Each field that holds text."""
    ann, room = chat.join("ann"), chat.room()

    room.publish(TopicChanged(0, 0.0, "lobby", "ann", "tea\r\nQUIT\x1b[2J"))
    room.publish(Kicked(0, 0.0, "lobby", "carl", "ann", "too\nloud\x07"))

    assert ann.next(TopicChanged).topic == "tea QUIT\ufffd[2J"
    assert ann.next(Kicked).reason == "too loud\ufffd"


@pytest.mark.parametrize(
    ("event", "error", "text"),
    [
        (
            message(sender="we bbie\r\nX"),
            LocalProtocolError,
            r"sender: nickname 'we bbie\\r\\nX': spaces are not allowed; ",
        ),
        (message(sender=""), LocalProtocolError, "sender: nickname '': it is empty; "),
        (message(sender=None), TypeError, "sender must be a string, not None"),  # type: ignore[arg-type]
        (message(text=5), TypeError, "text must be a string, not 5"),  # type: ignore[arg-type]
        (message(account=5), TypeError, "account must be a string or None, not 5"),
        (message(action="yes"), TypeError, "action must be True or False, not 'yes'"),
        (message(formatted=5), TypeError, "formatted must be a string or None, not 5"),
        (message(audience=[1]), TypeError, r"audience must be a frozenset or None, not \[1\]"),
        (Left(0, 0.0, "lobby", "ann", None), TypeError, "reason must be a string, not None"),  # type: ignore[arg-type]
        (ModesChanged(0, 0.0, "lobby", "ann", "+m"), TypeError, r"changes must be a tuple, not '\+m'"),  # type: ignore[arg-type]
        (message(role="king"), LocalProtocolError, "role 'king': use operator or voice"),
        (message(""), Refused, "the message is empty"),
        (message("x" * 4097), Refused, "message: at most 4096 bytes"),
        (message(tags="a b"), Refused, "message tags have no spaces and no control characters"),
        (Kicked(0, 0.0, "lobby", "carl", "an\nn"), LocalProtocolError, r"by: nickname 'an\\nn': "),
        ("hello", TypeError, r"publish an event, such as Message\(0, 0.0, 'lobby', 'ann', 'hello'\), not 'hello'"),
        (None, TypeError, r"publish an event, such as Message\(0, 0.0, 'lobby', 'ann', 'hello'\), not None"),
    ],
)
def test_what_cannot_be_published_is_told(chat: ChatHarness, event: Any, error: type[Exception], text: str) -> None:
    """And nobody hears of it."""
    ann, room = chat.join("ann"), chat.room()

    with pytest.raises(error, match=f"^{text}"):
        room.publish(event)

    assert ann.received(Message) == []


@pytest.mark.parametrize("text", [None, 5, b"bytes"])
def test_what_is_announced_must_be_a_string(chat: ChatHarness, text: Any) -> None:
    """The same for a notice to one alone."""
    session = chat.session("ann")

    with pytest.raises(TypeError, match=r"^text must be a string, not "):
        chat.room().announce(text)
    with pytest.raises(TypeError, match=r"^text must be a string, not "):
        session.notice(text)


class Changes(Handler):
    """Changes a field of each message."""

    def __init__(self, **fields: Any) -> None:
        self._fields = fields

    def before_message(self, session: Session, message: Message) -> Message:
        return message._replace(**self._fields)


def test_what_a_hook_makes_of_a_message_is_cleaned(chat_server: MakeChat) -> None:
    """Every field, as the text always was."""
    chat = chat_server(handlers=[Changes(formatted="\x1b[2J", text="a\x07"), Broadcast()])
    ann, bob = chat.join("ann"), chat.join("bob")

    ann.say("hello")

    assert bob.next(Message).text == "a\ufffd"


def test_what_a_hook_makes_of_a_message_and_cannot_be_is_its_failure(chat_server: MakeChat) -> None:
    """The person is told what is told always, and stays."""
    chat = chat_server(handlers=[Changes(sender="an\r\nn"), Broadcast()])
    ann = chat.join("ann")

    with pytest.raises(Refused, match=r"^internal error$"):
        ann.say("hello")

    assert "LocalProtocolError: sender: nickname 'an\\r\\nn'" in chat.errors.pop()
    assert ann.members()


def test_a_handler_that_publishes_something_else_is_checked(chat_server: MakeChat) -> None:
    """What it was given is clean already; a copy with another text is not."""

    class Translates(Handler):
        def on_message(self, session: Session, message: Message) -> None:
            session.chat.publish(message._replace(text=message.text + "\x07"))

    chat = chat_server(handlers=[Translates()])
    ann, bob = chat.join("ann"), chat.join("bob")

    ann.say("hello")

    assert bob.next(Message).text == "hello\ufffd"


@pytest.mark.parametrize("before", [True, False])
def test_what_is_published_under_another_name_is_acknowledged_with_its_id(chat_server: MakeChat, before: bool) -> None:
    """A chat without names: everybody heard it, and the one who said it was told that nobody did."""

    class Anonymous(Handler):
        def on_message(self, session: Session, message: Message) -> None:
            session.chat.publish(message._replace(sender="somebody"))

    chat = chat_server(handlers=[Changes(sender="somebody"), Broadcast()] if before else [Anonymous()])
    ann, bob = chat.join("ann"), chat.join("bob")

    said = ann.say("hello")

    assert bob.next(Message)[:5] == (said, ann.next(Message).time, "lobby", "somebody", "hello")


# Never lost without a word


def test_announce_after_stop_says_that_the_chat_has_ended() -> None:
    """Nobody is there any more who could hear it."""
    server = ChatServer(port=0).start()
    room = server.room("lobby")
    server.stop()

    with pytest.raises(LocalProtocolError, match=r"^the chat has ended; nothing can be published$"):
        room.announce("hello?")


def test_announce_in_a_room_that_was_removed_says_so(chat: ChatHarness) -> None:
    """The object is still there, the room is not; under its name there may be another one."""
    room = chat.room("ops")
    chat.server.chat.remove_room("ops")
    chat.join("ann", "ops")

    with pytest.raises(LocalProtocolError) as caught:
        room.announce("hello?")

    assert str(caught.value) == "room 'ops' was removed; server.room('ops') makes a new one"


def test_announce_before_start_is_kept() -> None:
    """There is a chat already; only nobody can connect yet."""
    with ChatServer(port=0) as server:
        server.room("lobby").announce("soon")
        ann = server.session("ann")
        server.room("lobby").announce("now")
        assert ann.next(Notice, 10).text == "now"
