"""`ChatServer`: its life from bind to stop, whatever happens meanwhile, and what it refuses to accept."""

from __future__ import annotations

import errno
import logging
import os
import re
import resource
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from chat_clients import DEADLINE, Clients, Peer, pychat_threads, wait_until

from pychat import ChatClient, ChatServer, Handler, Joined, Limits, Message, Refused, Session
from pychat.model.errors import LocalProtocolError

MakeServer = Callable[..., ChatServer]

ENDS = "the server is shutting down"
STOPS_SECONDS = 15.0
"""In which a server stops: the promise is 2, the rest is for a machine that is busy with other things."""
HINT = b"NICKNAME wanted: type one and press Enter\r\n"


def open_files() -> int:
    """How many descriptors this process has."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 -- pathlib would open one more for each entry


# Start and stop


def test_port_0_takes_a_free_port_and_tells_it(server: MakeServer, clients: Clients) -> None:
    """Port 0 is for tests and games: the port is known when the server is started."""
    first, second = server(), server()

    assert first.port == first.server_address[1] > 0
    assert first.port != second.port
    assert clients.raw(second).socket.getpeername()[1] == second.port


def test_default_exposure_is_this_machine_only() -> None:
    """Threat "default exposure": who names no address listens on 127.0.0.1."""
    with ChatServer(port=0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_the_address_may_be_a_pair_as_socketserver_wants_it() -> None:
    """`ChatServer(("127.0.0.1", 0))` is the form that people know."""
    with ChatServer(("127.0.0.1", 0)) as server:
        assert server.server_address[0] == "127.0.0.1"
        assert server.port > 0


def test_ipv6(server: MakeServer, clients: Clients) -> None:
    """A host with colons is an IPv6 address, and everything works there, too."""
    running = server(host="::1")

    ann = clients.text(running, "ann")
    ann.send("/who\n")

    assert ann.read_line() == "-- in lobby: ann"


def test_ipv6_any_address_takes_ipv4_as_well(server: MakeServer, clients: Clients) -> None:
    """`::` is everybody: a client with IPv4 reaches it on the same port."""
    running = server(host="::")

    assert clients.text(("127.0.0.1", running.port), "ann")
    assert clients.text(("::1", running.port), "bob")


def test_leaving_the_context_stops_the_server() -> None:
    """`with` binds at its begin and ends everything at its end."""
    with ChatServer(port=0) as server:
        server.start()
        with Clients() as clients:
            ann = clients.text(server, "ann")
            server.__exit__()
            assert ENDS in ann.read_rest().decode()
    for thread in pychat_threads():
        thread.join(DEADLINE)
    assert pychat_threads() == []


def test_serve_forever_serves_on_this_thread_until_another_one_stops_it(clients: Clients) -> None:
    """The blocking form returns when somebody else stops the server."""
    with ChatServer(port=0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        assert clients.text(server, "ann")
        server.stop()
        thread.join(DEADLINE)
        assert not thread.is_alive()


def test_stop_right_after_start_ends_the_accept_thread() -> None:
    """There is no moment at which `stop` is lost, however early it comes."""
    for _ in range(50):
        ChatServer(port=0).start().stop()
    for thread in pychat_threads():
        thread.join(DEADLINE)
    assert pychat_threads() == []


def test_stop_of_a_server_that_never_started_frees_everything() -> None:
    """A server that is made and thrown away leaves no descriptor."""
    before = open_files()

    ChatServer(port=0).stop()

    assert open_files() == before


def test_stop_is_idempotent(server: MakeServer) -> None:
    """Whoever calls it, and how often, it ends once."""
    running = server()

    running.stop()
    running.stop()


def test_stop_from_several_threads_at_once_returns_in_all(server: MakeServer, clients: Clients) -> None:
    """The second caller waits until the first one is done."""
    running = server()
    clients.text(running, "ann")

    threads = [threading.Thread(target=running.stop) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)

    assert not any(thread.is_alive() for thread in threads)
    wait_until(lambda: running.connections == 0, "nobody is left")


def test_a_bot_of_the_program_is_not_a_connection(server: MakeServer, clients: Clients) -> None:
    """It needs none."""
    running = server()

    running.bot("dice")
    clients.text(running, "ann")

    assert running.connections == 1


def test_stop_tells_every_client_why_in_its_language(server: MakeServer, clients: Clients) -> None:
    """Text reads a line, JSON an object, and one without a nickname hears it, too."""
    running = server()
    ann, bob, nobody = clients.text(running, "ann"), clients.json(running, "bob"), clients.raw(running)
    assert nobody.read_exactly(4) == b"NICK"

    running.stop("a new version is installed")

    assert ann.read_rest().decode().splitlines()[-1] == "-- goodbye: a new version is installed"
    assert bob.next("bye") == {"type": "bye", "reason": "a new version is installed"}
    # By now it may have been told what to type.
    told = b"NICK" + nobody.read_rest()
    assert told.removeprefix(HINT).removeprefix(b"NICK") == b"-- goodbye: a new version is installed\n"


def test_stop_with_1000_idle_clients_takes_less_than_2_seconds_and_leaves_no_thread(server: MakeServer) -> None:
    """The promise of SAFETY 1.4, with 1,000 sockets that do nothing."""
    running = server()
    with ExitStack() as stack:
        peers = [Peer(running) for _ in range(1000)]
        for peer in peers:
            stack.callback(peer.close)
        for number, peer in enumerate(peers):
            peer.send(f"nick{number}\n")
        wait_until(lambda: len(running.chat.default_room.members) == 1000, "1,000 members")

        began = time.monotonic()
        running.stop()
        took = time.monotonic() - began

        assert took < STOPS_SECONDS
        wait_until(lambda: running.connections == 0, "nobody is left")
        last = peers[-1].read_rest().decode()
        assert last.endswith(f"-- goodbye: {ENDS}\n")
    for thread in pychat_threads():
        thread.join(DEADLINE)
    assert pychat_threads() == []


def test_stop_from_a_handler_ends_the_connection_that_asked_for_it(server: MakeServer, clients: Clients) -> None:
    """A `!stop` command must not wait for its own thread, and its socket is closed like the others."""
    stopped = threading.Event()

    class Stops(Handler):
        def on_message(self, session: Session, message: Message) -> None:
            running.stop("ann wants it")
            stopped.set()

    running = server(handlers=[Stops()])
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    files = open_files()

    ann.send("stop\n")

    assert stopped.wait(DEADLINE)
    assert ann.read_rest().endswith(b"-- goodbye: ann wants it\n")
    assert bob.read_rest() == b"-- goodbye: ann wants it\n"
    wait_until(lambda: not pychat_threads(), "no thread could be started")
    assert open_files() < files


def test_stop_names_a_thread_that_is_still_inside_a_handler(
    server: MakeServer, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    """A hook that does not return cannot be ended; stop returns in time and says which one it is."""
    inside, let_go = threading.Event(), threading.Event()

    class Stuck(Handler):
        def on_message(self, session: Session, message: Message) -> None:
            inside.set()
            let_go.wait(DEADLINE)

    running = server(handlers=[Stuck()])
    ann = clients.text(running, "ann")
    ann.send("hello\n")
    assert inside.wait(DEADLINE)

    began = time.monotonic()
    running.stop()
    took = time.monotonic() - began
    # What goes on behind the handler may have something to warn of, too.
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    let_go.set()

    assert took < STOPS_SECONDS
    assert warnings == ["pychat-client, serving 127.0.0.1, is still inside a handler"]
    wait_until(lambda: not pychat_threads(), "the thread ends when its handler returns")


@pytest.mark.parametrize("begins", [True, False])
def test_ctrl_c_while_a_reader_begins(monkeypatch: pytest.MonkeyPatch, begins: bool) -> None:
    """A reader that serves its connection already goes on with it until the server ends; otherwise it never begins."""
    monkeypatch.setattr("pychat.server._STOP_SECONDS", DEADLINE)  # for the goodbye
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        if thread.name == "pychat-client":
            if begins:
                start(thread)
                wait_until(lambda: server.chat.find("ann"), "ann is in")
            raise KeyboardInterrupt
        start(thread)

    with ChatServer(port=0, threads="each") as server, Clients() as clients:
        ann = clients.raw(server)
        ann.send("ann\n")
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", interrupted)
            with pytest.raises(KeyboardInterrupt):
                server.serve_forever()
        server.stop()

        said = ann.read_rest().decode()
        assert said.endswith(f"-- goodbye: {ENDS}\n") if begins else said == ""
        wait_until(lambda: server.connections == 0, "nobody is left")


def test_a_client_that_does_not_read_does_not_hold_up_stop(server: MakeServer, clients: Clients) -> None:
    """What a full socket does not take is not waited for longer than stop may last."""
    running = server()
    slow = clients.text(running, "slow", receive_buffer=4096)
    for _ in range(200):
        running.room("lobby").announce("x" * 4000)

    began = time.monotonic()
    running.stop()

    assert time.monotonic() - began < STOPS_SECONDS
    assert slow.read_rest().startswith(b"-- xxx")


def test_bind_error_is_raised_by_start(server: MakeServer) -> None:
    """Who starts a second server on a port learns it at once, as the OSError that it is, and nothing is left open."""
    running = server()
    before = open_files()

    second = ChatServer(port=running.port)
    with pytest.raises(OSError, match="Address already in use") as caught:
        second.start()

    assert caught.value.errno == errno.EADDRINUSE
    assert open_files() == before


def test_bind_error_is_raised_by_with_and_by_serve_forever(server: MakeServer) -> None:
    """All ways to bind tell it."""
    running = server()

    with pytest.raises(OSError, match="Address already in use"), ChatServer(port=running.port):
        pass
    with pytest.raises(OSError, match="Address already in use"):
        ChatServer(port=running.port).serve_forever()


def test_a_handler_that_cannot_be_used_leaves_nothing_open() -> None:
    """A server that cannot be made leaves no socket behind."""

    class Misspelt(Handler):
        def on_mesage(self, session: Session, message: Message) -> None:
            """Never called."""

    before = open_files()

    with pytest.raises(TypeError, match=r"Misspelt\.on_mesage is not a hook; did you mean on_message\?"):
        ChatServer(port=0, handlers=[Misspelt()])

    assert open_files() == before


def test_sessions_of_this_process_end_with_the_server(server: MakeServer) -> None:
    """A bot that waits for the next message does not wait for ever."""
    running = server()
    bot = running.session("bot")
    failures: list[BaseException] = []

    def wait() -> None:
        try:
            bot.next(Message)
        except LocalProtocolError as error:
            failures.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    running.stop()
    thread.join(DEADLINE)

    assert [str(error) for error in failures] == ["the session is closed: the server is shutting down"]
    with pytest.raises(LocalProtocolError, match="the session is closed"):
        bot.say("is anybody there?")


def test_nobody_is_let_in_after_stop(server: MakeServer) -> None:
    """An in-process session is refused like a connection."""
    running = server()
    running.stop()

    with pytest.raises(Refused, match="the server is shutting down") as caught:
        running.session("late")

    assert caught.value.code == "shutting_down"


# Accepting


def test_too_many_connections_get_one_line_and_leave_no_trace(server: MakeServer, clients: Clients) -> None:
    """Over the limit: one fixed line and a close; when somebody goes, there is room again."""
    running = server(limits=Limits(max_connections=2))
    ann, _ = clients.text(running, "ann"), clients.text(running, "bob")

    assert clients.raw(running).read_rest() == b"server full\r\n"

    ann.close()
    wait_until(lambda: running.connections == 1, "ann is gone")
    assert clients.text(running, "carl")


def test_the_limit_of_connections_is_lowered_to_what_descriptors_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 100 descriptors there are not 10,000 connections: 64 are kept for everything else."""
    monkeypatch.setattr(resource, "getrlimit", lambda which: (100, 100))
    with ChatServer(port=0) as server:
        assert server.service.admission.most == 36

    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    with ChatServer(port=0) as server:
        assert server.service.admission.most == 10_000


