"""`pychat doctor`: what it looks at, and what it says is wrong."""

from __future__ import annotations

import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from chat_clients import DEADLINE, free_port
from chat_programs import CALLED, Programs, pychat
from chat_tls import certificate

from pychat import ChatServer
from pychat.cli import doctor
from pychat.cli.doctor import Finding, Grade
from pychat.transport.trust import Certificate

__all__ = ["certificate", "pychat"]  # the fixtures


@pytest.fixture(autouse=True)
def patient(pychat: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever answers may be as slow as the machine."""
    pychat.change("pychat.cli.doctor", _ANSWER_SECONDS=DEADLINE)
    monkeypatch.setattr(doctor, "_ANSWER_SECONDS", DEADLINE)


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """A port on which somebody takes a line and answers it; nothing: says nothing."""
    done = threading.Event()

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.settimeout(DEADLINE)
            peer.recv(1024)
            peer.sendall(answer)
            done.wait(DEADLINE)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        done.set()
        thread.join(DEADLINE)


# The port


def test_a_free_port_is_good() -> None:
    """A server can be started there."""
    port = free_port()

    text = f"127.0.0.1 port {port} is free; start a server with: pychat serve --port {port}"
    assert doctor.check_port("127.0.0.1", port) == Finding(Grade.OK, "port", text)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_pychat_server_is_good(host: str) -> None:
    """It is asked for a sign of life, also if it wants a password, and nobody in the chat hears of it."""
    with ChatServer(host=host, port=0, password="sesame").start() as server:
        finding = doctor.check_port(host, server.port)

        assert finding == Finding(Grade.OK, "port", f"a pychat server answers on {host} port {server.port}")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            (
                "is in use, but not by pychat: an HTTP server answers there: 'HTTP/1.1 400 Bad Request'; choose "
                "another with --port"
            ),
        ),
        (b"", "is in use, but not by pychat: no answer within 0.2 s; choose another with --port"),
        (b"server full\r\n", "is in use: it says 'server full'"),
        (
            b"\x15\x03\x03\x00\x02\x02\x32",
            "is in use by a server that requires TLS; choose another with --port",
        ),
    ],
)
def test_anything_else_on_the_port_is_wrong(monkeypatch: pytest.MonkeyPatch, answer: bytes, text: str) -> None:
    """It is named, if that is possible."""
    if not answer:
        monkeypatch.setattr(doctor, "_ANSWER_SECONDS", 0.2)
    with answering(answer) as port:
        finding = doctor.check_port("127.0.0.1", port)

    assert finding == Finding(Grade.WRONG, "port", f"127.0.0.1 port {port} {text}")


@pytest.mark.parametrize("host", ["x" * 64, "\udcff"])
def test_an_address_that_cannot_be_had_is_wrong(host: str) -> None:
    """With what `serve` would say: here of a name that no host can have."""
    text = f"no address is known for host {host!r}; use one of this machine, 127.0.0.1 or 0.0.0.0"
    finding = Finding(Grade.WRONG, "port", f"nobody answers, and no server can start here: {text}")
    assert doctor.check_port(host, 1) == finding


# The system


@pytest.mark.parametrize(
    ("soft", "hard", "grade", "text"),
    [
        (20_000, 20_000, Grade.OK, "10000 connections can be open"),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, Grade.OK, "10000 connections can be open"),
        (1024, 20_000, Grade.WARNING, "only 960 connections can be open; for 10000: ulimit -n 10064"),
        (
            1024,
            4096,
            Grade.WARNING,
            "only 960 connections can be open; for 10000: the administrator can raise the limit",
        ),
    ],
)
def test_open_files(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, grade: Grade, text: str) -> None:
    """Fewer than the server takes are a warning, with what to do."""
    monkeypatch.setattr(resource, "getrlimit", lambda which: (soft, hard))

    assert doctor.check_files() == Finding(grade, "files", text)


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least of the limits is the one that is named."""
    monkeypatch.setattr(doctor, "_thread_limits", lambda: iter([("a", 5000), ("b", 300), ("c", 10_000)]))
    assert doctor.check_threads() == Finding(Grade.WARNING, "threads", "only 300 threads can run: b")

    monkeypatch.setattr(doctor, "_thread_limits", lambda: iter([("c", 10_000)]))
    assert doctor.check_threads() == Finding(Grade.OK, "threads", "1020 threads can run")


def test_the_limits_of_this_system_are_numbers() -> None:
    """Whatever it has of them."""
    assert all(limit > 0 for _, limit in doctor._thread_limits())


def test_a_clock_that_is_behind_is_wrong() -> None:
    """Ids of events would be those of the past."""
    assert doctor.check_clock(Path(doctor.__file__).stat().st_mtime + 60).grade is Grade.OK

    assert doctor.check_clock(3e11).text == "11476-08-15 05:20 UTC"

    finding = doctor.check_clock(0.0)

    assert finding.grade is Grade.WRONG
    assert finding.text.startswith("1970-01-01 00:00 UTC is before pychat was installed (")


# The command


def test_it_reports_and_says_how_to_join(pychat: Programs) -> None:
    """Exit code 0 if nothing is wrong."""
    _, port = pychat.serve()

    result = pychat.run("doctor", "--port", str(port))

    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    subjects = [line.split()[1] for line in lines[:-4]]
    assert subjects == ["version", "port", "files", "threads", "clock", "terminal", "config", "serve"]
    assert lines[1] == f"ok       port      a pychat server answers on 127.0.0.1 port {port}"
    assert lines[5] == "ok       terminal  none: pychat connect would read and write lines"
    assert lines[-4:] == [
        "Join a server there with one of:",
        f"    nc 127.0.0.1 {port}",
        f"    {CALLED} connect --nick NAME --port {port}",
        f"    irssi -c 127.0.0.1 -p {port}",
    ]


def test_it_knows_that_a_password_is_wanted(pychat: Programs) -> None:
    """It is asked with a nickname that nobody can have."""
    server = pychat("serve", "--port", "0", PYCHAT_SERVE_PASSWORD="sesame")
    port = server.read_port()

    result = pychat.run("doctor", "--port", str(port))

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-2:] == [
        f"    irssi -c 127.0.0.1 -p {port} -w PASSWORD",
        "The server requires a password; pychat connect asks for it.",
    ]


