"""`pychat serve` as a process: how it starts, what it says, how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from chat_clients import DEADLINE, Clients, free_port, wait_until
from chat_programs import CALLED, PYCHAT, ROUTINE, Programs, pychat

__all__ = ["pychat"]  # the fixture

STOP_SECONDS = 2.0


def test_it_says_how_to_join(pychat: Programs, clients: Clients) -> None:
    """On stdout, at once, with commands that work as they are; nothing on stderr."""
    server, port = pychat.serve()

    assert server.stdout.read_line() == f"    {CALLED} connect --nick NAME --port {port}"
    assert server.stdout.read_line() == f"    irssi -c 127.0.0.1 -p {port}"
    channel = "In irssi, or any other IRC client without TLS, then type: /join #lobby"
    assert server.stdout.read_line() == channel
    assert server.stdout.read_line() == "Press Ctrl-C to stop it."
    assert clients.text(("127.0.0.1", port), "ann")
    server.signal(signal.SIGINT)
    assert server.wait() == 0
    assert server.stderr.read_rest() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_everybody_is_told_why(pychat: Programs, clients: Clients, number: signal.Signals) -> None:
    """Within 2 s, with exit code 0."""
    server, port = pychat.serve()
    ann = clients.text(("127.0.0.1", port), "ann")
    bob = clients.json(("127.0.0.1", port), "bob")
    clients.raw(("127.0.0.1", port))
    start = time.monotonic()

    server.signal(number)

    assert server.wait() == 0
    assert time.monotonic() - start < 5 * STOP_SECONDS  # the process itself ends, too, on a busy machine
    assert ann.read_until("goodbye")[-1] == "-- goodbye: the server is shutting down"
    assert bob.next("bye") == {"type": "bye", "reason": "the server is shutting down"}


def test_nohup_keeps_it(pychat: Programs, clients: Clients) -> None:
    """Who ignores SIGHUP for it wants it to go on."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        server, port = pychat.serve()
    finally:
        signal.signal(signal.SIGHUP, before)
    ann = clients.text(("127.0.0.1", port), "ann")

    server.signal(signal.SIGHUP)

    for _ in range(10):
        ann.send("/list\n")
        assert ann.read_line() == "-- lobby: 1 member"


def test_a_port_in_use_is_one_line(pychat: Programs) -> None:
    """It says what to do next, and the exit code is 1."""
    _, port = pychat.serve()

    result = pychat.run("serve", "--port", str(port))

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        f"Error: cannot listen on 127.0.0.1 port {port}: it is in use, perhaps by another pychat, or by an outgoing "
        "connection, which gets a port from 32768 to 60999; choose another with --port, or 0 for any free one\n"
    )


@pytest.mark.parametrize(
    ("host", "problem"),
    [
        ("203.0.113.1", "cannot listen on 203.0.113.1 port 0: this machine does not have that address; "),
        ("no.such.host.invalid", "no address is known for host 'no.such.host.invalid'; use one of this machine, "),
        ("\udcff", "no address is known for host '\\udcff'; use one of this machine, "),
        ("x" * 64, f"no address is known for host {'x' * 64!r}; use one of this machine, "),
    ],
)
def test_an_address_that_cannot_be_had_is_one_line(pychat: Programs, host: str, problem: str) -> None:
    """Each with its own advice."""
    result = pychat.run("serve", "--host", host, "--port", "0")

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: {problem}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_everywhere_is_warned_about(pychat: Programs, host: str) -> None:
    """There is no password and no TLS."""
    if host == "::" and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    server = pychat("serve", "--host", host, "--port", "0")

    assert server.stderr.read_line() == (
        "warning: everybody who can reach this machine can join: pychat listens on all its addresses "
        f"({host}) without password or TLS"
    )
    assert server.stdout.read_line().startswith(f"pychat listens on {host} port ")


@pytest.mark.parametrize("how", ["closed", "broken"])
def test_a_stdout_that_nobody_reads_is_no_reason_to_end(pychat: Programs, clients: Clients, how: str) -> None:
    """It serves, without a traceback, also at the end."""
    pychat.change("pychat.server", _STOP_SECONDS=DEADLINE)  # for the goodbye
    port = free_port()
    reading, writing = os.pipe()
    os.close(reading)
    shell = ["sh", "-c", 'exec "$@" >&-', "sh"] if how == "closed" else []
    process = subprocess.Popen(
        [*shell, *PYCHAT, "serve", "--port", str(port)],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=pychat.environment,
        cwd=pychat.directory,
    )
    os.close(writing)
    with process:
        try:
            wait_until(lambda: is_open(port), "the server listens")
            ann = clients.text(("127.0.0.1", port), "ann")
            process.terminate()
            assert ann.read_until("goodbye")
            said = process.communicate(timeout=DEADLINE)[1].splitlines()
            assert [line for line in said if not ROUTINE.search(line)] == []
            assert process.returncode == 0
        finally:
            process.kill()


