"""An answer that comes after somebody has stopped waiting for it is an answer all the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from chat_clients import DEADLINE
from test_terminal_hearing import Recorder

from pychat import ChatClient, ChatServer, Handler, LocalSession, Message, Refused, Session
from pychat.client import LateAnswer
from pychat.handlers import Broadcast
from pychat.model.errors import AckTimeout
from pychat.model.replies import Ok
from pychat.model.verbs import Say
from pychat.terminal.conversation import Conversation
from pychat.terminal.interfaces import Typed


class Gate(Handler):
    """Lets nobody say anything until it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()

    def before_message(self, session: Session, message: Message) -> Message:
        """Wait."""
        self.open.wait(DEADLINE)
        if message.text == "nonsense":
            raise Refused("no nonsense, please")
        return message


class Ann:
    """Somebody at a terminal who waits 0.2 s for answers."""

    def __init__(self, server: ChatServer) -> None:
        self.client = connect(server, "ann")
        self._news = threading.Event()
        self.screen = Recorder()
        self.conversation = Conversation(self.client, self.screen, self._news.set)
        self.conversation.start()
        self.see("-- you are in lobby: ann")

    def enter(self, text: str) -> Typed:
        """Type a line and Enter; it leaves the line."""
        self.screen.line = ""
        return self.conversation.enter(text)

    def see(self, line: str) -> None:
        """Wait for a line."""
        self.wait(lambda: line in self.screen.lines, line)

    def wait(self, holds: Callable[[], object], what: str) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + DEADLINE
        while not holds():
            assert self._news.wait(max(0.0, deadline - time.monotonic())), (what, self.screen.lines)
            self._news.clear()
            self.conversation.look()


@pytest.fixture
def gate() -> Iterator[Gate]:
    """What holds messages back; open at the end."""
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
def server(gate: Gate) -> Iterator[ChatServer]:
    """A server that hangs when somebody says something."""
    with ChatServer(port=0, handlers=[gate, Broadcast()]) as server:
        server.start()
        yield server


def connect(server: ChatServer, nick: str) -> ChatClient:
    """Come in, with all the time that it takes, and wait 0.2 s for answers from then on."""
    client = ChatClient(port=server.port, nick=nick, own_messages=True)
    client._line._timeout = 0.2
    return client


@pytest.fixture
def ann(server: ChatServer) -> Iterator[Ann]:
    """Somebody in it."""
    ann = Ann(server)
    yield ann
    list(ann.conversation.messenger.finish("quit"))  # its threads end, too


_NO_ANSWER = "! no answer from the server for 0.2 s; the message may or may not have been accepted"


def test_the_author_sees_what_was_accepted_late(gate: Gate, ann: Ann, server: ChatServer) -> None:
    """Where it stands; and the line is empty again, so that nobody says it twice."""
    bob: LocalSession = server.session("bob")

    ann.enter("is it frozen?")
    ann.see(_NO_ANSWER)
    assert ann.screen.line == "is it frozen?"
    gate.open.set()
    ann.see("ann: is it frozen?")
    ann.wait(lambda: ann.screen.line == "", "the empty line")
    bob.say("no")
    ann.see("bob: no")

    assert ann.screen.lines[-2:] == ["ann: is it frozen?", "bob: no"]
    assert bob.next(Message).text == "is it frozen?"


def test_what_is_being_typed_by_then_stays(gate: Gate, ann: Ann) -> None:
    """Only what was said leaves the line."""
    ann.enter("is it frozen?")
    ann.see(_NO_ANSWER)
    ann.screen.line = "is it frozen? hello?"
    gate.open.set()
    ann.see("ann: is it frozen?")
    ann.enter("hi")
    ann.see("ann: hi")
    ann.screen.line = "another"

    assert ann.screen.line == "another"


def test_what_may_have_been_said_is_asked_about(gate: Gate, ann: Ann) -> None:
    """The same again could be said twice."""
    ann.enter("is it frozen?")
    ann.see(_NO_ANSWER)

    assert ann.enter("is it frozen?") is Typed.KEPT
    assert ann.screen.question == "it may have been sent already; send it again? [y/N]"
    gate.open.set()
    ann.see("ann: is it frozen?")
    assert ann.enter("is it frozen?") is Typed.TAKEN


def test_a_late_refusal_is_shown(gate: Gate, ann: Ann) -> None:
    """It was not said, so it stays in the line."""
    ann.enter("nonsense")
    ann.see(_NO_ANSWER)
    gate.open.set()
    ann.see("! no nonsense, please")

    assert ann.screen.line == "nonsense"
    assert ann.enter("nonsense") is Typed.TAKEN  # nobody has said it


def test_programs_hear_late_answers(gate: Gate, server: ChatServer) -> None:
    """With the verb that was asked."""
    with connect(server, "bob") as bob:
        with pytest.raises(AckTimeout):
            bob.say("hello")
        gate.open.set()

        late = bob.next(LateAnswer, timeout=DEADLINE)

        assert late.verb == Say("hello")
        assert isinstance(late.answer, Ok)
        assert late.answer.id is not None
