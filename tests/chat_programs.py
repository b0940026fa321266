"""`pychat` as a program of its own, for the tests: what it prints can be waited for, and it always ends."""

from __future__ import annotations

import fcntl
import json
import os
import queue
import re
import shlex
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import cache, partial
from pathlib import Path
from typing import IO, Any, Protocol, TypeAlias

import pytest
from chat_clients import DEADLINE
from fork_server import ForkServer

from pychat import Limits
from pychat.cli.server.options import Plan
from pychat.cli.units import Keep

PYCHAT = (sys.executable, "-m", "pychat")
CALLED = shlex.join(PYCHAT)
"""How it calls itself when it is called like this."""


ROUTINE = re.compile("(serves at|joined the server:|left the server after|the server has ended)")
"""What the log of a server says anyway."""


class Stream:
    """Lines of one of a program's outputs; what the log of a server says anyway is apart, in `routine`."""

    def __init__(self, stream: IO[str]) -> None:
        self.routine: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                if ROUTINE.search(line):
                    self.routine.append(line.rstrip("\n"))
                else:
                    self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def read_line(self) -> str:
        """Return the next line."""
        line = self._lines.get(timeout=DEADLINE)
        assert line is not None, "the program has ended"
        return line

    def read_until(self, last: str) -> list[str]:
        """Return the next lines, up to and with the first that has this in it."""
        lines = [self.read_line()]
        while last not in lines[-1]:
            lines.append(self.read_line())
        return lines

    def read_rest(self) -> list[str]:
        """Return all lines up to the end."""
        lines = []
        while (line := self._lines.get(timeout=DEADLINE)) is not None:
            lines.append(line)
        return lines


Files: TypeAlias = tuple[int, int, int]
"""Descriptors of stdin, stdout and stderr."""


class Process(Protocol):
    """A process that was started: `subprocess.Popen`, or a fork."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


@cache
def _python_path() -> str:
    return os.pathsep.join(map(str, [Path(__file__).parent.parent, *sys.path[1:]]))


def user_environment() -> dict[str, str]:
    """Return the environment without settings of pychat; its programs find the modules that the tests find."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYCHAT_")}
    return {**variables, "PYTHONPATH": _python_path()}


