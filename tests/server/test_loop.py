"""One thread for everybody, and one more for each client for which something blocks, and only as long as it does."""

from __future__ import annotations

import logging
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_clients import DEADLINE, Clients, pychat_threads, wait_until

from pychat import ChatServer, Handler, Limits, Message, Refused, Session
from pychat.core.log.snapshots import RoomSnapshot
from pychat.core.waiting import before_wait
from pychat.handlers import Broadcast, FloodControl, JoinLeaveNotices
from pychat.model.verbs import Say, Verb
from pychat.protocols.text.protocol import TextProtocol
from pychat.stores import SqliteLog
from pychat.transport import connection
from pychat.transport.link import Link
from pychat.transport.poller import READ, Poller
from pychat.transport.threads import relay
from pychat.transport.threads.relay import Relay

MakeServer = Callable[..., ChatServer]

LOOP = 2
"""The threads of a server that nobody blocks: the loop, and the one that rests. The thread that accepts is one more."""


class Gate(Handler):
    """Messages that begin with "wait" wait until the gate is open; it knows how many do."""

    def __init__(self) -> None:
        self.waiting: list[str] = []
        self.ran_on: set[str] = set()
        self.open = threading.Event()

    def before_message(self, session: Session, message: Message) -> Message:
        self.ran_on.add(threading.current_thread().name)
        if message.text.startswith("wait"):
            self.waiting.append(message.sender)
            assert self.open.wait(DEADLINE)
        return message


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Return one; it is open at the end."""
    made = Gate()
    yield made
    made.open.set()


def test_whoever_blocks_gets_a_thread_and_gives_it_back(
    server: MakeServer, clients: Clients, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty wait in a hook, others talk meanwhile, and afterwards there are as many threads as before."""
    monkeypatch.setattr(relay, "_REST_SECONDS", 0.05)
    running = server(handlers=[gate, Broadcast()])
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    blocked = [clients.text(running, f"c{number}") for number in range(20)]

    for peer in blocked:
        peer.send("wait\n")
    wait_until(lambda: len(gate.waiting) == 20, "all wait")
    ann.send("hello\n")

    assert bob.read_until("ann: hello")
    assert len(pychat_threads()) >= 20 + LOOP
    gate.open.set()
    heard = [bob.read_line() for _ in range(20)]
    assert sorted(heard) == sorted(f"c{number}: wait" for number in range(20))
    wait_until(lambda: len(pychat_threads()) == LOOP + 1, "the threads end")
    assert gate.ran_on == {"pychat-client"}


def test_what_follows_a_line_that_blocks_stays_in_order(server: MakeServer, clients: Clients, gate: Gate) -> None:
    """Whether it came in the same chunk or while the first one waited."""
    running = server(handlers=[gate, Broadcast()])
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")

    ann.send("one\nwait two\nthree\n")
    wait_until(lambda: gate.waiting, "it waits")
    ann.send("four\nwait five\nsix\n")
    gate.open.set()

    texts = ["one", "wait two", "three", "four", "wait five", "six"]
    assert [bob.read_line() for _ in texts] == [f"ann: {text}" for text in texts]


def test_input_that_may_block_waits_while_too_many_do(server: MakeServer, clients: Clients) -> None:
    """The third one to join waits; messages go on, because no handler of messages waits."""
    inside: list[str | None] = []
    free = threading.Event()

    class Slow(Handler):
        def before_join(self, session: Session, room: Any) -> None:
            if room.name == "slow":
                inside.append(session.nickname)
                assert free.wait(DEADLINE)

    running = server(handlers=[Slow(), Broadcast()], limits=Limits(waiting_threads=2))
    peers = [clients.text(running, name) for name in ("ann", "bob", "carl", "dora")]
    for peer, count in zip(peers[:3], (1, 2, 2), strict=True):
        peer.send("/join slow\n/help\n")
        wait_until(lambda count=count: len(inside) == count, "it is inside")  # type: ignore[misc]

    peers[3].send("hello\n")

    assert peers[2].read_line() == "dora: hello"
    assert inside == ["ann", "bob"]
    free.set()
    peers[2].read_until("talk:")
    assert inside == ["ann", "bob", "carl"]


