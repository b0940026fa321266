"""
Retention: which stored events have expired, by a clock that may be wrong.

A clock that is a year ahead must not delete a year of the log. So if the clock is far ahead of the newest event, age is
counted from that event. Events that expire all at once, rather than gradually, are deleted slowly, with a warning, so
that an operator has hours to set the clock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pychat.model.clock import Clock

logger = logging.getLogger("pychat")

DAY_SECONDS: Final = 86_400.0
"""How far the clock and the log may differ without doubts about the clock."""
_HOUR_SECONDS: Final = 3600.0
_RATION: Final = 0.1
"""The share of the log that may be deleted in an hour after expiring all at once; at least one block."""


class Retention:
    """Used by the log's thread only. For each check of the oldest events, call `begin`, then `is_over` in order."""

    def __init__(self, path: Path, keep_seconds: float, clock: Clock) -> None:
        """
        Args:
            path: The file, for the server's log.
            keep_seconds: The retention time; older events have expired.
            clock: The source of time.
        """
        self._path, self._keep_seconds, self._clock = path, keep_seconds, clock
        self._since = 0.0
        """Events before this time have expired. POSIX seconds."""
        self._expected = (0.0, 0.0)
        """Events between these times expired gradually since nothing was expired."""
        self._clean: tuple[float, float] | None = None
        """The value of `_since` when nothing was expired, and when that was (`Clock.monotonic`)."""
        self._ration_until = self._clock.monotonic()
        self._ration = 0.0
        """The bytes of unexpectedly expired events that may be deleted until `_ration_until`."""
        self._deleted = 0
        """The number of events deleted from this ration."""
        self._warned: set[str] = set()
        """The warnings given in this hour."""
        self._days_ahead = 0.0

    def begin(self, newest: float, size: int) -> None:
        """
        Read the clock.

        Args:
            newest: The time of the newest stored event.
            size: The bytes of all records.
        """
        now, monotonic = self._clock.time(), self._clock.monotonic()
        is_ahead = now > newest + DAY_SECONDS
        self._since = (newest if is_ahead else now) - self._keep_seconds
        self._days_ahead = (now - newest) / DAY_SECONDS if is_ahead else 0.0
        since, at = self._clean or (self._since, monotonic)
        self._expected = since, since + monotonic - at
        if monotonic >= self._ration_until:
            self._ration_until = monotonic + _HOUR_SECONDS
            self._ration, self._deleted, self._warned = size * _RATION, 0, set()

    def is_over(self, time: float, size: int, count: Callable[[], int]) -> bool:
        """
        Return whether a block has expired and may be deleted now.

        Args:
            time: The time of its last event.
            size: Its bytes.
            count: Returns the number of its events.
        """
        if time >= self._since:
            if time < self._clock.time() - self._keep_seconds:
                self._warn(
                    "ahead",
                    f"the clock is {self._days_ahead:.0f} days ahead of the newest event; age is counted from that",
                )
            self._clean = self._since, self._clock.monotonic()
            return False
        first, end = self._expected
        if first <= time < end:
            return True
        if self._ration <= 0:
            self._warn(
                "ration",
                f"{self._deleted} events became too old all at once and were deleted; other old events wait, because "
                "at most a tenth of the record is deleted in an hour",
            )
            return False
        self._ration -= size
        self._deleted += count()
        return True

    def _warn(self, kind: str, text: str) -> None:
        """Log a warning, at most once an hour."""
        if kind not in self._warned:
            self._warned.add(kind)
            logger.warning("%s: %s. Is the clock right?", self._path, text)
