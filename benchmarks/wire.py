"""
How the benchmarks speak to a server: the plain text protocol over raw sockets.

A server asks with the four bytes `NICK`, the answer is the nickname and a newline, and the first line that follows is
the welcome. From then on a line that is sent reaches everybody else as `nickname: line`.
"""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import TypeAlias

Address: TypeAlias = tuple[str, int]

BUFFER_BYTES = 262_144
"""Large reads, so that one of them costs less than what it reads."""

QUIET_SECONDS = 0.2
"""After the marker, so long nothing must come: a server may tell late who came in."""

_TOGETHER = 200
_ENTER_SECONDS = 180.0
_DRAIN_SECONDS = 30.0


class LoadError(Exception):
    """The server did not do what the benchmark needs; the measurement is worth nothing."""


class ServerStuck(LoadError):
    """Nothing is delivered any more."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        return f"the server delivered nothing for {self.seconds:.0f} s: it is stuck"


def enter(address: Address, names: Sequence[str], receive_buffer: int | None = None) -> list[socket.socket]:
    """
    Connect one member for each name, wait until all are welcome, and return their non-blocking sockets in order.

    What the members hear after their welcome (others who join) is read and thrown away.

    Args:
        receive_buffer: SO_RCVBUF of the sockets in bytes; None: what the kernel finds good.
    """
    newcomers: list[_Newcomer] = []
    try:
        _bring_in(newcomers, address, deque(names), receive_buffer)
    except BaseException:
        for newcomer in newcomers:
            newcomer.socket.close()
        raise
    return [newcomer.socket for newcomer in newcomers]


def _bring_in(newcomers: list[_Newcomer], address: Address, waiting: deque[str], receive_buffer: int | None) -> None:
    """Connect one after the other, some at the same time, until all are welcome."""
    wanted, welcome = len(waiting), 0
    by_descriptor = {}
    give_up = time.monotonic() + _ENTER_SECONDS
    with select.epoll() as epoll:
        while welcome < wanted:
            while waiting and len(newcomers) - welcome < _TOGETHER:
                newcomer = _Newcomer(waiting.popleft(), receive_buffer)
                newcomers.append(newcomer)
                newcomer.connect(address)
                by_descriptor[newcomer.socket.fileno()] = newcomer
                epoll.register(newcomer.socket, select.EPOLLIN)
            for descriptor, _ in epoll.poll(1.0, len(newcomers)):
                welcome += by_descriptor[descriptor].read()
            if time.monotonic() > give_up:
                raise LoadError(f"only {welcome} of {wanted} members were welcome after {_ENTER_SECONDS:.0f} s")


class _Newcomer:
    """A connection on its way to being a member."""

    def __init__(self, name: str, receive_buffer: int | None) -> None:
        self.name = name
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:  # before connecting: the window is agreed on then
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._heard = bytearray()
        self._asked = self._welcome = False

    def connect(self, address: Address) -> None:
        self.socket.settimeout(30.0)
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)

    def read(self) -> bool:
        """Read what came; return whether it made this a member."""
        try:
            data = self.socket.recv(BUFFER_BYTES)
        except BlockingIOError:
            return False
        if not data:
            raise LoadError(f"{self.name}: the server closed the connection after {bytes(self._heard)!r}")
        if self._welcome:
            return False
        self._heard += data
        if not self._asked:
            if not b"NICK".startswith(self._heard):
                raise LoadError(f"{self.name}: the server did not ask with NICK but with {bytes(self._heard)!r}")
            if self._heard == b"NICK":
                self._asked = True
                self._heard.clear()
                self.socket.sendall(f"{self.name}\n".encode())
            return False
        if self._heard.startswith(b"!") and b"\n" in self._heard:
            raise LoadError(f"{self.name}: {self._heard.decode(errors='replace').strip()}")
        self._welcome = b"\n" in self._heard
        return self._welcome


class Listeners:
    """Members who only listen; as a context manager it closes their sockets."""

    def __init__(self, sockets: Sequence[socket.socket]) -> None:
        self._sockets = {sock.fileno(): sock for sock in sockets}
        self._epoll = select.epoll()
        for sock in sockets:
            self._epoll.register(sock, select.EPOLLIN)

    def __enter__(self) -> Listeners:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._epoll.close()
        for sock in self._sockets.values():
            sock.close()

    def wait_for(self, text: bytes, seconds: float) -> None:
        """Read until each of them has heard this, and throw it away with all that came before."""
        waiting = dict.fromkeys(self._sockets, b"")
        give_up = time.monotonic() + seconds
        while waiting:
            for sock, data in self._read(0.5):
                heard = waiting.get(sock.fileno(), b"") + data
                if text in heard:
                    waiting.pop(sock.fileno(), None)
                elif sock.fileno() in waiting:
                    waiting[sock.fileno()] = heard[-len(text) :]
            if time.monotonic() > give_up:
                count = f"{len(waiting)} of {len(self._sockets)} members"
                raise LoadError(f"{count} did not hear {text!r} in {seconds:.0f} s")

    def drain(self, quiet: float, at_least: float = 0.0) -> None:
        """Read and throw away what comes for so many seconds, and until nothing came for so many."""
        started = time.monotonic()
        give_up = started + at_least + _DRAIN_SECONDS
        while time.monotonic() < give_up:
            if not self._read(quiet) and time.monotonic() - started >= at_least:
                return

    def _read(self, timeout: float) -> list[tuple[socket.socket, bytes]]:
        events = self._epoll.poll(timeout, max(1, len(self._sockets)))
        return [(self._sockets[descriptor], receive(self._sockets[descriptor])) for descriptor, _ in events]


def receive(sock: socket.socket) -> bytes:
    """Read what is there, nothing if nothing is; the end of the stream is an error."""
    try:
        data = sock.recv(BUFFER_BYTES)
    except BlockingIOError:
        return b""
    if not data:
        raise LoadError("the server closed the connection of a member")
    return data
