"""The delay before the next attempt to connect: growing, and random, so that not all clients connect at once."""

from __future__ import annotations

import random
import time
from typing import Final

RETRY_SECONDS: Final = 0.5
_LONGEST_SECONDS: Final = 30.0
_STEADY_SECONDS: Final = 10.0
"""A connection of this length counts as good; after a shorter one delays keep growing, to protect the server."""


class Backoff:
    """Created when there is a connection, or before the first attempt. Not thread-safe."""

    def __init__(self, retry_seconds: float = RETRY_SECONDS) -> None:
        """
        Args:
            retry_seconds: The longest delay before the first attempt after a good connection; it doubles for each
                further one, up to 30 s.
        """
        self._retry_seconds = retry_seconds
        self._tried = 0
        self._began = time.monotonic()

    def connected(self) -> None:
        """Record that there is a connection."""
        self._began = time.monotonic()

    def lost(self) -> None:
        """Record that it is lost; after a good connection, delays are short again."""
        if time.monotonic() - self._began >= _STEADY_SECONDS:
            self._tried = 0

    def delay(self) -> float:
        """Return how many seconds to wait before the next attempt."""
        longest = min(_LONGEST_SECONDS, self._retry_seconds * 2 ** min(self._tried, 30))
        self._tried += 1
        return random.uniform(0, longest)
