"""`pychat` as a program of its own, for the tests: what it prints can be waited for, and it always ends."""

from __future__ import annotations

import json
import os
import queue
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import pytest
from chat_clients import DEADLINE

from pychat import Limits
from pychat.cli.server.options import Plan
from pychat.cli.units import Keep

PYCHAT = (sys.executable, "-m", "pychat")
CALLED = shlex.join(PYCHAT)
"""How it calls itself when it is called like this."""


ROUTINE = re.compile("(serves at|has come in:|is gone after|the server has ended)")
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


class Program:
    """A running `pychat`."""

    def __init__(self, *arguments: str, environment: dict[str, str], directory: Path) -> None:
        self.process = subprocess.Popen(
            [*PYCHAT, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=directory,
        )
        assert self.process.stdin
        assert self.process.stdout
        assert self.process.stderr
        self.stdin = self.process.stdin
        self.stdout = Stream(self.process.stdout)
        self.stderr = Stream(self.process.stderr)

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

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("PYCHAT_")}
        self.environment["XDG_CONFIG_HOME"] = str(directory / "config")
        self.environment["XDG_STATE_HOME"] = str(directory / "state")
        self.environment["PYTHONPATH"] = os.pathsep.join(map(str, [Path(__file__).parent.parent, *sys.path[1:]]))
        self._stack = ExitStack()

    def __call__(self, *arguments: str, **environment: str) -> Program:
        program = Program(*arguments, environment={**self.environment, **environment}, directory=self.directory)
        self._stack.callback(program.end)
        return program

    def serve(self, *arguments: str, port: int = 0) -> tuple[Program, int]:
        """Start a server; return it when it listens, with its port."""
        server = self("serve", "--port", str(port), *arguments)
        return server, server.read_port()

    def connect(self, port: int, nick: str, *arguments: str) -> Program:
        """Start a client."""
        return self("connect", "--port", str(port), "--nick", nick, *arguments)

    def run(self, *arguments: str, input: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `pychat` to its end."""
        return subprocess.run(
            [*PYCHAT, *arguments],
            input=input,
            capture_output=True,
            text=True,
            env={**self.environment, **environment},
            cwd=self.directory,
            timeout=DEADLINE,
            check=False,
        )

    def change(self, module: str, **values: float) -> None:
        """Let a module have other values in what starts from now on: longer times, for whatever may be held up."""
        lines = [f"import {module}\n", *(f"{module}.{name} = {value!r}\n" for name, value in values.items())]
        with (self.directory / "sitecustomize.py").open("a") as file:
            file.writelines(lines)
        self.environment["PYTHONPATH"] = os.pathsep.join([str(self.directory), self.environment["PYTHONPATH"]])

    def close(self) -> None:
        """End everything that was started."""
        self._stack.close()


@pytest.fixture
def pychat(tmp_path: Path) -> Iterator[Programs]:
    """What starts `pychat` in a process of its own."""
    programs = Programs(tmp_path)
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
        cpu=None,
        log_level="info",
        log_format="text",
    )
    return what._replace(**changes)
