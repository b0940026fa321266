"""Slow mode: when the members of one room last spoke."""

from __future__ import annotations

import threading
from typing import Final

_MOST: Final = 10_000
"""The maximum number of members to remember; beyond it, those who spoke first may speak again too early."""


class Pace:
    """The times of the members' last messages. Thread-safe."""

    __slots__ = ("_lock", "_times")

    def __init__(self) -> None:
        # Guards the dictionary; nothing is called under it.
        self._lock = threading.Lock()
        self._times: dict[int, float] = {}
        """Times by identity, in order."""

    def take(self, identity: int, seconds: float, now: float) -> float:
        """
        Record a message now, if the member's last one is at least so many seconds ago.

        Returns:
            The seconds to wait; 0 if the message was recorded.
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
