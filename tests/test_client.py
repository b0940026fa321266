"""`ChatClient`: verbs and their answers, what it hears, and how it comes back after a loss."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from chat_clients import DEADLINE, wait_until

from pychat import (
    ChatServer,
    Disconnected,
    Handler,
    Joined,
    Limits,
    Message,
    Notice,
    Refused,
    Session,
)
from pychat.client import ChatClient, Dropped, Reconnected, Reconnecting
from pychat.core.errors import AckTimeout, ConnectFailed, ConnectionLost, LimitExceeded, LocalProtocolError
from pychat.core.replies import Bye, Failure, Gap, Lines, Members, PingRequest, PongReply, Profile, Replay, Welcome
from pychat.core.verbs import Direct, Quit, Say, WhoIs
from pychat.handlers import Broadcast, History, JoinLeaveNotices, NicknameValidator
from pychat.handlers.motd import MessageOfTheDay
from pychat.protocols.base import Item
from pychat.protocols.jsonlines import JsonDialect
from pychat.transport import lifeline
from pychat.transport.dial import Wire
from pychat.transport.inbox import Inbox

MakeServer = Callable[..., ChatServer]
MakeClient = Callable[..., ChatClient]


@pytest.fixture
def join(server: MakeServer) -> Iterator[MakeClient]:
    """Return a function that connects clients; it takes what `ChatClient` takes, but for the host."""
    with ExitStack() as stack:

        def connect(port: int, nick: str, **options: Any) -> ChatClient:
            return stack.enter_context(ChatClient(port=port, nick=nick, **options))

        yield connect


@pytest.fixture
def proxy() -> Iterator[Callable[[int], Proxy]]:
    """Return a function that makes a proxy before a port."""
    with ExitStack() as stack:

        def make(port: int) -> Proxy:
            made = Proxy(port)
            stack.callback(made.close)
            return made

        yield make


class Proxy:
    """Stands between clients and a server, and can cut what it has joined, as a bad network does."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._pairs += [near, far]
            for source, sink in ((near, far), (far, near)):
                self._threads.append(threading.Thread(target=self._copy, args=(source, sink), daemon=True))
                self._threads[-1].start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self) -> None:
        """Break every connection, so that both sides see it."""
        pairs, self._pairs = self._pairs, []
        for end in pairs:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        """Cut everything, and take no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(DEADLINE)


class Script:
    """A server that says what a test wants: once a client has said hello, the items; then what `say` is given."""

    def __init__(self, *items: Item, raw: bytes | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._answer = JsonDialect().encode(items) if raw is None else raw
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.socket, _ = self._listener.accept()
        self.socket.settimeout(DEADLINE)
        self.lines = self.socket.makefile("rb")
        self.lines.readline()
        self.socket.sendall(self._answer)
        for line in self.lines:
            request = json.loads(line)
            if request["type"] == "ping":
                self.say(PongReply(request["ref"], ""))
                return

    def say(self, *items: Item, raw: bytes = b"") -> None:
        """Send more."""
        self.socket.sendall(JsonDialect().encode(items) + raw)

    def close(self) -> None:
        """End the connection."""
        self._thread.join(DEADLINE)
        self.lines.close()
        self.socket.close()
        self._listener.close()


@pytest.fixture
def script() -> Iterator[Callable[..., Script]]:
    """Return a function that starts scripted servers."""
    with ExitStack() as stack:

        def start(*items: Item, raw: bytes | None = None) -> Script:
            started = Script(*items, raw=raw)
            stack.callback(started.close)
            return started

        yield start


WELCOME = Welcome(1, "fake", "ann", "secret", Limits())


def cut_off(server: ChatServer, nickname: str, reason: str = "cut off by the test") -> None:
    """Let the server end somebody's connection, saying why."""
    session = server.chat.find(nickname)
    assert session is not None
    session.kick(reason)


# Verbs


def test_a_message_is_acknowledged_with_its_id_and_reaches_the_other(server: MakeServer, join: MakeClient) -> None:
    """`say` returns the id under which the others hear it."""
    port = server().port
    ann, bob = join(port, "ann"), join(port, "bob")

    ident = ann.say("hello")

    message = bob.next(Message, timeout=DEADLINE)
    assert (message.id, message.sender, message.text, message.room) == (ident, "ann", "hello", "lobby")


