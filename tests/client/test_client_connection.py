"""`ChatClient`: how it connects, and how it comes back after a loss."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from chat_clients import DEADLINE, free_port, refusing_port
from chat_networks import WELCOME, Script, script

from pychat import ChatServer, Disconnected, Handler, Limits, Message, Session
from pychat.client import ChatClient, Heard, Reconnected, Reconnecting, backoff
from pychat.client.wire import Wire
from pychat.handlers import Broadcast, JoinLeaveNotices
from pychat.model.errors import ConnectFailed, ConnectionLost, NotPychat
from pychat.model.events import AwayChanged
from pychat.model.replies import Failure, Gap, Ignored, Ok
from pychat.model.verbs import ListIgnored, Say, SetIgnored
from pychat.protocols.jsonl.protocol import JsonDialect
from pychat.testing import ChatHarness, MakeChat

__all__ = ["script"]  # the fixture


def heard_before(client: ChatClient, kind: type) -> list[Heard]:
    """What the client hears before the next one of this kind."""
    heard: list[Heard] = []
    while not isinstance(item := client.take(DEADLINE), kind):
        assert item is not None
        heard.append(item)
    return heard


# Connecting


def test_nobody_there_is_connect_failed() -> None:
    """The error says where."""
    with refusing_port() as port, pytest.raises(ConnectFailed) as caught:
        ChatClient(port=port, nick="ann")
    assert str(caught.value) == f"cannot connect to 127.0.0.1 port {port}: Connection refused"


def test_a_name_that_cannot_be_one_is_connect_failed() -> None:
    """No host has a label of 64 characters."""
    with pytest.raises(ConnectFailed, match=r"^cannot connect to xxx"):
        ChatClient("x" * 64 + ".example", 1, nick="ann")


def test_another_kind_of_server_is_connect_failed(script: Callable[..., Script]) -> None:
    """What it said tells which."""
    server = script(raw=b"SSH-2.0-OpenSSH_9.6\r\n")

    with pytest.raises(ConnectFailed) as caught:
        ChatClient(port=server.port, nick="ann")
    assert isinstance(caught.value, NotPychat)
    assert caught.value.reason == "an SSH server answers there: 'SSH-2.0-OpenSSH_9.6'"


def test_a_server_that_is_full_is_connect_failed(chat_server: MakeChat) -> None:
    """It turns us away in one line that is no JSON."""
    chat = chat_server(limits=Limits(max_connections=1))
    chat.join("ann")

    with pytest.raises(ConnectFailed) as caught:
        chat.join("bob")
    assert caught.value.reason == "it says 'server full'"


@pytest.mark.parametrize(
    ("answer", "reason", "timeout"),
    [
        (b"", "no answer within 0.2 s", 0.2),
        (b"NICK", "no answer within 0.2 s", 0.2),
        (b'{"type":"lines","lines":[]}\n', "no answer within 0.2 s", 0.2),
        (
            b'{"type":"welcome"}\n',
            "the server sent '{\"type\":\"welcome\"}': 'protocol' must be an integer, at least 0",
            DEADLINE,
        ),
    ],
)
def test_no_welcome_is_connect_failed(
    script: Callable[..., Script], answer: bytes, reason: str, timeout: float
) -> None:
    """Who does not answer like a pychat server is none."""
    server = script(raw=answer)

    with pytest.raises(ConnectFailed) as caught:
        ChatClient(port=server.port, nick="ann", timeout=timeout)
    assert caught.value.reason == reason


@pytest.mark.parametrize("asked", [b"NICK", b"NICKNAME wanted: type one and press Enter\r\n"])
def test_the_prompt_for_silent_clients_is_not_an_answer(script: Callable[..., Script], asked: bytes) -> None:
    """A slow hello can cross the prompt, and the line that it becomes."""
    server = script(raw=asked + JsonDialect().encode([WELCOME]))

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

            with pytest.raises(ConnectionLost, match=r"^the server read nothing for 0.1 s$"):
                fill()
            with pytest.raises(ConnectionLost, match=r"^Broken pipe$"):
                wire.send(Say("more"))
            wire.close()


# Coming back


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients try again at once."""
    monkeypatch.setattr(backoff, "_LONGEST_SECONDS", 0.02)


