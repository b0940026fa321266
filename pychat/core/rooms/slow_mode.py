"""Slow mode: when members of one room have talked last."""

from __future__ import annotations

import threading
from typing import Final

_MOST: Final = 10_000
"""Members who are remembered; of more, those who talked first may talk again too early."""


class Pace:
    """Thread-safe."""

    __slots__ = ("_lock", "_times")

    def __init__(self) -> None:
        # Guards the dictionary; nothing is called under it.
        self._lock = threading.Lock()
        self._times: dict[int, float] = {}
        """By identity, in order."""

    def take(self, identity: int, seconds: float, now: float) -> float:
        """
        Let somebody talk, if the last time was so many seconds ago.

        Returns:
            The seconds to wait; 0: it talks now.
        """
        with self._lock:
            last = self._times.get(identity)
            if last is not None and last + seconds > now:
                return last + seconds - now
            self._times.pop(identity, None)
            self._times[identity] = now
            while len(self._times) > _MOST or next(iter(self._times.values())) + seconds <= now:
                del self._times[next(iter(self._times))]
            return 0.0
