"""
Measure conversations in both directions: everybody sends numbered lines and receives those of all others.

This breaks a TLS implementation in which reading and writing interfere. The clients run in one thread, over
`ssl.MemoryBIO` of their own, so that only the server is tested; every line that they receive is checked.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count

from benchmarks.check import LineChecker, numbered
from benchmarks.errors import LoadError, ServerStuck
from benchmarks.load import difference
from benchmarks.servers import Server
from benchmarks.wire import BUFFER_BYTES

_ENTER_SECONDS = 30.0
_STUCK_SECONDS = 20.0
_WINDOW_BYTES = 131_072
"""Bytes that may be in flight to the slowest member when everybody sends: with them, less than a send queue."""
_TURN_BYTES = 65_536
"""Bytes that all members together send then."""
_numbers = count()


@dataclass(frozen=True)
class TwoWay:
    """The result of a conversation."""

    messages: int
    deliveries: int
    seconds: float
    server_cpu: float | None

    @property
    def per_second(self) -> float:
        """Deliveries per second."""
        return self.deliveries / self.seconds


def two_way(server: Server, members: int, seconds: float, text_bytes: int, *, tls: bool) -> TwoWay:
    """
    Let members talk for `seconds` seconds, and wait until all messages are received.

    Raises:
        LoadError: If a message is missing, repeated, out of order or damaged, or a connection has ended.
    """
    with ExitStack() as stack:
        crowd = _enter(stack, server, members, text_bytes, tls=tls)
        cpu, started = server.cpu(), time.monotonic()
        _talk(crowd, started + seconds, text_bytes)
        spent, took = difference(server.cpu(), cpu), time.monotonic() - started
    said = sum(member.said for member in crowd)
    return TwoWay(said, said * (members - 1), took, spent)


def kib_of_idle(server: Server, connections: int, *, tls: bool) -> float | None:
    """Return the server's memory per idle member; the members are gone afterwards."""
    with ExitStack() as stack:
        _enter(stack, server, 1, 64, tls=tls)  # only the first connection has these costs
    with ExitStack() as stack:
        before = server.memory()
        _enter(stack, server, connections, 64, tls=tls)
        after = server.memory()
    return None if before is None or after is None else (after.resident - before.resident) / connections


def _enter(stack: ExitStack, server: Server, members: int, text_bytes: int, *, tls: bool) -> list[_Member]:
    context = _context() if tls else None
    crowd = []
    for _ in range(members):
        # Names are unique, because the server may not have noticed the end of an earlier connection yet.
        crowd.append(_Member(stack, server, f"m{next(_numbers):06d}", text_bytes, context))
        crowd[-1].enter()
    return crowd


def _context() -> ssl.SSLContext:
    """Return a context without verification, because the server's identity does not matter here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class _Member:
    """One connection that sends and receives; plain or TLS."""

    def __init__(
        self, stack: ExitStack, server: Server, name: str, text_bytes: int, context: ssl.SSLContext | None
    ) -> None:
        self.name = name
        self.said = 0
        self.checker = LineChecker(name, text_bytes)
        self.socket = stack.enter_context(socket.create_connection(server.address, _ENTER_SECONDS))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unsent = b""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = None if context is None else context.wrap_bio(self._incoming, self._outgoing)

    def enter(self) -> None:
        """Perform the handshake, and become a member."""
        while self._tls is not None:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self.socket.sendall(self._outgoing.read())
                self._incoming.write(self.socket.recv(BUFFER_BYTES))
            else:
                break
        self.say(self.name.encode() + b"\n/who\n")
        self.socket.sendall(self.unsent)
        self.unsent, heard = b"", b""
        while b"-- in " not in heard:
            data = self._receive()
            if not data:
                raise LoadError(f"{self.name}: the server closed the connection after {heard!r}")
            heard += data
        self.socket.setblocking(False)

    def say(self, data: bytes) -> None:
        """Prepare bytes for sending."""
        if self._tls is None:
            self.unsent += data
        else:
            self._tls.write(data)
            self.unsent += self._outgoing.read()

    def send(self) -> None:
        """Send as much as the socket accepts."""
        if self.unsent:
            try:
                self.unsent = self.unsent[self.socket.send(self.unsent) :]
            except BlockingIOError:
                return

    def hear(self) -> None:
        """Check the input."""
        try:
            data = self._receive()
        except BlockingIOError:
            return
        if not data:
            raise LoadError(f"{self.name}: the server closed the connection; heard: {self.checker.notices}")
        self.checker.feed(data)

    def _receive(self) -> bytes:
        while True:
            data = self.socket.recv(BUFFER_BYTES)
            if self._tls is None or not data:
                return data
            self._incoming.write(data)
            plain = []
            try:
                while part := self._tls.read(BUFFER_BYTES):
                    plain.append(part)
            except ssl.SSLWantReadError:
                pass
            if plain:
                return b"".join(plain)


def _talk(crowd: Sequence[_Member], until: float, text_bytes: int) -> None:
    """Send and receive until the given time; after that, until everybody has received everything."""
    line_bytes = text_bytes + len(b"m000000: \n")
    turn = max(1, _TURN_BYTES // line_bytes // len(crowd))
    with select.epoll() as epoll:
        members = {member.socket.fileno(): member for member in crowd}
        for descriptor in members:
            epoll.register(descriptor, select.EPOLLIN)
        progress = time.monotonic()
        while True:
            now = time.monotonic()
            said = sum(member.said for member in crowd)
            least = min(member.checker.messages + member.said for member in crowd)
            if now < until or not said:
                if (said - least) * line_bytes < _WINDOW_BYTES:
                    for member in crowd:
                        member.say(
                            b"".join(
                                numbered(number, text_bytes) + b"\n"
                                for number in range(member.said, member.said + turn)
                            )
                        )
                        member.said += turn
            elif least == said:
                break
            try:
                for member in crowd:
                    member.send()
                for descriptor, _ in epoll.poll(0.01, len(crowd)):
                    members[descriptor].hear()
                    progress = time.monotonic()
            except OSError as error:
                raise LoadError(f"a connection has ended: {error}") from error
            if time.monotonic() > progress + _STUCK_SECONDS:
                raise ServerStuck(_STUCK_SECONDS)
    for member in crowd:
        member.checker.finish({other.name: other.said for other in crowd if other is not member})