class Program:
    """A running `pychat`."""

    def __init__(self, process: Process, stdin: IO[str], stdout: IO[str], stderr: IO[str]) -> None:
        self.process = process
        self.stdin = stdin
        self.stdout = Stream(stdout)
        self.stderr = Stream(stderr)

    def send(self, line: str) -> None:
        """Write a line to its stdin."""
        self.stdin.write(line + "\n")
        self.stdin.flush()

    def read_object(self, type: str) -> dict[str, Any]:
        """Return the next JSON object of this type that it prints; what comes before it is dropped."""
        while True:
            item: dict[str, Any] = json.loads(self.stdout.read_line())
            if item["type"] == type:
                return item

    def read_port(self) -> int:
        """Return the port of a server that has started; it tells how to join."""
        match = re.search(r"nc 127\.0\.0\.1 (\d+)", self.stdout.read_until("nc 127.0.0.1 ")[-1])
        assert match
        return int(match[1])

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """Kill it, and return when it is dead: until then, its port is taken."""
        self.process.kill()
        self.wait()

    def wait(self) -> int:
        """Wait for its end, and return its exit code."""
        return self.process.wait(DEADLINE)

    def end(self) -> None:
        """Make sure that it ends."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE)
        self.stdin.close()


class Programs:
    """Starts programs in a directory of their own, without any settings of the user; ends them."""

    def __init__(self, directory: Path, fork_server: ForkServer | None) -> None:
        """
        Args:
            fork_server: Starts them where it can; without it, each program imports everything itself.
        """
        self.directory = directory
        self._fork_server = fork_server
        self._changes: list[tuple[str, str, float]] = []
        self.environment = {
            **user_environment(),
            "XDG_CONFIG_HOME": str(directory / "config"),
            "XDG_STATE_HOME": str(directory / "state"),
        }
        self._stack = ExitStack()

    def without_forks(self) -> Programs:
        """Return what starts programs in the same directory, each by its name."""
        return Programs(self.directory, None)

    def __call__(self, *arguments: str, **environment: str) -> Program:
        program = Program(*self._start_in_pipes(arguments, environment))
        self._stack.callback(program.end)
        return program

    def start(
        self, arguments: Sequence[str], files: Files, environment: Mapping[str, str], *, terminal: bool = False
    ) -> Process:
        """
        Start `pychat` with these arguments, stdin, stdout and stderr, and exactly this environment.

        Whoever calls it ends the program. `terminal` makes stdin its terminal.
        """
        if self._fork_server is None or not self._fork_server.can_start(environment):
            return self.execute((*PYCHAT, *arguments), files, environment, terminal=terminal)
        return self._fork_server.start(
            arguments, files, environment, self.directory, terminal=terminal, changes=self._changes
        )

    def execute(
        self, command: Sequence[str], files: Files, environment: Mapping[str, str], *, terminal: bool = False
    ) -> Process:
        """Start any program, as `start` does."""
        if self._changes:
            lines = [f"import {module}\n{module}.{name} = {value!r}\n" for module, name, value in self._changes]
            (self.directory / "sitecustomize.py").write_text("".join(lines))
            path = os.pathsep.join([str(self.directory), environment["PYTHONPATH"]])
            environment = {**environment, "PYTHONPATH": path}
        stdin, stdout, stderr = files
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=environment,
            cwd=self.directory,
            start_new_session=terminal,
            preexec_fn=partial(fcntl.ioctl, stdin, termios.TIOCSCTTY, 0) if terminal else None,  # for job control
        )

    def _start_in_pipes(
        self, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> tuple[Process, IO[str], IO[str], IO[str]]:
        (stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr) = os.pipe(), os.pipe(), os.pipe()
        files = (stdin, stdout, stderr)
        try:
            process = self.start(arguments, files, {**self.environment, **environment})
        finally:
            for file in files:
                os.close(file)
        return process, os.fdopen(to_stdin, "w"), os.fdopen(from_stdout), os.fdopen(from_stderr)

    def serve(self, *arguments: str, port: int = 0) -> tuple[Program, int]:
        """Start a server; return it when it listens, with its port."""
        server = self("serve", "--port", str(port), *arguments)
        return server, server.read_port()

    def connect(self, port: int, nick: str, *arguments: str) -> Program:
        """Start a client."""
        return self("connect", "--port", str(port), "--nick", nick, *arguments)

    def run(self, *arguments: str, input: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `pychat` to its end."""
        process, stdin, stdout, stderr = self._start_in_pipes(arguments, environment)
        with stdout, stderr, ThreadPoolExecutor(2) as readers:
            outputs = [readers.submit(stream.read) for stream in (stdout, stderr)]
            try:
                with suppress(BrokenPipeError), stdin:  # it may end before it has read everything
                    stdin.write(input)
                code = process.wait(DEADLINE)
            finally:
                process.kill()
            return subprocess.CompletedProcess(arguments, code, *[output.result() for output in outputs])

    def change(self, module: str, **values: float) -> None:
        """Let a module have other values in what starts from now on: longer times, for whatever may be held up."""
        self._changes += [(module, name, value) for name, value in values.items()]

    def close(self) -> None:
        """End everything that was started."""
        self._stack.close()


@pytest.fixture
def pychat(tmp_path: Path, fork_server: ForkServer | None) -> Iterator[Programs]:
    """What starts `pychat` in a process of its own."""
    programs = Programs(tmp_path, fork_server)
    yield programs
    programs.close()


def plan(**changes: Any) -> Plan:
    """What `pychat serve --port 0` means."""
    what = Plan(
        host="127.0.0.1",
        port=0,
        rooms=("lobby",),
        server_name="pychat",
        server_description="a chat server",
        motd=None,
        oper_file=None,
        password_file=None,
        tls=None,
        tls_required=False,
        proxies=(),
        db=None,
        db_sync="full",
        keep=Keep(),
        limits=Limits(),
        registration=True,
        flood_control=True,
        handlers=(),
        threads="few",
        cpu=None,
        log_level="info",
        log_format="text",
    )
    return what._replace(**changes)
