"""Measure registrations: many members come, a bounded number at a time, stay until all are there, and leave."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from benchmarks.crowd import Crowd
from benchmarks.errors import LoadError
from benchmarks.load import difference
from benchmarks.registration import manner_of
from benchmarks.servers import Server

_QUIET_SECONDS: Final = 0.3
_FIRST_SECONDS: Final = 20.0
_LEAVE_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Connect:
    """The cost of registrations."""

    members: int
    """How many were registered: all, unless time was over before."""
    together: int
    """How many were unregistered at a time, at most."""
    seconds: float
    """From the first connection to the last welcome."""
    server_cpu: float | None
    """Processor seconds of the server, until it was quiet after the last welcome."""
    generator_cpu: float
    """Processor seconds of all members meanwhile."""
    leave_cpu: float | None
    """Processor seconds of the server, from when all of them left until it was quiet."""

    @property
    def per_second(self) -> float:
        """Registrations per second."""
        return self.members / self.seconds


def connect(server: Server, members: int, together: int, seconds: float) -> Connect:
    """
    Let so many members register, for at most so many seconds.

    Raises:
        LoadError: If one of them is refused, or if nobody is registered in time.
    """
    manner = manner_of(server.name, server.language)
    with Crowd(server.address, manner) as first:  # only the first connection has these costs
        if not first.enter(["first"], 1, _FIRST_SECONDS):
            raise LoadError(f"the first member was not registered in {_FIRST_SECONDS:.0f} s")
    with Crowd(server.address, manner) as crowd:
        cpu, own_cpu, started = server.cpu(), time.process_time(), time.monotonic()
        registered = crowd.enter((f"m{number:05d}" for number in range(members)), together, seconds)
        took = time.monotonic() - started
        crowd.drain(_QUIET_SECONDS)
        after, own = server.cpu(), time.process_time() - own_cpu
    if not registered:
        raise LoadError(f"nobody was registered in {seconds:.0f} s")
    left = _wait_until_quiet(server)
    return Connect(registered, together, took, difference(after, cpu), own, difference(left, after))


def _wait_until_quiet(server: Server) -> float | None:
    """Wait until the server uses no more processor time; return what it has used."""
    give_up = time.monotonic() + _LEAVE_SECONDS
    used = server.cpu()
    while used is not None and time.monotonic() < give_up:
        time.sleep(_QUIET_SECONDS)
        now = server.cpu()
        if now == used:
            break
        used = now
    return used
