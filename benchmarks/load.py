"""
The measurements with load, each against one running server.

They open their own connections, end within minutes, and raise `LoadError` if the server lost, repeated or reordered
anything: a fast but wrong server has no figures.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from benchmarks.errors import ServerStuck
from benchmarks.receivers import Heard, Receivers, Task
from benchmarks.senders import Load, Senders
from benchmarks.servers import Server
from benchmarks.wire import BUFFER_BYTES, QUIET_SECONDS, Listeners, enter

_SLOW_RECEIVE_BUFFER = 4096
_FILLING_BYTES = 8_000_000  # more than the kernel buffers for a member that never reads
_MARKER_SECONDS = 30.0
_WARM_UP_DELIVERIES = 100
_REST_SECONDS = 0.5
_DRAIN_SECONDS = 30.0


@dataclass(frozen=True)
class Shape:
    """Listening members, and further members who talk (and receive each other's messages)."""

    members: int
    senders: int

    def __str__(self) -> str:
        return f"{self.members}x{self.senders}"


@dataclass(frozen=True)
class Throughput:
    """One round of fan-out."""

    messages: int
    deliveries: int
    seconds: float
    server_cpu: float | None
    """Processor seconds of the server."""
    generator_cpu: float
    """Processor seconds of all processes of the load generator."""
    differing: int
    """Members who received everything, each sender in order, but the senders interleaved differently."""
    notices: list[str]
    """Other lines from the server."""

    @property
    def per_second(self) -> float:
        """Deliveries per second."""
        return self.deliveries / self.seconds


@dataclass(frozen=True)
class Latency:
    """One-way latencies of all deliveries, in milliseconds."""

    deliveries: int
    p50: float
    p99: float
    worst: float
    server_cpu: float | None


@dataclass(frozen=True)
class Slow:
    """Fan-out besides members that never read."""

    throughput: Throughput | None
    """None if the server got stuck."""
    cut_off: int
    """Members that never read and were disconnected by the server."""
    memory_growth: int | None
    """KiB of peak memory beyond that before the load."""


def fanout(server: Server, shape: Shape, load: Load, rounds: int, processes: int = 1) -> list[Throughput]:
    """Load a room in a closed loop, round by round, after a short round that is not counted."""
    with ExitStack() as stack:
        senders, receivers = _gather(stack, server, shape, load, processes)
        if rounds > 1:
            senders.prepare(Load(load.messages // 10, load.seconds / 10, load.text_bytes, load.window))
            senders.send_round(load, receivers)
        senders.prepare(load)
        return [_measure(server, shape, load, senders, receivers) for _ in range(rounds)]


def latency(server: Server, members: int, rate: float, seconds: float, text_bytes: int) -> Latency:
    """Send messages at a steady rate, and measure each delivery from just before `send` to after `recv`."""
    with ExitStack() as stack:
        shape = Shape(members, 1)
        senders, receivers = _gather(stack, server, shape, Load(0, seconds, text_bytes, 0), 1, timing=True)
        cpu = server.cpu()
        count = max(1, int(rate * seconds))
        started = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, started + number / rate - time.monotonic()))
            senders.say((b"=%d " % time.monotonic_ns()).ljust(text_bytes, b"x"))
        receivers.announce({senders.names[0]: count})
        (heard,) = receivers.results(30.0)
        spent = difference(server.cpu(), cpu)
    # The first deliveries to each member use sockets and caches for the first time.
    measured = sorted(heard.latencies[_WARM_UP_DELIVERIES:] or heard.latencies)
    p50, p99 = (measured[int(len(measured) * part)] / 1e6 for part in (0.5, 0.99))
    return Latency(len(heard.latencies), p50, p99, measured[-1] / 1e6, spent)


def slow(server: Server, members: int, stalled: int, load: Load) -> Slow:
    """Load a room as `fanout` does, in one round, while some more members never read."""
    with ExitStack() as stack:
        names = [f"stalled{number}" for number in range(stalled)]
        silent = enter(server.address, names, _SLOW_RECEIVE_BUFFER, server.language)
        for sock in silent:
            stack.callback(sock.close)
        if stalled:
            load = replace(load, at_least=_FILLING_BYTES // load.text_bytes)
        shape = Shape(members, 1)
        senders, receivers = _gather(stack, server, shape, load, 1)
        senders.prepare(load)
        before = server.memory()
        try:
            throughput = _measure(server, shape, load, senders, receivers)
        except ServerStuck:
            if not stalled:
                raise
            throughput = None
        after = server.memory()
        cut_off = sum(map(_is_cut_off, silent)) if throughput else 0
    growth = None if before is None or after is None else max(0, after.peak - before.resident)
    return Slow(throughput, cut_off, growth)


def _gather(
    stack: ExitStack, server: Server, shape: Shape, load: Load, processes: int, timing: bool = False
) -> tuple[Senders, Receivers]:
    """Connect everybody, and send a marker that only the load follows."""
    language = server.language
    marker = f"begin-{os.getpid()}-{time.monotonic_ns()}".encode()
    names = [f"m{number:04d}" for number in range(shape.members)]
    tasks = [
        Task(
            language, server.address, tuple(part), marker + language.newline, load.text_bytes, max(1, load.window // 8)
        )
        for part in (names[number::processes] for number in range(processes))
        if part
    ]
    receivers = stack.enter_context(Receivers(tasks, timing))
    receivers.wait_ready()
    senders = stack.enter_context(Senders(language, server.address, shape.senders))
    senders.say(marker)
    senders.added_bytes = receivers.wait_marker() - len(language.line(marker))
    # The first sender does not receive its own marker, but its welcome was sent before that.
    Listeners(senders.sockets[1:], language).wait_for(tasks[0].marker, _MARKER_SECONDS)
    Listeners(senders.sockets, language).drain(QUIET_SECONDS)
    return senders, receivers


def _measure(server: Server, shape: Shape, load: Load, senders: Senders, receivers: Receivers) -> Throughput:
    server_cpu, own_cpu = server.cpu(), time.process_time()
    sent = senders.send_round(load, receivers)
    return Throughput(
        sent.messages,
        sent.messages * shape.members + sent.heard_by_senders,
        sent.seconds,
        difference(server.cpu(), server_cpu),
        time.process_time() - own_cpu + sum(heard.cpu for heard in sent.heard),
        _differing(sent.heard),
        sent.heard[0].notices,
    )


def _differing(heard: Sequence[Heard]) -> int:
    """Return how many members received another order than the record of the first process."""
    digest = heard[0].digest
    return sum(part.differing if part.digest == digest else part.members for part in heard)


def difference(after: float | None, before: float | None) -> float | None:
    """Return the difference, if both values are known."""
    return None if after is None or before is None else after - before


def _is_cut_off(sock: socket.socket) -> bool:
    """Read the remaining bytes for this member; return whether the stream ends after them."""
    sock.settimeout(_REST_SECONDS)
    give_up = time.monotonic() + _DRAIN_SECONDS
    try:
        while time.monotonic() < give_up:
            if not sock.recv(BUFFER_BYTES):
                return True
    except TimeoutError:
        return False
    except OSError:
        return True
    return False
