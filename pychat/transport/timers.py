"""One timer per link, with a resolution of a second; `silence.py` sets them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, TypeAlias

from pychat.model.clock import Clock
from pychat.transport.link import Link

Alarm: TypeAlias = Callable[[Link], None]

_LONGEST_WAIT: Final = 3600.0
"""Seconds; no selector can wait for 25 days."""


class Timers:
    """
    A slot for each second, so that the cost of setting and cancelling does not depend on the number of timers.

    Used by the loop only.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._slots: dict[int, dict[Link, Alarm]] = {}
        self._where: dict[Link, int] = {}

    def set(self, link: Link, when: float, alarm: Alarm) -> None:
        """Call `alarm(link)` at `when` (`Clock.monotonic`) or up to a second later, instead of an earlier timer."""
        self.cancel(link)
        if when == math.inf:
            return
        second = int(when) + 1
        self._slots.setdefault(second, {})[link] = alarm
        self._where[link] = second

    def cancel(self, link: Link) -> None:
        """Cancel the timer of the link."""
        second = self._where.pop(link, None)
        if second is not None:
            slot = self._slots[second]
            del slot[link]
            if not slot:
                del self._slots[second]

    def timeout(self) -> float | None:
        """Return the seconds until `run` has something to do; None if no timer is set."""
        return min(_LONGEST_WAIT, max(0.0, min(self._slots) - self._clock.monotonic())) if self._slots else None

    def run(self) -> None:
        """Call the alarms that are due."""
        now = self._clock.monotonic()
        while self._slots and (second := min(self._slots)) <= now:
            slot = self._slots[second]
            while slot:  # an alarm may change the slot
                link, alarm = next(iter(slot.items()))
                self.cancel(link)
                alarm(link)