def test_what_is_ready_is_asked_once(
    server: MakeServer, clients: Clients, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes the loop over goes on with the rest, however many have said something."""
    running = server(handlers=[gate, Broadcast()])
    peers = [clients.text(running, f"c{number}") for number in range(30)]
    held = threading.Event()
    counts: list[int] = []
    real = Poller.wait

    def wait(poller: Poller, seconds: float | None) -> list[tuple[Link, int]]:
        while held.is_set():
            time.sleep(0.001)
        ready = real(poller, seconds)
        counts.append(sum(bool(events & READ) for _, events in ready))
        return ready

    monkeypatch.setattr(Poller, "wait", wait)
    held.set()  # before its next wait
    for peer in peers[1:]:
        peer.send("hello\n")
    held.clear()

    for _ in peers[1:]:
        assert peers[0].read_until("hello")
    assert sum(counts) < 3 * len(peers)


class Slow(Handler):
    """Whoever joins the room "slow" waits until it is free."""

    def __init__(self) -> None:
        self.inside: list[str | None] = []
        self.free = threading.Event()

    def before_join(self, session: Session, room: Any) -> None:
        if room.name == "slow":
            self.inside.append(session.nickname)
            assert self.free.wait(DEADLINE)


@pytest.mark.parametrize("leaves", [False, True])
def test_everybody_who_waited_for_others_goes_on(server: MakeServer, clients: Clients, leaves: bool) -> None:
    """Also after one of them went on without blocking anything, or was disconnected."""
    slow = Slow()
    running = server(handlers=[slow, Broadcast()], limits=Limits(waiting_threads=1))
    ann, bob, carl, dora = [clients.text(running, name) for name in ("ann", "bob", "carl", "dora")]
    ann.send("/join slow\n")
    wait_until(lambda: slow.inside, "it is inside")
    for peer in (bob, carl, dora):
        peer.send("/topic\n")
    sessions: Any = [running.chat.find(name) for name in ("bob", "carl", "dora")]
    waits = [session.link.connection for session in sessions]
    wait_until(lambda: all(one.wait is not None and not one.wait.input for one in waits), "the others wait")

    if leaves:
        sessions[0].disconnect("bye")
        wait_until(lambda: running.chat.find("bob") is None, "it left")
    slow.free.set()

    for peer in (carl, dora):
        assert peer.read_until("topic")


def test_bots_do_not_count_as_clients_that_wait(server: MakeServer, clients: Clients) -> None:
    """A bot has a thread of its own for as long as it lives."""
    running = server(limits=Limits(waiting_threads=1))
    running.bot("robo", ["lobby"])

    assert clients.text(running, "ann")


def test_a_hook_that_waits_though_it_says_it_does_not(
    server: MakeServer, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    """It holds up everybody once, never again, and the log names it."""
    names: list[str] = []

    class Spelling(Handler):
        waits = False

        def before_message(self, session: Session, message: Message) -> Message:
            names.append(threading.current_thread().name)
            time.sleep(0.05)
            return message

    running = server(handlers=[Spelling(), Broadcast()])
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")

    with caplog.at_level(logging.WARNING, "pychat"):
        for text in ("one", "two"):
            ann.send(f"{text}\n")
            assert bob.read_line() == f"ann: {text}"

    assert names == ["pychat-loop", "pychat-client"]
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith("Spelling.before_message took ")
    assert told.endswith(" ms; it runs on threads from now on: set waits = True")


def test_a_room_that_takes_long_to_read_holds_up_those_who_want_another_one(
    server: MakeServer, clients: Clients, gate: Gate, tmp_path: Path
) -> None:
    """Rooms are made one at a time, and whoever waits for that does so on another thread."""

    class SlowLog(SqliteLog):
        def load_room(self, room: str) -> RoomSnapshot | None:
            before_wait()
            if room == "slow":
                gate.waiting.append(room)
                assert gate.open.wait(DEADLINE)
            return super().load_room(room)

    running = server(log=SlowLog(tmp_path / "chat.db"))
    ann, bob, carl, dora = [clients.text(running, name) for name in ("ann", "bob", "carl", "dora")]

    ann.send("/join slow\n")
    wait_until(lambda: gate.waiting, "it is read")
    bob.send("/join other\n")
    wait_until(lambda: len(running._hook_threads) == 2, "both wait")
    carl.send("hello\n")

    assert dora.read_until("carl: hello")
    gate.open.set()
    assert bob.read_until("you are in other")


def test_whoever_is_delayed_needs_no_thread(server: MakeServer, clients: Clients) -> None:
    """Flood control puts the next verb off, and input is not read meanwhile."""
    limits = Limits(message_burst=2, messages_per_second=0.01, delay_seconds=3600.0)
    running = server(handlers=[FloodControl(), Broadcast()], limits=limits)
    peers = [clients.text(running, f"c{number}") for number in range(20)]

    for number, peer in enumerate(peers):
        peer.send(f"one\ntwo {number}\n")
    sessions = [running.chat.find(f"c{number}") for number in range(20)]
    wait_until(lambda: all(session and session.held_back is not None for session in sessions), "all are delayed")

    assert len(pychat_threads()) <= LOOP + 1


def test_an_error_in_one_connection_ends_this_one_alone(
    server: MakeServer, clients: Clients, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log says where it was, and the others hear that the member left."""
    running = server()
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    ann.read_until("bob joined")
    real = TextProtocol.receive

    def receive(protocol: TextProtocol, data: bytes) -> None:
        if b"boom" in data:
            raise RuntimeError("a bug")
        real(protocol, data)

    monkeypatch.setattr(TextProtocol, "receive", receive)
    bob.send("boom\n")

    assert ann.read_line() == "<-- bob left (connection closed)"
    assert bob.read_rest() == b""
    ann.send("hello\n/who\n")
    assert ann.read_line() == "-- in lobby: ann"
    assert [record.getMessage() for record in caplog.records] == ["serving 127.0.0.1 failed"]
    caplog.clear()


@pytest.mark.parametrize("waits", [False, True])
def test_a_hook_that_interrupts_ends_its_connection_alone(
    server: MakeServer, clients: Clients, caplog: pytest.LogCaptureFixture, waits: bool
) -> None:
    """The thread goes on with the others."""

    class Interrupts(Handler):
        def before_message(self, session: Session, message: Message) -> Message:
            if message.text == "boom":
                raise KeyboardInterrupt
            return message

    Interrupts.waits = waits
    running = server(handlers=[Interrupts(), JoinLeaveNotices(), Broadcast()])
    ann, bob, carl = [clients.text(running, name) for name in ("ann", "bob", "carl")]

    bob.send("boom\n")
    bob.read_rest()
    ann.send("hello\n")

    assert carl.read_until("ann: hello")[-2:] == ["<-- bob left (connection closed)", "ann: hello"]
    wait_until(lambda: running.connections == 2, "its connection does not count any more")
    caplog.clear()


def test_stop_while_another_thread_stops_it(server: MakeServer, clients: Clients) -> None:
    """A hook on the loop, which the other one needs to end the connections, does not wait for it."""

    class Last(Handler):
        waits = False

        def on_disconnect(self, session: Session, reason: str) -> None:
            running.stop()

    running = server(handlers=[Last(), Broadcast()])
    peers = [clients.text(running, name) for name in ("ann", "bob")]

    running.stop()

    assert all(peer.read_rest() for peer in peers)
    assert running.connections == 0
    assert not pychat_threads()


def test_a_delay_that_is_no_number_is_an_error_of_the_handler(
    server: MakeServer, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    """The person is told, and the log says which hook it was."""

    class Forgets(Handler):
        def delay(self, session: Session, verb: Verb) -> float:
            return None  # type: ignore[return-value]

    running = server(handlers=[Broadcast()])
    ann = clients.text(running, "ann")
    running.add_handler(Forgets())

    ann.send("hello\n")

    assert ann.read_line() == "! internal error"
    assert "Forgets.delay returned None, not a number of seconds" in caplog.text
    caplog.clear()


@pytest.mark.parametrize("threads", ["few", "each"])
@pytest.mark.parametrize("seconds", [1e12, math.inf])
def test_a_delay_without_an_end(
    server: MakeServer, clients: Clients, caplog: pytest.LogCaptureFixture, threads: str, seconds: float
) -> None:
    """It ends with the session, and nobody else notices."""

    class Never(Handler):
        waits = False

        def delay(self, session: Session, verb: Verb) -> float:
            return seconds if isinstance(verb, Say) and verb.text == "never" else 0.0

    limits = Limits(registration_seconds=math.inf, ping_seconds=math.inf, silence_seconds=math.inf)
    running = server(handlers=[Never(), JoinLeaveNotices(), Broadcast()], limits=limits, threads=threads)
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    session: Any = running.chat.find("ann")

    ann.send("never\n")
    wait_until(lambda: session.held_back is not None, "it is delayed")
    bob.send("hello\n")
    assert ann.read_until("bob: hello")
    session.disconnect("bye")

    assert bob.read_until("ann left")
    assert not caplog.records


def test_a_hook_for_delays_that_waits(server: MakeServer, clients: Clients, gate: Gate) -> None:
    """What the session said before is sent out first, and it counts as blocked, so that others wait for their turn."""

    class Asks(Handler):
        def delay(self, session: Session, verb: Verb) -> float:
            if isinstance(verb, Say) and verb.text.startswith("wait"):
                gate.waiting.append(verb.text)
                assert gate.open.wait(DEADLINE)
            return 0.0

    running = server(handlers=[Asks(), Broadcast()], limits=Limits(waiting_threads=1))
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")

    ann.send("hello\nwait\n")

    assert bob.read_until("ann: hello")
    wait_until(lambda: gate.waiting, "it waits")
    session: Any = running.chat.find("bob")
    bob.send("wait, too\n")
    wait_until(lambda: not session.link.connection.wait.input, "it waits for its turn")
    assert gate.waiting == ["wait"]
    gate.open.set()
    assert ann.read_until("bob: wait, too")


def test_a_delay_may_refuse(server: MakeServer, clients: Clients) -> None:
    """As every hook that decides."""

    class Closed(Handler):
        def delay(self, session: Session, verb: Verb) -> float:
            raise Refused("not now")

    running = server(handlers=[Broadcast()])
    ann = clients.text(running, "ann")
    running.add_handler(Closed())

    ann.send("hello\n")

    assert ann.read_line() == "! not now"


def test_nothing_is_kept_of_connections_that_are_over_at_once(server: MakeServer) -> None:
    """Also if a thread of its own has served one before the loop knows of it."""
    running = server(threads="each")
    for _ in range(50):
        socket.create_connection(("127.0.0.1", running.port)).close()
    loop: Any = running._connections._loop

    wait_until(lambda: not running._connections._links, "all are over")
    wait_until(lambda: not loop._timers._where, "nobody watches them")


def test_whoever_sends_many_lines_lets_others_have_their_turn(
    server: MakeServer, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every 64 lines here, and none of them is lost or out of order."""
    monkeypatch.setattr(connection, "_SHARE_SECONDS", 0.0)
    running = server()
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    texts = [f"/me is at {number}" for number in range(1000)]

    ann.send("\n".join(texts) + "\n")

    assert [bob.read_line() for _ in texts] == [f"* ann is at {number}" for number in range(1000)]


def test_few_or_each() -> None:
    """Anything else is a mistake of the program."""
    with pytest.raises(ValueError, match="threads must be 'few' or 'each', not 'many'"):
        ChatServer(port=0, threads="many")  # type: ignore[arg-type]


def test_a_relay_without_a_thread_has_no_spare_until_one_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop then resumes nobody who might block."""
    started = Relay(lambda: None)
    monkeypatch.setattr(relay, "_AGAIN_SECONDS", 0.0)

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert not started.has_spare()

    assert started.has_spare()
    started.end()
    wait_until(lambda: not pychat_threads(), "the thread ends")
