"""
What time it is for a chat: the system's clock, unless a test gives it one that stands still until it is moved.

Everything that the chat and its handlers do by the clock asks `Chat.clock`. What is done with sockets goes by real time
whatever the chat's clock is: who is too slow, who is silent, who does not register, how long stopping may take.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from pychat.model.arguments import given


class Clock:
    """The system's clock. One of your own overrides all methods (`pychat.testing.FakeClock` does)."""

    # Methods of others, so that asking costs no more than asking `time` itself: it is done for each chunk of input.
    monotonic: Callable[[], float] = staticmethod(time.monotonic)
    """Return seconds since some moment: they never go back."""
    time: Callable[[], float] = staticmethod(time.time)
    """Return POSIX seconds."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until the event is set, or so many seconds are over; return whether it is set."""
        return event.wait(seconds)


SYSTEM_CLOCK: Final = Clock()


def check_clock(clock: Clock) -> Clock:
    """Return a clock that a program gives; `TypeError` if it is not one."""
    return given("clock", clock, Clock, "a clock, such as pychat.testing.FakeClock()")
