"""Measure idle connections: their cost without load."""

from __future__ import annotations

import os
import socket
import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.errors import LoadError
from benchmarks.load import difference
from benchmarks.servers import Server
from benchmarks.wire import BUFFER_BYTES, Listeners, enter

_QUIET_SECONDS = 0.5
_HEAR_SECONDS = 30.0
_PROBES = 5


@dataclass(frozen=True)
class Idle:
    """The cost of idle connections, and the server's response times with them."""

    connections: int
    enter_seconds: float
    """Until all were connected and welcome."""
    kib_each: float | None
    cpu_percent: float | None
    """Of one processor, while all were idle."""
    join_ms: float
    """From connecting to the welcome of one more member that sends its nickname at once; the median of several."""
    message_ms: float
    """From one member to one other."""
    everybody_ms: float
    """From one member to the last of all of them."""


def idle(server: Server, connections: int, seconds: float) -> Idle:
    """Connect idle members, watch the server, then let one more join and talk."""
    with ExitStack() as stack:
        for sock in enter(server.address, ["first"]):  # only the first connection has these costs
            sock.close()
        before = server.memory()
        started = time.monotonic()
        crowd = stack.enter_context(
            Listeners(enter(server.address, [f"idle{number}" for number in range(connections)]))
        )
        entered = time.monotonic() - started
        crowd.drain(_QUIET_SECONDS)
        after = server.memory()
        cpu, started = server.cpu(), time.monotonic()
        crowd.drain(seconds, at_least=seconds)
        spent, watched = difference(server.cpu(), cpu), time.monotonic() - started
        probes = [_probe(server, crowd, number) for number in range(_PROBES)]
    join, message, everybody = (statistics.median(times) * 1e3 for times in zip(*probes, strict=True))
    return Idle(
        connections,
        entered,
        None if before is None or after is None else (after.resident - before.resident) / connections,
        None if spent is None else 100 * spent / watched,
        join,
        message,
        everybody,
    )


def _probe(server: Server, crowd: Listeners, number: int) -> tuple[float, float, float]:
    """Return the seconds of a join, of a message to one member, and of the same message to everybody."""
    joins = []
    with ExitStack() as stack:
        sockets = []
        for name in (f"speaker{number}", f"listener{number}"):
            started = time.monotonic()
            sock = stack.enter_context(socket.create_connection(server.address, timeout=30.0))
            sock.sendall(f"{name}\n".encode())
            _read_until(sock, b"\n")
            joins.append(time.monotonic() - started)
            sockets.append(sock)
            crowd.drain(_QUIET_SECONDS)
        speaker, listener = sockets
        text = f"hello-{os.getpid()}-{number}\n".encode()
        started = time.monotonic()
        speaker.sendall(text)
        _read_until(listener, text)
        message = time.monotonic() - started
        crowd.wait_for(text, _HEAR_SECONDS)
        everybody = time.monotonic() - started
    crowd.drain(_QUIET_SECONDS)
    return statistics.mean(joins), message, everybody


def _read_until(sock: socket.socket, end: bytes) -> None:
    heard = b""
    while not heard.endswith(end):
        data = sock.recv(BUFFER_BYTES)
        if not data:
            raise LoadError(f"the server closed the connection after {heard[-200:]!r}")
        heard += data
