"""`ChatClient`: how it connects, and how it comes back after a loss."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from chat_clients import DEADLINE
from chat_networks import WELCOME, MakeClient, Proxy, Script, join, proxy, script

from pychat import ChatServer, Disconnected, Handler, Limits, Message, Session
from pychat.client import ChatClient, Reconnected, Reconnecting
from pychat.core.errors import ConnectFailed, ConnectionLost
from pychat.core.replies import Gap
from pychat.core.verbs import Say
from pychat.handlers import Broadcast, JoinLeaveNotices, NicknameValidator
from pychat.protocols.jsonlines import JsonDialect
from pychat.transport import lifeline
from pychat.transport.dial import Wire

__all__ = ["join", "proxy", "script"]  # the fixtures

MakeServer = Callable[..., ChatServer]


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


class Gate(Handler):
    """Lets connections in while it is open, which it is at first."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self.open()

    def open(self) -> None:
        """Let in who waits."""
        self._open.set()

    def close(self) -> None:
        """Let the next ones wait."""
        self._open.clear()

    def before_connect(self, session: Session) -> None:
        self._open.wait(DEADLINE)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients try again at once."""
    monkeypatch.setattr(lifeline, "_LONGEST_SECONDS", 0.02)


@pytest.mark.usefixtures("impatient")
def test_a_client_comes_back_and_hears_what_it_missed(
    server: MakeServer, join: MakeClient, proxy: Callable[[int], Proxy]
) -> None:
    """The same nickname, the same rooms, everything that was said meanwhile, once and in order."""
    gate = Gate()
    started = server(handlers=[NicknameValidator(), gate, JoinLeaveNotices(), Broadcast()])
    network = proxy(started.port)
    ann = join(network.port, "ann", rooms=["lobby", "ops"], reconnect=True)
    bob = join(started.port, "bob", rooms=["lobby", "ops"])
    bob.say("one", "lobby")
    assert ann.next(Message, DEADLINE).text == "one"

    gate.close()
    network.cut()
    lost = ann.next(Reconnecting, DEADLINE)
    bob.next(Disconnected, DEADLINE)
    bob.say("two", "lobby")
    bob.say("three", "ops")
    with pytest.raises(ConnectionLost, match=r"^not connected at the moment; nothing was sent$"):
        ann.say("too early")
    gate.open()

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
    gate = Gate()
    started = server(handlers=[gate, JoinLeaveNotices(), Broadcast()])
    network = proxy(started.port)
    bob = join(started.port, "bob")
    ann = join(network.port, "ann", reconnect=True)
    gate.close()
    network.cut()
    bob.next(Disconnected, DEADLINE)
    bob.say("missed")
    gate.open()

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

    assert {type(heard) for heard in ann.events()} <= {Reconnecting}  # one that began before


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