def test_the_methods_are_those_of_a_session_in_the_process(server: MakeServer, join: MakeClient) -> None:
    """What is asked over the wire has the same answers."""
    started = server()
    ann, bob = join(started.port, "ann", rooms=["lobby", "ops"]), started.session("bob", ["lobby", "ops"])

    assert ann.members() == bob.members() == ann.members("ops")
    assert ann.list_rooms() == bob.list_rooms()
    ann.set_topic("tea", "lobby")
    ann.set_away("lunch")
    assert [event.id for event in ann.history("ops")] == [event.id for event in bob.history("ops")]
    assert [member.nickname for member in ann.join("den")] == ["ann"]
    assert ann.direct("bob", "psst") == bob.next(Message, DEADLINE).id


def test_a_refusal_is_raised_with_its_code(server: MakeServer, join: MakeClient) -> None:
    """The server's reason is the error's text."""
    port = server().port
    join(port, "ann")
    bob = join(port, "bob")

    with pytest.raises(Refused) as caught:
        bob.set_nickname("ann")

    assert (str(caught.value), caught.value.code) == ("nickname 'ann' is in use; take another", "nickname_in_use")


def test_a_refused_nickname_is_raised_when_connecting(server: MakeServer, join: MakeClient) -> None:
    """A client is made registered, or not at all."""
    port = server().port
    join(port, "ann")

    with pytest.raises(Refused, match=r"^nickname 'ann' is in use; take another$"):
        join(port, "ann")


def test_what_a_handler_says_before_a_nickname_is_raised_when_connecting(server: MakeServer, join: MakeClient) -> None:
    """A refusal of the connection itself has its reason and code, too."""

    class Closed(Handler):
        def before_connect(self, session: Session) -> None:
            raise Refused("come back tomorrow", code="closed")

    port = server(handlers=[Closed()]).port

    with pytest.raises(Refused, match=r"^come back tomorrow$") as caught:
        join(port, "ann")
    assert caught.value.code == "closed"


def test_ask_takes_any_verb(server: MakeServer, join: MakeClient) -> None:
    """What has no method has an answer, too."""
    ann = join(server().port, "ann")

    answer = ann.ask(WhoIs("ann", ref="mine"))

    assert isinstance(answer, Profile)
    assert (answer.nickname, answer.rooms) == ("ann", ("lobby",))


def test_a_reply_goes_to_whoever_wrote_last(server: MakeServer, join: MakeClient) -> None:
    """The wire has no "reply"; the client knows who it was."""
    port = server().port
    ann, bob = join(port, "ann"), join(port, "bob")
    with pytest.raises(Refused, match=r"^nobody has written to you yet$"):
        ann.ask(Direct("hello?"))
    bob.direct("ann", "psst")
    ann.next(Message, DEADLINE)

    ann.ask(Direct("yes?"))

    assert bob.next(Message, DEADLINE).text == "yes?"


def test_answers_find_their_questions(server: MakeServer, join: MakeClient) -> None:
    """Twenty threads that talk at once get the ids of their own messages."""
    port = server().port
    ann, bob = join(port, "ann"), join(port, "bob")

    with ThreadPoolExecutor(20) as pool:
        said = dict(zip(map(str, range(200)), pool.map(lambda n: ann.say(str(n)), range(200)), strict=True))

    heard = [bob.next(Message, DEADLINE) for _ in range(200)]
    assert {message.text: message.id for message in heard} == said


def test_a_request_longer_than_the_server_takes_is_not_sent(server: MakeServer, join: MakeClient) -> None:
    """The server would skip the line, so nobody could answer it."""
    ann = join(server(limits=Limits(line_bytes=200)).port, "ann")

    with pytest.raises(LimitExceeded, match=r"^request: at most 200 bytes$"):
        ann.say("x" * 200)

    assert ann.say("x" * 100)