def test_without_free_descriptors_the_old_connections_go_on_and_new_ones_wait(
    server: MakeServer, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    """Promise 7: out of descriptors, refuse new, keep old; and when there are some again, accept."""
    running = server()
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    ann.read_until("bob joined")
    late = socket.socket()
    held: list[int] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with late:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 8, hard))  # noqa: PTH208
            with suppress(OSError):
                while True:
                    held.append(os.dup(0))
            late.settimeout(DEADLINE)
            late.connect(("127.0.0.1", running.port))
            wait_until(lambda: "cannot accept" in caplog.text, "the log says so")

            ann.send("are you there?\n")
            assert bob.read_line() == "ann: are you there?"
        finally:
            for file in held:
                os.close(file)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        late.sendall(b"late\n")

        assert ann.read_line() == "--> late joined lobby"


def test_a_thread_that_cannot_be_started_costs_only_its_connection(
    server: MakeServer, clients: Clients, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Promise 7: out of threads, refuse new, keep old; the refused one does not count as connected."""
    running = server(limits=Limits(max_connections=2), threads="each")
    ann = clients.text(running, "ann")

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert clients.raw(running).read_rest() == b""

    bob = clients.text(running, "bob")
    bob.send("hello\n")
    assert ann.read_until("bob: hello")
    assert "serving 127.0.0.1 failed" in caplog.text


def test_a_connection_that_is_gone_before_it_is_served_leaves_nothing(server: MakeServer, clients: Clients) -> None:
    """A port scanner opens and closes: no thread, no descriptor, no member is left."""
    running = server()
    ann = clients.text(running, "ann")
    files = open_files()

    for _ in range(50):
        clients.raw(running).reset()
    for _ in range(50):
        clients.raw(running).close()

    bob = clients.text(running, "bob")
    assert ann.read_line() == "--> bob joined lobby"
    bob.close()
    wait_until(lambda: running.connections == 1 and open_files() == files, "nothing is left but ann")


# What programs use


def test_rooms_commands_and_handlers_of_a_running_server(server: MakeServer, clients: Clients) -> None:
    """A program announces, adds a command and removes a handler while people talk."""

    class Loud(Handler):
        def before_message(self, session: Session, message: Message) -> Message:
            return message._replace(text=message.text.upper())

    running = server()
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    ann.read_until("bob joined")

    running.room("lobby").announce("The game starts in 10 seconds")
    assert ann.read_line() == bob.read_line() == "-- The game starts in 10 seconds"

    loud = Loud()
    running.add_handler(loud)
    ann.send("hello\n")
    assert bob.read_line() == "ann: HELLO"

    running.remove_handler(loud)
    ann.send("hello\n")
    assert bob.read_line() == "ann: hello"

    @running.command("twice")
    def twice(ctx: object, number: int) -> None:
        """Say a number twice as large."""
        running.room("lobby").announce(str(2 * number))

    ann.send("!twice 21\n")
    assert bob.read_until("42") == ["ann: !twice 21", "-- 42"]
    assert ann.read_line() == "-- 42"


def test_a_session_of_this_process_meets_those_behind_sockets(server: MakeServer, clients: Clients) -> None:
    """A bot hears and is heard."""
    running = server()
    ann = clients.text(running, "ann")
    bot = running.session("bot")
    assert ann.read_line() == "--> bot joined lobby"

    ann.send("hello bot\n")
    message = bot.next(Message, timeout=DEADLINE)
    assert (message.sender, message.text) == ("ann", "hello bot")
    bot.say("hello ann")

    assert ann.read_line() == "bot: hello ann"
    assert [type(event) for event in bot.history()] == [Joined, Joined, Message, Message]


def test_a_server_that_was_stopped_does_not_start_again(server: MakeServer) -> None:
    """It says so instead of listening nowhere."""
    stopped = server()
    stopped.stop()

    for start in (stopped.start, stopped.serve_forever, stopped.__enter__):
        with pytest.raises(LocalProtocolError, match="the server was stopped and cannot start again; create a new one"):
            start()


def test_a_string_is_no_list_of_rooms(server: MakeServer) -> None:
    """Else it would be taken for rooms with names of one letter."""
    running = server()

    with pytest.raises(TypeError, match=r"rooms must be a list of names: \['lobby'\], not 'lobby'"):
        running.session("ann", rooms="lobby")
    with pytest.raises(TypeError, match=r"rooms must be a list of names: \['lobby'\], not 'lobby'"):
        ChatClient("127.0.0.1", running.port, nick="ann", rooms="lobby")


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        ({"line_bytes": -1}, "limit line_bytes must be a whole number of at least 0, not -1"),
        ({"line_bytes": 1.5}, "limit line_bytes must be a whole number of at least 0, not 1.5"),
        ({"line_bytes": True}, "limit line_bytes must be a whole number of at least 0, not True"),
        ({"waiting_threads": 0}, "limit waiting_threads must be a whole number over 0, not 0"),
        ({"ping_seconds": "x"}, "limit ping_seconds must be a number of at least 0, not 'x'"),
        ({"ping_seconds": float("nan")}, "limit ping_seconds must be a number of at least 0, not nan"),
    ],
)
def test_limits_are_numbers(limits: dict[str, Any], problem: str) -> None:
    """What is none is refused where it is given."""
    with pytest.raises(ValueError, match=re.escape(problem)):
        Limits(**limits)