@pytest.mark.usefixtures("impatient")
def test_a_client_comes_back_and_hears_what_it_missed(chat: ChatHarness) -> None:
    """The same nickname, the same rooms, everything that was said meanwhile, once and in order."""
    network = chat.network()
    ann = chat.join("ann", "lobby", "ops", via=network, reconnect=True)
    bob = chat.join("bob", "lobby", "ops")
    bob.say("one", "lobby")
    assert ann.next(Message).text == "one"

    network.down()
    lost = ann.next(Reconnecting)
    bob.next(Disconnected)
    bob.say("two", "lobby")
    bob.say("three", "ops")
    with pytest.raises(ConnectionLost, match=r"^not connected at the moment; nothing was sent$"):
        ann.say("too early")
    network.resume()

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
    assert bob.next(Message).text == "back"


@pytest.mark.usefixtures("impatient")
def test_what_is_missed_is_known_even_if_nothing_was_heard_before(chat: ChatHarness) -> None:
    """A client that was lost before the first event knows where it began."""
    network = chat.network()
    bob, ann = chat.join("bob"), chat.join("ann", via=network, reconnect=True)
    network.down()
    bob.next(Disconnected)
    bob.say("missed")
    network.resume()

    assert ann.next(Message).text == "missed"
    assert ann.next(Reconnected) == Reconnected(missed=1)


@pytest.mark.usefixtures("impatient")
def test_a_client_that_was_reset_comes_back(chat: ChatHarness) -> None:
    """Whatever ends a connection, it is a loss, and the reason is told."""
    network = chat.network()
    ann = chat.join("ann", via=network, reconnect=True)

    network.reset()

    assert ann.next(Reconnecting).reason == "Connection reset by peer"
    ann.next(Reconnected)
    assert ann.say("back again")


@pytest.mark.usefixtures("impatient")
def test_a_message_whose_acknowledgement_is_lost_is_not_sent_again(chat_server: MakeChat) -> None:
    """The person is told; when the client is back it hears whether the message was accepted."""
    said, go_on = threading.Event(), threading.Event()

    class Hold(Handler):
        def on_message(self, session: Session, message: Message) -> None:
            if message.text == "hello":
                said.set()
                go_on.wait(DEADLINE)

    chat = chat_server(handlers=[JoinLeaveNotices(), Hold(), Broadcast()])
    network = chat.network()
    ann, bob = chat.join("ann", via=network, reconnect=True), chat.join("bob")

    with ThreadPoolExecutor(1) as pool:
        saying = pool.submit(ann.say, "hello")
        assert said.wait(DEADLINE)
        network.down()  # so that ann does not come back, and put out her old connection, before it is said
        with pytest.raises(ConnectionLost, match=r"closed the connection; it may or may not have been accepted$"):
            saying.result(DEADLINE)
        go_on.set()
    assert bob.next(Message).text == "hello"
    network.resume()

    assert ann.next(Message)[3:5] == ("ann", "hello")
    ann.next(Reconnected)
    bob.say("end")
    ann.say("end")
    assert bob.next(Message).text == "end"


@pytest.mark.usefixtures("impatient")
def test_a_client_finds_a_server_that_was_restarted(chat_server: MakeChat) -> None:
    """On the same port; what the old one knew is gone, and that is said."""
    old = chat_server(port=free_port())
    ann = old.join("ann", "ops", reconnect=True)
    ann.say("hello")

    old.server.stop()
    ann.next(Reconnecting)
    new = chat_server(port=old.port)

    assert ann.next(Gap).room == "ops"
    assert ann.next(Reconnected).gaps == 1
    assert ann.wait_connected(DEADLINE)
    assert [room.name for room in new.server.chat.rooms() if room.members] == ["ops"]


