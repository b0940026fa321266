"""
The time for a chat: the system's clock, unless a test uses one that only moves when told to.

The chat and its handlers use `Chat.clock` for everything. Sockets always use real time, whatever the chat's clock is:
for slow or silent peers, unregistered ones, and the deadline for stopping.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from pychat.model.arguments import given


class Clock:
    """The system's clock. A replacement overrides all methods (`pychat.testing.FakeClock` does)."""

    # Static functions, so that a call costs no more than `time` itself: the clock is read for each chunk of input.
    monotonic: Callable[[], float] = staticmethod(time.monotonic)
    """Return seconds since some moment; never decreases."""
    time: Callable[[], float] = staticmethod(time.time)
    """Return POSIX seconds."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until the event is set or `seconds` have passed; return whether it is set."""
        return event.wait(seconds)


SYSTEM_CLOCK: Final = Clock()


def check_clock(clock: Clock) -> Clock:
    """Return a clock that a program gives; `TypeError` if it is not one."""
    return given("clock", clock, Clock, "a clock, such as pychat.testing.FakeClock()")
