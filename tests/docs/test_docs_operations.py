"""docs/operations.md: every command of it does what the page says, in the order of the page."""

from __future__ import annotations

import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chat_clients import DEADLINE
from chat_programs import Program, Programs, pychat
from chat_tls import new_certificate

from pychat import Limits, testing
from pychat.transport.admission import OWN_FILES

__all__ = ["pychat"]  # the fixture

TEXT = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
BLOCK = re.compile(r"^```sh(| serve| stopped| proxied)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Operator:
    """Does what the page says, with a server that runs while it may."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self._server: Program | None = None
        bin = programs.directory / "bin"
        bin.mkdir()
        (bin / "pychat").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pychat "$@"\n')
        (bin / "pychat").chmod(0o755)
        programs.environment["PATH"] = f"{bin}:{programs.environment['PATH']}"

    def serve(self, command: str = "pychat serve --db chat.db") -> None:
        """Run a server, and say something in it."""
        self.stop()
        name, verb, *arguments = shlex.split(command)
        assert (name, verb) == ("pychat", "serve")
        self._server, port = self._programs.serve(*arguments)
        assert self._programs.run("send", "--port", str(port), "--nick", "ann", "tea at four").returncode == 0

    def serve_proxied(self, command: str) -> None:
        """Run a server that takes proxies only, and come in as through one."""
        self.stop()
        name, *arguments = shlex.split(command)
        assert name == "pychat"
        if "--port" in arguments:  # that of the page may be somebody else's on this machine
            arguments[arguments.index("--port") + 1] = "0"
        self._server = self._programs(*arguments)
        where = self._server.stdout.read_line()
        assert "it accepts only proxies: join through yours." in where
        port = re.search(r" port (\d+)", where)
        at: tuple[str, int | None] = (
            ("127.0.0.1", int(port[1]))
            if port
            else (
                str(self._programs.directory / "chat.sock"),
                None,
            )
        )
        peer = testing.Peer(*at)
        peer.send("PROXY TCP4 192.0.2.1 192.0.2.2 40000 55555\r\nann\n/who\n")
        peer.read_until("-- in lobby: ann")
        peer.close()

    def stop(self) -> None:
        """Stop the server, if one runs."""
        if self._server is not None:
            self._server.process.terminate()
            assert self._server.wait() == 0
            self._server = None

    def run(self, script: str) -> str:
        """Run commands as a shell does, while a server runs."""
        if self._server is None:
            self.serve()
        return self._run(script)

    def run_stopped(self, script: str) -> str:
        """The same without a server."""
        self.stop()
        return self._run(script)

    def _run(self, script: str) -> str:
        done = subprocess.run(
            ["sh", "-e", "-c", script],
            capture_output=True,
            text=True,
            env=self._programs.environment,
            cwd=self._programs.directory,
            timeout=DEADLINE * script.count("\n"),
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), script
        return done.stdout


@pytest.fixture
def operator(pychat: Programs) -> Iterator[Operator]:
    """Somebody with a shell."""
    somebody = Operator(pychat)
    yield somebody
    somebody.stop()


def block(name: str) -> str:
    """The block of the page that has this in it."""
    (script,) = [script for _, script in BLOCK.findall(TEXT) if name in script]
    return str(script)


def test_every_command_works(operator: Operator) -> None:
    """One after the other, without an error."""
    do: dict[str, Callable[[str], object]] = {
        "": operator.run,
        " serve": operator.serve,
        " stopped": operator.run_stopped,
        " proxied": operator.serve_proxied,
    }
    kinds = [kind for kind, _ in BLOCK.findall(TEXT)]
    assert {*kinds} == {*do}

    for kind, script in BLOCK.findall(TEXT):
        do[kind](script)


def test_the_config_file_is_good(pychat: Programs) -> None:
    """With its files in another place."""
    (text,) = re.findall(r"^```toml serve\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    pair = new_certificate(pychat.directory)
    assert {Path(pair.file).name, Path(str(pair.key)).name} == {"cert.pem", "key.pem"}
    (pychat.directory / "password").write_text("sesame\n")
    (pychat.directory / "operators").write_text("root:secret\n")
    for name in ("password", "operators"):
        (pychat.directory / name).chmod(0o600)
    text = re.sub("/(etc|var/lib)/pychat", str(pychat.directory), text).replace("0.0.0.0", "127.0.0.1")
    (pychat.directory / "config.toml").write_text(text)

    checked = pychat.run("config", "serve", "--config", "config.toml")
    server = pychat("serve", "--config", "config.toml", "--port", "0")

    assert (checked.returncode, checked.stderr) == (0, "")
    assert server.stdout.read_line().startswith("pychat listens on 127.0.0.1 port ")
    server.process.terminate()
    assert server.wait() == 0
    assert server.stderr.read_rest() == []


def test_the_unit_has_room_for_all_connections() -> None:
    """The server keeps some descriptors for itself, and has threads of its own."""
    for name in ("LimitNOFILE", "TasksMax"):
        number = re.search(rf"^{name}=(\d+)$", TEXT, re.MULTILINE)
        assert number
        assert int(number[1]) >= Limits().max_connections + OWN_FILES


def test_what_was_backed_up_is_restored(operator: Operator, pychat: Programs) -> None:
    """What was said before the backup is there again, what was said after it is not, and the server goes on with it."""
    operator.serve()
    operator.run(block("pychat db backup chat.db backup.db"))
    operator.serve()

    operator.run_stopped(block("mv chat.db"))

    assert pychat.run("history", "--db", "chat.db").stdout.count("tea at four") == 1
    operator.serve()
    assert pychat.run("history", "--db", "chat.db").stdout.count("tea at four") == 2
    assert pychat.run("db", "check", "chat.db").returncode == 0
    connection = sqlite3.connect(pychat.directory / "chat.db")
    assert connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
    connection.close()


def test_the_files_are_those_of_the_page(operator: Operator, pychat: Programs) -> None:
    """The table has those that are there while a server runs."""
    operator.serve()

    named = re.findall(r"`(chat\.db[a-z-]*)`", TEXT.partition("| File | |")[2].partition("\n\n")[0])
    assert {path.name for path in pychat.directory.glob("chat.db*")} == set(named)