def test_no_answer_in_time_is_raised(server: MakeServer, join: MakeClient) -> None:
    """Who waits for a server that hangs is told, and can go on later."""
    gate = threading.Event()

    class Slow(Handler):
        def before_message(self, session: Session, message: Message) -> Message:
            gate.wait(DEADLINE)
            return message

    port = server(handlers=[Slow(), Broadcast()]).port
    ann = join(port, "ann", timeout=0.2)

    with pytest.raises(AckTimeout, match=r"^no answer to Say within 0.2 s$"):
        ann.say("hello")

    gate.set()
    assert join(port, "bob").say("hello")


def test_rooms_and_nickname_follow_what_happens(server: MakeServer, join: MakeClient) -> None:
    """The current room is the one joined last; renames and leaves count, whoever causes them."""
    started = server()
    ann = join(started.port, "ann", rooms=["lobby", "ops"])
    assert ann.rooms == ("lobby", "ops")

    ann.join("lobby")
    assert ann.rooms == ("ops", "lobby")
    ann.leave()
    assert list(ann.rooms) == ["ops"]
    ann.set_nickname("anna")
    assert ann.nickname == "anna"
    started.chat.remove_room("ops")
    wait_until(lambda: ann.rooms == (), "the room was closed")


def test_leaving_needs_no_notice(server: MakeServer, join: MakeClient) -> None:
    """Without `JoinLeaveNotices` nobody hears of a leave, but who left knows."""
    ann = join(server(handlers=[Broadcast()]).port, "ann", rooms=["Ops"])
    assert list(ann.rooms) == ["Ops"]

    ann.leave("ops")

    assert ann.rooms == ()


# Hearing


def test_what_is_said_unasked_is_heard(server: MakeServer, join: MakeClient) -> None:
    """The rooms one began with, a message of the day, the replay, a room that was refused."""
    handlers = [JoinLeaveNotices(), MessageOfTheDay(["be nice", "to \x1b all"]), History(), Broadcast()]
    port = server(handlers=handlers).port
    join(port, "bob").say("before")

    ann = join(port, "ann", rooms=["lobby", "a b"], replay=True)

    assert ann.next(Members, DEADLINE).room == "lobby"
    assert ann.next(Lines, DEADLINE).lines == ("be nice", "to \ufffd all")
    assert [event.text for event in ann.next(Replay, DEADLINE).events if isinstance(event, Message)] == ["before"]
    assert ann.next(Failure, DEADLINE).code == "bad_room"


def test_the_message_of_the_day_comes_once(server: MakeServer, join: MakeClient) -> None:
    """Other rooms do not repeat it."""
    started = server(handlers=[MessageOfTheDay(["be nice"]), Broadcast()])
    ann = join(started.port, "ann", rooms=["lobby", "ops", "den"])

    started.room("den").announce("last")
    heard = []
    for item in ann.events(DEADLINE):
        heard.append(item)
        if isinstance(item, Notice):
            break

    assert [item for item in heard if isinstance(item, Lines)] == [Lines(None, ("be nice",))]


def test_next_drops_what_comes_before(server: MakeServer, join: MakeClient) -> None:
    """Whoever waits for one kind does not want the others."""
    port = server().port
    ann = join(port, "ann")
    bob = join(port, "bob")
    bob.say("hello")

    assert ann.next(Message, DEADLINE).text == "hello"
    with pytest.raises(TimeoutError, match=r"^no Joined within 0.0 s$"):
        ann.next(Joined, 0.0)


def test_events_end_when_nothing_comes(server: MakeServer, join: MakeClient) -> None:
    """The timeout is for each event, not for all."""
    ann = join(server().port, "ann")

    assert [type(heard) for heard in ann.events(0.1)] == [Members]


def test_a_full_inbox_drops_the_oldest_and_says_so() -> None:
    """Memory stays bounded, and nothing is lost in silence."""
    inbox = Inbox(most=2)
    for number in range(5):
        inbox.put(Lines(None, (str(number),)))

    assert [inbox.take(0), inbox.take(0), inbox.take(0), inbox.take(0)] == [
        Dropped(3),
        Lines(None, ("3",)),
        Lines(None, ("4",)),
        None,
    ]


