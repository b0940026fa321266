"""`benchmarks/` with members who only come and wait: registrations, memory, and waking all of them."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from benchmarks.__main__ import main
from benchmarks.connect import connect
from benchmarks.crowd import Crowd
from benchmarks.errors import LoadError
from benchmarks.idle import idle
from benchmarks.languages import IRC, TEXT, Conversation
from benchmarks.registration import IrcRegistration, JsonRegistration, TextRegistration, manner_of
from benchmarks.servers import Server
from pychat import ChatServer
from pychat.handlers import Broadcast, JoinLeaveNotices, NicknameValidator

DEADLINE = 10.0
LANGUAGES = {"pychat": TEXT, "pychat-json": TEXT, "pychat-irc": IRC}


@pytest.fixture
def running_server() -> Iterator[ChatServer]:
    """A server without flood control."""
    with ChatServer(port=0, handlers=[NicknameValidator(), JoinLeaveNotices(), Broadcast()]).start() as server:
        yield server


def measured(name: str, server: ChatServer) -> Server:
    """A server in this process, as the measurements know it."""
    return Server(name, ("127.0.0.1", server.port), None, LANGUAGES[name])


@pytest.mark.parametrize(
    ("kind", "lines", "answer"),
    [
        (TextRegistration, b"NICK-- welcome to pychat, ann\n--> bob joined\n", b""),
        (JsonRegistration, b'{"type":"welcome","nick":"ann"}\n{"type":"ping"}\n', b'{"type":"pong"}\n'),
        (IrcRegistration, b":irc.test 001 ann :Hello\r\nPING :x\r\n:irc.test 422 ann :No MOTD\r\n", b"PONG :x\r\n"),
        (IrcRegistration, b":irc.test 376 ann :End of MOTD\r\n", b""),
    ],
)
def test_a_member_is_registered_wherever_its_input_is_cut(
    kind: Callable[[str], Conversation], lines: bytes, answer: bytes
) -> None:
    """By its last line at the latest, and pings are answered before and after that."""
    ann = kind("ann")

    answers = b"".join([ann.hear(lines[position : position + 1]) for position in range(len(lines))])

    assert (ann.welcome, answers) == (True, answer)


def test_irc_is_registered_at_the_end_of_the_message_of_the_day() -> None:
    """Not before: a server is not done with somebody after 001."""
    ann = IrcRegistration("ann")

    ann.hear(b":irc.test 001 ann :Hello\r\n:irc.test 375 ann :- MOTD\r\n")

    assert not ann.welcome
    assert ann.heard == b":irc.test 375 ann :- MOTD\r"


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (TextRegistration, "! nickname 'ann' is in use; choose another"),
        (JsonRegistration, '{"type":"error","code":"nickname_in_use","text":"no"}'),
        (IrcRegistration, ":irc.test 433 * ann :Nickname is already in use"),
        (IrcRegistration, "ERROR :Closing link: too many connections"),
    ],
)
def test_a_refused_member_is_an_error(kind: Callable[[str], Conversation], line: str) -> None:
    """The error is what the server said."""
    with pytest.raises(LoadError) as caught:
        kind("ann").hear(f"{line}\n".encode())

    assert str(caught.value) == f"ann: {line}"


@pytest.mark.parametrize("name", LANGUAGES)
def test_all_register_and_leave(name: str, running_server: ChatServer) -> None:
    """More members than may be unregistered at a time."""
    result = connect(measured(name, running_server), members=20, together=3, seconds=DEADLINE)

    assert (result.members, result.together) == (20, 3)
    assert result.per_second == 20 / result.seconds
    assert (result.server_cpu, result.leave_cpu) == (None, None)


def test_a_server_that_never_answers_ends_the_measurement() -> None:
    """After the given time, with nobody registered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with Crowd(address, manner_of("x", TEXT)) as crowd:
            assert crowd.enter(["ann", "bob"], 2, 0.1) == 0
            assert len(crowd) == 0


def test_a_server_that_hangs_up_is_an_error() -> None:
    """It says what the member had heard."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"NOTICE ann :go away\r\n")
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1024):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        with Crowd(listener.getsockname(), manner_of("x", IRC)) as crowd, pytest.raises(LoadError) as caught:
            crowd.enter(["ann"], 1, DEADLINE)
        thread.join()

    assert str(caught.value) == "ann: the server closed the connection after b'NOTICE ann :go away\\r'"


@pytest.mark.parametrize("name", LANGUAGES)
def test_everybody_is_woken(name: str, running_server: ChatServer) -> None:
    """In every language each member gets the answer to its own request."""
    server = measured(name, running_server)
    manner = manner_of(name, server.language)
    with Crowd(server.address, manner) as crowd:
        crowd.enter([f"m{number}" for number in range(5)], 5, DEADLINE)

        crowd.ask_all()
        crowd.wait_for(manner.answer, DEADLINE)

        with pytest.raises(LoadError) as caught:
            crowd.wait_for(b"tea", 0.0)
    assert str(caught.value) == "5 of 5 members did not hear b'tea' in 0 s"


@pytest.mark.parametrize(("name", "talks"), [("pychat", True), ("pychat-irc", False)])
def test_idle_members_are_measured(
    name: str, talks: bool, running_server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who share a room are also asked how fast it is; processor and memory need the process."""
    monkeypatch.setattr("benchmarks.idle._PROBES", 1)
    monkeypatch.setattr("benchmarks.idle._QUIET_SECONDS", 0.05)

    result = idle(measured(name, running_server), 5, 0.05)

    assert (result.connections, result.kib_each, result.threads, result.cpu_seconds) == (5, None, None, None)
    assert result.wake_ms is not None
    assert result.wake_ms > 0
    assert (result.probes is not None) == talks


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    """The results of a command, which must succeed."""
    assert main([*arguments, "--json"]) == 0
    results: list[dict[str, object]] = json.loads(capsys.readouterr().out)["results"]
    return results


def test_the_command_measures_registrations(capsys: pytest.CaptureFixture[str]) -> None:
    """Of several numbers at a time, the faster one counts, and both are there."""
    names = ["pychat", "pychat-json", "ngircd"]

    results = run(capsys, "connect", "--server", ",".join(names), "--members", "10", "--together", "2,8")

    assert [(row["server"], row["shape"], row["members"]) for row in results] == [(n, "10 members", 10) for n in names]
    assert all(set(row["windows"]) == {"2", "8"} for row in results)  # type: ignore[call-overload]  # JSON
    assert all(row["server_cpu"] is not None for row in results)


def test_the_command_measures_idle_members_over_tls(capsys: pytest.CaptureFixture[str]) -> None:
    """Beside an IRC server; the certificate is made for the measurement."""
    tls, ngircd = run(capsys, "idle", "--server", "pychat-tls,ngircd", "--members", "5", "--seconds", "0.1")

    assert (tls["server"], ngircd["server"]) == ("pychat-tls", "ngircd")
    assert ngircd["threads"] == 1
    assert int(str(tls["threads"])) <= 8, "five members cost no thread"
    assert tls["wake_ms"] is not None
