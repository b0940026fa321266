"""Programs as processes of their own, for the end-to-end tests: lines in, lines out, with a deadline."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from chat_clients import DEADLINE

CLASSIC_CLIENT = Path(__file__).with_name("classic_client.py")
_REPOSITORY = Path(__file__).parents[2]


class Program:
    """A process whose output is read line by line."""

    def __init__(self, command: Sequence[str]) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": str(_REPOSITORY), "PYTHONUNBUFFERED": "1"},
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *args: object) -> None:
        self.process.kill()
        self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()

    def send(self, line: str) -> None:
        """Type a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def read_line(self) -> str:
        """Return the next line that is not empty."""
        while True:
            line = self._lines.get(timeout=DEADLINE)
            if line is None:
                raise EOFError("the program has ended")
            if line:
                return line

    def read_until(self, last: str) -> list[str]:
        """Return the next lines, up to and with the first that has this in it."""
        lines = [self.read_line()]
        while last not in lines[-1]:
            lines.append(self.read_line())
        return lines

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)


def nc(port: int) -> Program:
    """The program of that name, which must be installed: it is how most people will meet this server."""
    return Program(["nc", "127.0.0.1", str(port)])


def classic_client(nickname: str, port: int) -> Program:
    """The tutorial's client."""
    return Program([sys.executable, str(CLASSIC_CLIENT), nickname, str(port)])