def test_pings_are_answered(script: Callable[..., Script]) -> None:
    """The server asks whether we are there; nobody else needs to know."""
    server = script(WELCOME)
    with ChatClient(port=server.port, nick="ann") as ann:
        server.say(PingRequest(), Lines(None, ("next",)))

        assert server.lines.readline() == b'{"type":"pong"}\n'
        assert [*ann.events(0.1)] == [Lines(None, ("next",))]
        server.socket.shutdown(socket.SHUT_WR)


# The end


def test_close_says_goodbye_and_what_was_heard_can_be_taken(server: MakeServer, join: MakeClient) -> None:
    """The others see the reason; then verbs and waiting are errors."""
    port = server().port
    ann, bob = join(port, "ann"), join(port, "bob")

    ann.close("so long")
    ann.close("again")

    assert bob.next(Disconnected, DEADLINE).reason == "so long"
    assert [type(heard) for heard in ann.events()] == [Members, Joined, Bye]
    with pytest.raises(LocalProtocolError, match=r"^the client is closed$"):
        ann.say("hello")
    with pytest.raises(LocalProtocolError, match=r"^the client is closed$"):
        ann.next(Message)
    with pytest.raises(LocalProtocolError, match=r"^the client is closed$"):
        ann.wait_connected()


def test_quit_is_close(server: MakeServer, join: MakeClient) -> None:
    """Who asks to go does not come back by itself."""
    port = server().port
    ann, bob = join(port, "ann", reconnect=True), join(port, "bob")

    ann.ask(Quit("done"))

    assert bob.next(Disconnected, DEADLINE).reason == "done"
    assert not any(isinstance(heard, Reconnecting) for heard in ann.events())


def test_a_lost_connection_is_raised(server: MakeServer, join: MakeClient) -> None:
    """Without `reconnect`, the loss ends the client, with the server's reason."""
    started = server()
    ann = join(started.port, "ann")

    started.stop()

    with pytest.raises(ConnectionLost, match=r"^the server said goodbye: the server is shutting down$"):
        list(ann.events(DEADLINE))
    with pytest.raises(ConnectionLost, match=r"^the server said goodbye: the server is shutting down$"):
        ann.say("hello")
    assert not ann.connected


def test_garbage_ends_the_connection(script: Callable[..., Script]) -> None:
    """What is not the protocol cannot be followed."""
    server = script(WELCOME)
    with ChatClient(port=server.port, nick="ann") as ann:
        server.say(raw=b"hello\n")

        with pytest.raises(
            ConnectionLost, match=r"^the server sent 'hello': not JSON: Expecting value at character 1$"
        ):
            ann.next(Message, DEADLINE)


# Connecting


def test_nobody_there_is_connect_failed() -> None:
    """The error says where."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(ConnectFailed, match=rf"^cannot connect to 127.0.0.1 port {port}: Connection refused$"):
        ChatClient(port=port, nick="ann")


def test_a_name_that_cannot_be_one_is_connect_failed() -> None:
    """No host has a label of 64 characters."""
    with pytest.raises(ConnectFailed, match=r"^cannot connect to xxx"):
        ChatClient("x" * 64 + ".example", 1, nick="ann")


def test_another_kind_of_server_is_connect_failed(script: Callable[..., Script]) -> None:
    """What it said tells which."""
    server = script(raw=b"SSH-2.0-OpenSSH_9.6\r\n")

    with pytest.raises(ConnectFailed) as caught:
        ChatClient(port=server.port, nick="ann")
    assert caught.value.reason == "it says 'SSH-2.0-OpenSSH_9.6'"


def test_a_server_that_is_full_is_connect_failed(server: MakeServer, join: MakeClient) -> None:
    """It turns us away in one line that is no JSON."""
    port = server(limits=Limits(max_connections=1)).port
    join(port, "ann")

    with pytest.raises(ConnectFailed) as caught:
        join(port, "bob")
    assert caught.value.reason == "it says 'server full'"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "no answer within 0.2 s"),
        (b"NICK", "no answer within 0.2 s"),
        (b'{"type":"lines","lines":[]}\n', "no answer within 0.2 s"),
        (
            b'{"type":"welcome"}\n',
            "the server sent '{\"type\":\"welcome\"}': 'protocol' must be an integer, at least 0",
        ),
    ],
)
def test_no_welcome_is_connect_failed(script: Callable[..., Script], answer: bytes, reason: str) -> None:
    """Who does not answer like a pychat server is none."""
    server = script(raw=answer)

    with pytest.raises(ConnectFailed) as caught:
        ChatClient(port=server.port, nick="ann", timeout=0.2)
    assert caught.value.reason == reason


def test_the_prompt_for_silent_clients_is_not_an_answer(script: Callable[..., Script]) -> None:
    """A slow hello can cross the prompt."""
    server = script(raw=b"NICK" + JsonDialect().encode([WELCOME]))

    with ChatClient(port=server.port, nick="ann") as ann:
        assert ann.welcome == WELCOME
        server.socket.shutdown(socket.SHUT_WR)


def test_a_server_that_takes_nothing_is_given_up() -> None:
    """Sending never waits for ever, and half of a line is never followed by another."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        wire = Wire("127.0.0.1", listener.getsockname()[1], 0.1)
        accepted, _ = listener.accept()
        with accepted:

            def fill() -> None:
                while True:
                    wire.send(Say("x" * 4000))

            with pytest.raises(ConnectionLost, match=r"^the server took nothing for 0.1 s$"):
                fill()
            with pytest.raises(ConnectionLost, match=r"^Broken pipe$"):
                wire.send(Say("more"))
            wire.close()