def is_open(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_log_is_on_stderr_in_the_format_that_is_wanted(pychat: Programs, clients: Clients) -> None:
    """JSON for programs; at level debug it tells the language of each connection."""
    server, port = pychat.serve("--log-format", "json", "--log-level", "debug")
    clients.text(("127.0.0.1", port), "ann")

    record = json.loads(server.stderr.read_line())

    assert record.pop("time")
    assert record == {"level": "debug", "logger": "pychat", "text": "127.0.0.1 speaks text"}


def test_a_handler_of_ones_own(pychat: Programs, clients: Clients) -> None:
    """It is found in the current directory; when it fails, the log has one line about it."""
    (pychat.directory / "mine.py").write_text(
        "from pychat import Handler, Refused\n"
        "class NoShouting(Handler):\n"
        "    def before_message(self, session, message):\n"
        "        if message.text == 'BUG':\n"
        "            raise ValueError('two\\nlines')\n"
        "        if message.text.isupper():\n"
        "            raise Refused('no shouting, please')\n"
        "        return message\n"
    )
    server, port = pychat.serve("--handler", "mine:NoShouting")
    ann = clients.text(("127.0.0.1", port), "ann")

    ann.send("HELLO\n")
    assert ann.read_line() == "! no shouting, please"
    ann.send("BUG\n")
    assert ann.read_line() == "! internal error"
    line = server.stderr.read_line()
    assert " ERROR pychat: handler hook NoShouting.before_message failed\\nTraceback" in line
    assert line.endswith(r"ValueError: two\nlines")


def test_limits_and_flood_control_can_be_set(pychat: Programs, clients: Clients) -> None:
    """The options reach the server."""
    _, port = pychat.serve("--no-flood-control", "--nickname-chars", "3", "--room", "hall", "--server-name", "home")
    ann = clients.json(("127.0.0.1", port), "ann")

    ann.send('{"type":"say","text":"x"}\n' * 99)
    assert ann.answer("say", text="x")["type"] == "ok"
    text = ann.answer("nick", nick="anna")["text"]
    assert text.startswith("nickname 'anna': it is longer than 3 characters; use 1 to 3 letters")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot bind processes")
def test_it_can_be_bound_to_a_processor(pychat: Programs) -> None:
    """All its threads run there."""
    cpu = max(os.sched_getaffinity(0))
    server, _ = pychat.serve("--cpu", str(cpu))

    pid = server.process.pid
    threads = [int(thread.name) for thread in Path(f"/proc/{pid}/task").iterdir()]
    assert len(threads) >= 3
    assert [os.sched_getaffinity(thread) for thread in threads] == [{cpu}] * len(threads)


def test_it_survives_a_stopped_terminal(pychat: Programs, clients: Clients) -> None:
    """Ctrl-Z and fg: the server goes on where it was."""
    server, port = pychat.serve()
    ann = clients.text(("127.0.0.1", port), "ann")

    server.signal(signal.SIGSTOP)
    server.signal(signal.SIGCONT)
    ann.send("/list\n")

    assert ann.read_line() == "-- lobby: 1 member"


def test_the_log_tells_who_comes_and_goes_and_what_goes_on(pychat: Programs, clients: Clients) -> None:
    """A line at the start and at the end, one for each who comes or goes; SIGUSR1 has the figures written."""
    pychat.change("pychat.server", _STOP_SECONDS=DEADLINE)  # so that everybody is gone before it ends
    server, port = pychat.serve("--db", "chat.db")
    ann = clients.text(("127.0.0.1", port), "ann")
    clients.json(("127.0.0.1", port), "bob").answer("say", text="hello")
    ann.read_until("bob: hello")
    server.signal(signal.SIGUSR1)
    figures = server.stderr.read_until("trouble: none")
    ann.send("/quit\n")
    ann.read_until("goodbye")
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    server.stderr.read_rest()

    said = [line.partition(" INFO pychat: ")[2] for line in server.stderr.routine]
    (serves,) = [line for line in said if " serves at " in line]  # who is fast comes in before that is logged
    assert re.fullmatch(rf"pychat \S+ serves at 127\.0\.0\.1 port {port}, process \d+, record 'chat\.db'", serves)
    said.remove(serves)
    assert said[:2] == ["ann from 127.0.0.1 joined the server: text", "bob from 127.0.0.1 joined the server: json"]
    gone = r"{} from 127\.0\.0\.1 left the server after \d+ s, messages: {}, '{}'"
    of_ann, of_bob = sorted(said[2:4])
    assert re.fullmatch(gone.format("ann", 0, "quit"), of_ann)
    assert re.fullmatch(gone.format("bob", 1, "the server is shutting down"), of_bob)
    assert said[4:] == ["the server has ended"]
    assert any(line.endswith(" people: 2, at most 2 at the same time") for line in figures)
    assert any(line.endswith(" languages: json 1, text 1") for line in figures)
