"""Warnings about valid but strange conditions: limits that contradict each other, a disk that is nearly full."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from pychat.cli.units import size_of

logger = logging.getLogger("pychat")

_IRC_LINE_BYTES: Final = 512
"""Without tags, including the line end (RFC 1459 section 2.3)."""
_LITTLE_BYTES: Final = 500_000_000
_LITTLE_SHARE: Final = 0.05
"""Share of a disk. The smaller of the two counts, because five percent of a large disk is a lot."""
_LOOK_SECONDS: Final = 30.0


def doubts(limits: Mapping[str, Any]) -> list[str]:
    """
    Return warnings about limits that are each valid but contradict each other.

    Args:
        limits: The limits by option, without leading hyphens: `ping-seconds`. Other options are ignored.
    """
    found = []
    if limits["ping-seconds"] >= limits["silence-seconds"]:
        found.append(
            f"--ping-seconds {limits['ping-seconds']:g} is not below --silence-seconds {limits['silence-seconds']:g}: "
            "silent clients are disconnected without a ping before"
        )
    for lower, higher, why in (
        ("text-bytes", "line-bytes", "only JSON lines can have messages of that size"),
        ("line-bytes", "unfinished-bytes", "lines that are longer than that end the connection"),
        ("detection-seconds", "registration-seconds", "no client has that much time"),
    ):
        if limits[lower] > limits[higher]:
            found.append(f"--{lower} {limits[lower]:g} is above --{higher} {limits[higher]:g}: {why}")
    if limits["line-bytes"] < _IRC_LINE_BYTES:
        text = f"--line-bytes {limits['line-bytes']} is below {_IRC_LINE_BYTES}"
        found.append(f"{text}: IRC clients send lines of that size")
    return found


def little_space(record: Path) -> str | None:
    """
    Return a warning if the disk of a record is nearly full; None if it is not, or that is unknown.

    Args:
        record: Its file, which need not exist yet.
    """
    try:
        status = os.statvfs(os.path.realpath(record.parent))
    except OSError:
        return None
    free, size = status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize
    if free >= min(_LITTLE_BYTES, size * _LITTLE_SHARE):
        return None
    return f"the disk of {str(record)!r} is nearly full: {size_of(free)} of {size_of(size)} are free"


class DiskWatch:
    """Warns once when the disk of a record is nearly full, and reports when it is not any more."""

    def __init__(self, record: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            record: None if there is nothing to watch.
        """
        self._record, self._clock = record, clock
        self._next = clock()
        self._warned = False

    def look(self) -> None:
        """Check the disk, at most once in half a minute."""
        if self._record is None or self._clock() < self._next:
            return
        self._next = self._clock() + _LOOK_SECONDS
        trouble = little_space(self._record)
        if trouble is not None and not self._warned:
            logger.warning("%s; when it is full, messages are refused", trouble)
        elif trouble is None and self._warned:
            logger.warning("there is enough space again on the disk of %r", str(self._record))
        self._warned = trouble is not None