def test_something_wrong_is_exit_code_1(pychat: Programs) -> None:
    """A variable that no command would take."""
    result = pychat.run("doctor", "--port", str(free_port()), PYCHAT_SERVE_PORT="x")

    assert result.returncode == 1
    problem = "Invalid value for '--port' (environment: PYCHAT_SERVE_PORT): 'x' is not a valid whole number."
    assert f"wrong    config    {problem}" in result.stdout.splitlines()


def test_a_config_file_that_is_wrong_is_wrong(pychat: Programs) -> None:
    """Each table is looked at, not only that of the doctor."""
    config = Path(pychat.environment["XDG_CONFIG_HOME"]) / "pychat"
    config.mkdir(parents=True)
    file = config / "config.toml"
    file.write_text("[tail]\nlines = -1\n")

    result = pychat.run("doctor", "--port", str(free_port()))

    assert result.returncode == 1
    problem = f"Invalid value for '--lines' (file: {file}, line 2): -1 is not in the range 0<=x<=1000000000."
    assert f"wrong    config    {problem}" in result.stdout.splitlines()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("portt = 5", "[serve] has no option 'portt'; did you mean 'port'?"),
        ('port = "x"', "'port' must be a whole number, not 'x'"),
    ],
)
def test_a_file_that_is_named_is_looked_at(pychat: Programs, line: str, problem: str) -> None:
    """What `serve` would refuse with this file is wrong here."""
    file = pychat.directory / "mine.toml"
    file.write_text(f"[serve]\n{line}\n")

    result = pychat.run("doctor", "--config", str(file), "--port", str(free_port()))

    assert result.returncode == 1
    assert f"wrong    config    config file {str(file)!r}, line 2: {problem}" in result.stdout.splitlines()


def test_nobody_is_told_to_join_what_is_no_chat(pychat: Programs) -> None:
    """It says what is there instead."""
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        result = pychat.run("doctor", "--port", str(port))

    assert result.returncode == 1
    assert "Join a server" not in result.stdout


# Whether a server answers


@pytest.mark.parametrize("password", [None, "sesame"])
def test_a_server_that_is_expected_answers(pychat: Programs, password: str | None) -> None:
    """Also one that would not let us in; nothing else is looked at."""
    with ChatServer(port=0, password=password).start() as server:
        result = pychat.run("doctor", "--port", str(server.port), "--expect", "server")

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"ok       port  a pychat server answers on 127.0.0.1 port {server.port}\n"


def test_a_server_that_is_expected_and_wants_tls_answers(pychat: Programs, certificate: Certificate) -> None:
    """Its refusal is a sign of life."""
    with ChatServer(port=0, tls=certificate, tls_required=True).start() as server:
        result = pychat.run("doctor", "--port", str(server.port), "--expect", "server")

    assert result.returncode == 0


def test_nobody_answers_where_a_server_is_expected(pychat: Programs) -> None:
    """A port that is free is no server."""
    port = free_port()

    result = pychat.run("doctor", "--port", str(port), "--expect", "server")

    assert result.returncode == 1
    assert result.stdout == f"wrong    port  no pychat server answers on 127.0.0.1 port {port}: Connection refused\n"


def test_somebody_else_answers_where_a_server_is_expected(pychat: Programs) -> None:
    """It is named."""
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        result = pychat.run("doctor", "--port", str(port), "--expect", "server")

    assert result.returncode == 1
    assert result.stdout.startswith(f"wrong    port  no pychat server answers on 127.0.0.1 port {port}: ")