# Coming back


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients try again at once."""
    monkeypatch.setattr(lifeline, "_LONGEST_SECONDS", 0.02)


@pytest.mark.usefixtures("impatient")
def test_a_client_comes_back_and_hears_what_it_missed(
    server: MakeServer, join: MakeClient, proxy: Callable[[int], Proxy]
) -> None:
    """The same nickname, the same rooms, everything that was said meanwhile, once and in order."""
    gate = threading.Event()

    class Gate(Handler):
        def before_connect(self, session: Session) -> None:
            gate.wait(DEADLINE)

    gate.set()
    started = server(handlers=[NicknameValidator(), Gate(), JoinLeaveNotices(), Broadcast()])
    network = proxy(started.port)
    ann = join(network.port, "ann", rooms=["lobby", "ops"], reconnect=True)
    bob = join(started.port, "bob", rooms=["lobby", "ops"])
    bob.say("one", "lobby")
    assert ann.next(Message, DEADLINE).text == "one"

    gate.clear()
    network.cut()
    lost = ann.next(Reconnecting, DEADLINE)
    bob.next(Disconnected, DEADLINE)
    bob.say("two", "lobby")
    bob.say("three", "ops")
    with pytest.raises(ConnectionLost, match=r"^not connected at the moment; nothing was sent$"):
        ann.say("too early")
    gate.set()

    heard: list[object] = []
    for item in ann.events(DEADLINE):
        heard.append(item)
        if isinstance(item, Reconnected):
            break
    assert (lost.attempt, lost.reason) == (1, "the server closed the connection")
    assert [item.text for item in heard if isinstance(item, Message)] == ["two", "three"]
    assert heard[-1] == Reconnected(missed=2)
    assert (ann.nickname, ann.rooms) == ("ann", ("lobby", "ops"))
    ann.say("back", "lobby")
    assert bob.next(Message, DEADLINE).text == "back"


@pytest.mark.usefixtures("impatient")
def test_what_is_missed_is_known_even_if_nothing_was_heard_before(
    server: MakeServer, join: MakeClient, proxy: Callable[[int], Proxy]
) -> None:
    """A client that was lost before the first event knows where it began."""
    gate = threading.Event()

    class Gate(Handler):
        def before_connect(self, session: Session) -> None:
            gate.wait(DEADLINE)

    gate.set()
    started = server(handlers=[Gate(), JoinLeaveNotices(), Broadcast()])
    network = proxy(started.port)
    bob = join(started.port, "bob")
    ann = join(network.port, "ann", reconnect=True)
    gate.clear()
    network.cut()
    bob.next(Disconnected, DEADLINE)
    bob.say("missed")
    gate.set()

    assert ann.next(Message, DEADLINE).text == "missed"
    assert ann.next(Reconnected, DEADLINE) == Reconnected(missed=1)


@pytest.mark.usefixtures("impatient")
def test_a_message_whose_acknowledgement_is_lost_is_not_sent_again(
    server: MakeServer, join: MakeClient, proxy: Callable[[int], Proxy]
) -> None:
    """The person is told; when the client is back it hears whether the message was accepted."""
    said, go_on = threading.Event(), threading.Event()

    class Hold(Handler):
        def on_message(self, session: Session, message: Message) -> None:
            if message.text == "hello":
                said.set()
                go_on.wait(DEADLINE)

    started = server(handlers=[JoinLeaveNotices(), Hold(), Broadcast()])
    network = proxy(started.port)
    ann, bob = join(network.port, "ann", reconnect=True), join(started.port, "bob")

    with ThreadPoolExecutor(1) as pool:
        saying = pool.submit(ann.say, "hello")
        assert said.wait(DEADLINE)
        network.cut()
        with pytest.raises(ConnectionLost, match=r"closed the connection; it may or may not have been accepted$"):
            saying.result(DEADLINE)
        go_on.set()

    assert ann.next(Message, DEADLINE)[3:5] == ("ann", "hello")
    ann.next(Reconnected, DEADLINE)
    bob.say("end")
    ann.say("end")
    assert [bob.next(Message, DEADLINE).text for _ in range(2)] == ["hello", "end"]


@pytest.mark.usefixtures("impatient")
def test_a_client_finds_a_server_that_was_restarted(server: MakeServer, join: MakeClient) -> None:
    """On the same port; what the old one knew is gone, and that is said."""
    old = server()
    ann = join(old.port, "ann", rooms=["ops"], reconnect=True)
    ann.say("hello")

    old.stop()
    ann.next(Reconnecting, DEADLINE)
    new = server(port=old.port)

    assert ann.next(Gap, DEADLINE).room == "ops"
    ann.next(Reconnected, DEADLINE)
    assert ann.wait_connected(DEADLINE)
    assert [room.name for room in new.chat.rooms() if room.occupants] == ["ops"]


@pytest.mark.usefixtures("impatient")
def test_a_nickname_that_was_taken_meanwhile_ends_it(server: MakeServer, join: MakeClient) -> None:
    """After the server said goodbye there is no ghost to wait for: somebody else is called that now."""
    old = server()
    ann = join(old.port, "ann", reconnect=True)
    old.stop()
    ann.next(Reconnecting, DEADLINE)
    new = ChatServer(port=old.port)
    new.session("ann")
    try:
        new.start()

        with pytest.raises(ConnectionLost, match=r"^coming back was refused: nickname 'ann' is in use; take another$"):
            ann.next(Message, DEADLINE)
    finally:
        new.stop()


def test_close_ends_the_attempts(server: MakeServer, join: MakeClient) -> None:
    """Nobody waits for the next one."""
    started = server()
    ann = join(started.port, "ann", reconnect=True)
    started.stop()
    ann.next(Reconnecting, DEADLINE)

    ann.close()

    assert list(ann.events()) == []


def test_delays_grow_and_are_random(monkeypatch: pytest.MonkeyPatch, script: Callable[..., Script]) -> None:
    """From half a second, doubled, to 30 s at most, and any part of that: full jitter."""
    asked: list[float] = []

    def uniform(least: float, most: float) -> float:
        assert least == 0
        asked.append(most)
        return 0.0

    monkeypatch.setattr("random.uniform", uniform)
    server = script(WELCOME)
    with ChatClient(port=server.port, nick="ann", reconnect=True) as ann:
        server.close()
        attempts = [ann.next(Reconnecting, DEADLINE).attempt for _ in range(9)]

    assert attempts == list(range(1, 10))
    assert asked[:9] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_being_cut_off_is_a_loss_too(server: MakeServer, join: MakeClient) -> None:
    """The reason the server gives is what the client raises."""
    started = server()
    ann = join(started.port, "ann")

    cut_off(started, "ann", "no more of this")

    with pytest.raises(ConnectionLost, match=r"^the server said goodbye: no more of this$"):
        ann.next(Message, DEADLINE)
