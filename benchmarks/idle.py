"""Measure idle connections: their cost without load, and what it takes to wake all of them."""

from __future__ import annotations

import os
import socket
import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.crowd import Crowd
from benchmarks.errors import LoadError
from benchmarks.load import difference
from benchmarks.registration import manner_of
from benchmarks.servers import Server
from benchmarks.wire import BUFFER_BYTES

_QUIET_SECONDS = 0.5
_HEAR_SECONDS = 30.0
_ENTER_SECONDS = 120.0
_TOGETHER = 200
_BACKLOGS = {"ngircd": 8}
"""It lets 10 connections wait to be accepted; the system makes others wait for a second."""
_PROBES = 5


@dataclass(frozen=True)
class Idle:
    """The cost of idle connections, and the server's response times with them."""

    connections: int
    enter_seconds: float
    """Until all were connected and welcome."""
    kib_each: float | None
    threads: int | None
    """Of the server, with all of them."""
    cpu_percent: float | None
    """Of one processor, while all were idle."""
    cpu_seconds: float | None
    """The same, in seconds."""
    wake_ms: float | None
    """From the first request of all members at once to the last answer; None if the server answers no request."""
    wake_cpu: float | None
    """Processor seconds of the server meanwhile."""
    probes: Probes | None
    """None if the members do not share a room in which the text protocol is spoken."""


@dataclass(frozen=True)
class Probes:
    """Response times with the idle connections; the median of several."""

    join_ms: float
    """From connecting to the welcome of one more member that sends its nickname at once."""
    message_ms: float
    """From one member to one other."""
    everybody_ms: float
    """From one member to the last of all of them."""


def idle(server: Server, connections: int, seconds: float) -> Idle:
    """Connect idle members, watch the server, wake all of them, then let one more join and talk."""
    manner = manner_of(server.name, server.language)
    together = _BACKLOGS.get(server.name, _TOGETHER)
    with Crowd(server.address, manner) as first:  # only the first connection has these costs
        first.enter(["first"], 1, _HEAR_SECONDS)
    with Crowd(server.address, manner) as crowd:
        before = server.memory()
        started = time.monotonic()
        entered = crowd.enter((f"idle{number}" for number in range(connections)), together, _ENTER_SECONDS)
        enter_seconds = time.monotonic() - started
        if entered < connections:
            raise LoadError(f"only {entered} of {connections} members were welcome after {_ENTER_SECONDS:.0f} s")
        crowd.drain(_QUIET_SECONDS)
        after, threads = server.memory(), server.threads()
        cpu, started = server.cpu(), time.monotonic()
        crowd.drain(seconds, at_least=seconds)
        spent, watched = difference(server.cpu(), cpu), time.monotonic() - started
        wake, wake_cpu = _wake(server, crowd, manner.answer) if manner.request else (None, None)
        probes = _probes(server, crowd) if manner.talks else None
    return Idle(
        connections,
        enter_seconds,
        None if before is None or after is None else (after.resident - before.resident) / connections,
        threads,
        None if spent is None else 100 * spent / watched,
        spent,
        None if wake is None else wake * 1e3,
        wake_cpu,
        probes,
    )


def _wake(server: Server, crowd: Crowd, answer: bytes) -> tuple[float, float | None]:
    """Return the seconds from the first request to the last answer, and the server's processor seconds."""
    cpu, started = server.cpu(), time.monotonic()
    crowd.ask_all()
    crowd.wait_for(answer, _HEAR_SECONDS)
    took = time.monotonic() - started
    crowd.drain(_QUIET_SECONDS)
    return took, difference(server.cpu(), cpu)


def _probes(server: Server, crowd: Crowd) -> Probes:
    results = [_probe(server, crowd, number) for number in range(_PROBES)]
    return Probes(*(statistics.median(times) * 1e3 for times in zip(*results, strict=True)))


def _probe(server: Server, crowd: Crowd, number: int) -> tuple[float, float, float]:
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
