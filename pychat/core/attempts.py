"""How often something may fail: who guesses passwords has to wait."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Hashable
from typing import Final

from pychat.core.clock import Clock
from pychat.core.errors import Refused
from pychat.core.userhost import UNIX, ip_of, significant

_MOST_KEYS: Final = 10_000
"""Addresses and names that are remembered; of more, the oldest are forgotten."""


class TooManyAttempts(Refused):
    """It has failed too often; `seconds` later it may be tried again."""

    code = "too_many_attempts"

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"too many attempts; try again in {seconds} s")


class Attempts:
    """
    So many in so many seconds, for each key, whatever that is: an address, the name of an account.

    Every method runs under the chat's order lock.
    """

    def __init__(self, most: int, seconds: float, clock: Clock) -> None:
        self.most = most
        self._seconds = seconds
        self._clock = clock
        self._times: dict[Hashable, deque[float]] = {}
        """By key; that which was counted last is at the end."""

    def require(self, *keys: Hashable) -> None:
        """
        Return if one more attempt is allowed for each of the keys; None is always allowed.

        Raises:
            TooManyAttempts: With the seconds to wait.
        """
        now = self._clock.monotonic()
        for key in keys:
            times = self._times.get(key)
            if times is not None and key is not None:
                while times and times[0] + self._seconds <= now:
                    times.popleft()
                if len(times) >= self.most:
                    raise TooManyAttempts(max(1, math.ceil((times[0] if times else now) + self._seconds - now)))

    def add(self, key: Hashable) -> None:
        """Count an attempt for a key; None counts for nobody."""
        if key is None:
            return
        times = self._times.pop(key, None)
        self._times[key] = deque(maxlen=max(1, self.most)) if times is None else times
        self._times[key].append(self._clock.monotonic())
        if len(self._times) > _MOST_KEYS:
            del self._times[next(iter(self._times))]

    def take_back(self, key: Hashable) -> None:
        """The last attempt that was counted for the key shall not count: it was a good one."""
        times = self._times.get(key)
        if times:
            times.pop()


def address_key(address: str) -> Hashable:
    """Return what an address counts as: an IPv6 /64 is one; None for this machine and process, which are exempt."""
    if address in ("", UNIX):
        return None
    return None if ip_of(address).is_loopback else significant(address)
