"""How long to wait before the next try to connect: longer each time, and never all clients at the same moment."""

from __future__ import annotations

import random
import time
from typing import Final

RETRY_SECONDS: Final = 0.5
_LONGEST_SECONDS: Final = 30.0
_STEADY_SECONDS: Final = 10.0
"""A connection that lasted so long was a good one; after others delays go on growing, so that no server is hammered."""


class Backoff:
    """Made when there is a connection, or before the first one is tried. Not thread-safe."""

    def __init__(self, retry_seconds: float = RETRY_SECONDS) -> None:
        """
        Args:
            retry_seconds: The longest delay before the first try after a good connection; before each further one it is
                twice as long, and 30 s at most.
        """
        self._retry_seconds = retry_seconds
        self._tried = 0
        self._began = time.monotonic()

    def connected(self) -> None:
        """There is a connection."""
        self._began = time.monotonic()

    def lost(self) -> None:
        """It is lost; if it was a good one, delays are short again."""
        if time.monotonic() - self._began >= _STEADY_SECONDS:
            self._tried = 0

    def delay(self) -> float:
        """Return how many seconds to wait before the next try."""
        longest = min(_LONGEST_SECONDS, self._retry_seconds * 2 ** min(self._tried, 30))
        self._tried += 1
        return random.uniform(0, longest)
