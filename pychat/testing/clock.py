"""A clock that stands still until a test advances it."""

from __future__ import annotations

import threading
from typing import Final

from pychat.model.clock import Clock
from pychat.testing.waiting import DEADLINE

_LOOK_SECONDS: Final = 0.01
"""Real seconds between checks of a waiting thread's event, because setting an event does not notify the clock."""


class FakeClock(Clock):
    """
    The time of a chat in a test: `ChatServer(clock=FakeClock())`. Its methods may be called from any thread.

    A thread that waits by it, such as a handler in `Session.pause`, waits until the test calls `advance`.
    """

    def __init__(self, *, jumps: bool = False, start: float = 1_000_000_000.0) -> None:
        """
        Args:
            jumps: True to jump to the end of each wait at once, without waiting. `waits` contains their lengths.
            start: The initial time in POSIX seconds.
        """
        self._jumps = jumps
        self._start = start
        # Guards what follows. Nothing is called under it.
        self._moved = threading.Condition()
        self._passed = 0.0
        self._waiting: list[tuple[float, threading.Event]] = []
        """The end and the event of each wait; a thread whose time is over may not have noticed yet."""
        self.waits: list[float] = []
        """The lengths of all waits, finished or not, in seconds, in order."""

    def monotonic(self) -> float:
        return self._passed + 1000.0

    def time(self) -> float:
        return self._passed + self._start

    def advance(self, seconds: float) -> None:
        """Advance the time, at once. Threads that have waited long enough continue."""
        if seconds < 0:
            raise ValueError(f"time does not go back, not even {-seconds:g} s")
        with self._moved:
            self._passed += seconds
            self._moved.notify_all()

    def set_time(self, seconds: float) -> None:
        """Set the POSIX time, as an operator corrects a wrong clock; `monotonic` and waits are not affected."""
        with self._moved:
            self._start = seconds - self._passed

    def wait_for_waiters(self, number: int = 1, timeout: float = DEADLINE) -> None:
        """
        Wait, in real time, until this many threads wait by this clock: then it is time to `advance`.

        A thread whose event is set does not count; it may check the time and wait again, which then counts.

        Raises:
            AssertionError: If there were fewer within `timeout` seconds.
        """
        __tracebackhide__ = True
        with self._moved:
            if not self._moved.wait_for(lambda: self._waiters_locked() >= number, timeout):
                waiters = self._waiters_locked()
                raise AssertionError(f"{waiters} threads wait by the clock after {timeout:g} s, not {number}")

    def wait(self, event: threading.Event, seconds: float) -> bool:
        with self._moved:
            self.waits.append(seconds)
            if not self._jumps:
                self._wait_locked(event, self._passed + seconds)
                return event.is_set()
        self.advance(seconds)
        return event.is_set()

    def _waiters_locked(self) -> int:
        return sum(until > self._passed and not event.is_set() for until, event in self._waiting)

    def _wait_locked(self, event: threading.Event, until: float) -> None:
        waiter = until, event
        self._waiting.append(waiter)
        self._moved.notify_all()
        while self._passed < until and not event.is_set():
            self._moved.wait(_LOOK_SECONDS)
        self._waiting.remove(waiter)
