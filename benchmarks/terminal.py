"""Measure `pychat connect` at a terminal: its start time, and the cost of a flood."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.errors import LoadError
from benchmarks.servers import Server, cpu_of
from benchmarks.wire import BUFFER_BYTES, enter

_PATIENCE_SECONDS = 20.0
_STARTS = 5
_BEFORE, _AFTER = "half a line, ", "and the rest"
"""The input typed before and after the flood."""
_NUMBER = re.compile(rb"message (\d{6}) ")


@dataclass(frozen=True)
class TerminalClient:
    """The figures of a terminal client."""

    start_ms: float
    """From its start until it is connected and draws its line, minus the time of `python -c pass`; median."""
    messages: int
    shown: int
    """How many of them were written to the terminal."""
    behind_ms: float
    """From the last message sent until it is shown."""
    cpu_percent: float
    """Of one processor, used by the client during the flood."""


def terminal(server: Server, rate: float, seconds: float) -> TerminalClient:
    """
    Send messages at this rate while half a line is typed; then type the rest, and send it.

    Raises:
        LoadError: If the typed line was not sent as a whole, or the client ended.
    """
    starts = sorted(_start(server, f"starter{number}") for number in range(_STARTS))
    speaker, hearer = enter(server.address, ["speaker", "hearer"])
    with speaker, hearer, _client(server, "typist") as client:
        client.read_until(b"connected")
        client.press(_BEFORE)
        before, began = client.cpu(), time.monotonic()
        messages = max(1, int(rate * seconds))
        _flood(client, [speaker.fileno(), hearer.fileno()], speaker, rate, messages)
        took, spent, ended = time.monotonic() - began, client.cpu() - before, time.monotonic()
        client.read_until(b"message %06d " % (messages - 1))
        behind = time.monotonic() - ended
        client.press(_AFTER + "\r")
        _wait_for_line(hearer, f"typist: {_BEFORE}{_AFTER}".encode())
        shown = len(set(_NUMBER.findall(client.written)))
    return TerminalClient(starts[_STARTS // 2] * 1000, messages, shown, behind * 1000, 100 * spent / took)


def _start(server: Server, nick: str) -> float:
    """Return the seconds until a client is usable, beyond those of an idle interpreter."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    alone = time.monotonic() - began
    began = time.monotonic()
    with _client(server, nick) as client:
        client.read_until(b"connected")
        return time.monotonic() - began - alone


def _flood(client: _Client, readers: list[int], speaker: socket.socket, rate: float, messages: int) -> None:
    """Send so many numbered messages at a steady rate, and read all input."""
    began, said = time.monotonic(), 0
    while said < messages:
        due = min(messages, int((time.monotonic() - began) * rate) + 1)
        if due > said:
            speaker.setblocking(True)
            speaker.sendall(b"".join(b"message %06d of a flood\n" % number for number in range(said, due)))
            said = due
        for ready in select.select([client.terminal, *readers], [], [], 1 / rate)[0]:
            if ready == client.terminal:
                client.read()
            else:
                os.read(ready, BUFFER_BYTES)


def _wait_for_line(sock: socket.socket, line: bytes) -> None:
    sock.setblocking(True)
    sock.settimeout(_PATIENCE_SECONDS)
    heard = b""
    try:
        while line not in heard.split(b"\n"):
            heard += sock.recv(BUFFER_BYTES)
    except OSError as error:
        raise LoadError(f"{line.decode()!r} was typed, but not said; {heard[-200:]!r} was heard") from error


class _Client:
    """`pychat connect` on a pseudo-terminal."""

    def __init__(self, server: Server, nick: str, terminal: int, slave: int) -> None:
        host, port = server.address
        command = [sys.executable, "-m", "pychat", "connect", "--nick", nick, "--host", host, "--port", str(port)]
        self.terminal = terminal
        self.written = b""
        """Everything that it has written."""
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color", "XDG_STATE_HOME": os.devnull},
            start_new_session=True,
        )

    def press(self, keys: str) -> None:
        """Type keys."""
        os.write(self.terminal, keys.encode())

    def read(self) -> None:
        """Read its output."""
        try:
            self.written += os.read(self.terminal, BUFFER_BYTES)
        except OSError as error:
            raise LoadError(f"the client has ended: {self.written[-200:]!r}") from error

    def read_until(self, text: bytes) -> None:
        """Read until it has written this text."""
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while text not in self.written:
            left = give_up - time.monotonic()
            if left <= 0 or not select.select([self.terminal], [], [], left)[0]:
                raise LoadError(f"{text!r} did not come, but {self.written[-200:]!r}")
            self.read()

    def cpu(self) -> float:
        """Return the processor seconds that it has used so far."""
        return cpu_of(self.process.pid)


@contextmanager
def _client(server: Server, nick: str) -> Iterator[_Client]:
    terminal, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    try:
        client = _Client(server, nick, terminal, slave)
        os.close(slave)
        try:
            yield client
        finally:
            client.process.kill()
            client.process.wait()
    finally:
        os.close(terminal)
