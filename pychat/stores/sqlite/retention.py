"""
Retention: which of the stored events are too old, by a clock that may be wrong.

A clock that is ahead by a year must not delete the record of a year. So age is counted from the newest event where the
clock is far ahead of it, and what becomes too old all at once, and not as time goes by, is deleted slowly, with a
warning: an operator has hours to set the clock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pychat.model.clock import Clock

logger = logging.getLogger("pychat")

DAY_SECONDS: Final = 86_400.0
"""How far the clock and the record may be apart without doubts about the clock."""
_HOUR_SECONDS: Final = 3600.0
_RATION: Final = 0.1
"""How much of the record may become too old at once and be deleted in an hour; at least one block."""


class Retention:
    """Used by the log's thread only. For each look at the oldest events: `begin`, then `is_over` in their order."""

    def __init__(self, path: Path, keep_seconds: float, clock: Clock) -> None:
        """
        Args:
            path: The file, for the log of the server.
            keep_seconds: Events older than this are too old.
            clock: What time it is.
        """
        self._path, self._keep_seconds, self._clock = path, keep_seconds, clock
        self._since = 0.0
        """What is before this time is too old. POSIX seconds."""
        self._expected = (0.0, 0.0)
        """What has become too old as time went by since nothing was: between these times."""
        self._clean: tuple[float, float] | None = None
        """`_since` when nothing was too old, and when that was (`Clock.monotonic`)."""
        self._ration_until = self._clock.monotonic()
        self._ration = 0.0
        """Bytes that may go until then, of what nobody expected to be too old."""
        self._deleted = 0
        """How many events went of it."""
        self._warned: set[str] = set()
        """Of what, in this hour."""
        self._days_ahead = 0.0

    def begin(self, newest: float, size: int) -> None:
        """
        Look at the clock.

        Args:
            newest: When the newest event happened that is stored.
            size: Of all that is stored.
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
        Return whether a block is too old and may be deleted now.

        Args:
            time: When its last event happened.
            size: Bytes of it.
            count: Returns how many events it has.
        """
        if time >= self._since:
            if time < self._clock.time() - self._keep_seconds:
                self._warn(
                    "ahead",
                    f"the clock is {self._days_ahead:.0f} days ahead of the newest event: age is counted from that",
                )
            self._clean = self._since, self._clock.monotonic()
            return False
        first, end = self._expected
        if first <= time < end:
            return True
        if self._ration <= 0:
            self._warn(
                "ration",
                f"{self._deleted} events became too old all at once and are deleted; the rest of what is too old by "
                "the clock waits: at most a tenth of the record goes in an hour",
            )
            return False
        self._ration -= size
        self._deleted += count()
        return True

    def _warn(self, kind: str, text: str) -> None:
        """Say it once an hour."""
        if kind not in self._warned:
            self._warned.add(kind)
            logger.warning("%s: %s. Is the clock right?", self._path, text)