@pytest.mark.usefixtures("impatient")
def test_a_server_that_has_forgotten_a_client_is_told_again(chat_server: MakeChat) -> None:
    """That it is away, and whom it ignores at the end; the client hears no answers that it did not ask for."""
    old = chat_server(port=free_port())
    ann = old.join("ann", reconnect=True)
    ann.set_away("lunch")
    for verb in (SetIgnored(("bob",)), SetIgnored(("eve",)), SetIgnored((), ("eve",))):
        ann.ask(verb)

    old.server.stop()
    ann.next(Reconnecting)
    new = chat_server(port=old.port)

    assert not [item for item in heard_before(ann, Reconnected) if isinstance(item, Ok | Ignored | Failure)]
    known = ann.ask(ListIgnored())
    assert isinstance(known, Ignored)
    assert known.masks == ("bob!*@*",)
    cem = new.join("cem")
    assert [member.away for member in cem.members("lobby") if member.nickname == "ann"] == ["lunch"]


@pytest.mark.usefixtures("impatient")
def test_a_server_that_remembers_a_client_tells_nobody_again(chat: ChatHarness) -> None:
    """What it knows already changes nothing; and a client that is back is not away any more."""
    network = chat.network()
    ann, bob = chat.join("ann", via=network, reconnect=True), chat.join("bob")
    ann.set_away("lunch")
    assert bob.next(AwayChanged).text == "lunch"

    network.cut()
    ann.next(Reconnected)
    ann.say("here")
    assert not [heard for heard in heard_before(bob, Message) if isinstance(heard, AwayChanged)]
    ann.set_away(None)
    assert bob.next(AwayChanged).text is None
    network.cut()
    ann.next(Reconnected)
    ann.say("still here")

    assert not [heard for heard in heard_before(bob, Message) if isinstance(heard, AwayChanged)]


@pytest.mark.usefixtures("impatient")
def test_a_nickname_that_was_taken_meanwhile_ends_it(chat_server: MakeChat, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the server said goodbye there is no ghost to wait for: somebody else is now called that."""
    monkeypatch.setattr("pychat.server._STOP_SECONDS", DEADLINE)  # for the goodbye
    old = chat_server(port=free_port())
    ann = old.join("ann", reconnect=True)
    old.server.stop()
    ann.next(Reconnecting)
    with ChatServer(port=old.port) as new:
        new.session("ann")
        new.start()

        with pytest.raises(
            ConnectionLost, match=r"^reconnecting was refused: nickname 'ann' is in use; choose another$"
        ):
            ann.next(Message)


def test_close_ends_the_attempts(chat: ChatHarness) -> None:
    """Nobody waits for the next one."""
    ann = chat.join("ann", reconnect=True)
    chat.server.stop()
    ann.next(Reconnecting)

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


@pytest.mark.parametrize(("steady_seconds", "most"), [(60.0, [0.5, 1.0, 2.0, 4.0]), (0.0, [0.5, 0.5, 0.5, 0.5])])
def test_delays_grow_as_long_as_no_connection_lasts(
    monkeypatch: pytest.MonkeyPatch, chat: ChatHarness, steady_seconds: float, most: list[float]
) -> None:
    """A server that lets everybody in and drops them at once is not hammered; one that held a while is tried soon."""
    delays: list[float] = []

    def uniform(least: float, most: float) -> float:
        delays.append(most)
        return 0.0

    monkeypatch.setattr("random.uniform", uniform)
    monkeypatch.setattr(backoff, "_STEADY_SECONDS", steady_seconds)
    network = chat.network()
    ann = chat.join("ann", via=network, reconnect=True, retry_seconds=0.5)

    for _ in most:
        network.cut()
        assert ann.next(Reconnecting).attempt == 1
        ann.next(Reconnected)

    assert delays == most


def test_a_client_that_hurries_does_not_wait(chat: ChatHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its next try is due in thirty seconds, longer than this test would wait."""
    monkeypatch.setattr("random.uniform", lambda least, most: most)
    network = chat.network()
    ann = chat.join("ann", via=network, reconnect=True, retry_seconds=30)

    network.cut()
    assert ann.next(Reconnecting).delay == 30
    ann.hurry()

    ann.next(Reconnected)
    ann.say("back")
