"""How often something may fail: whoever guesses passwords has to wait."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Hashable
from typing import Final

from pychat.core.worker_pool import PATIENCE_SECONDS, Busy, Stopped
from pychat.model.cloaks import UNIX, ip_of, significant
from pychat.model.clock import Clock
from pychat.model.errors import Refused

_MOST_KEYS: Final = 10_000
"""Addresses and names that are remembered each for itself."""
_BUCKETS: Final = 2**16
"""What is remembered of more of them, together."""


class TooManyAttempts(Refused):
    """It has failed too often; `seconds` later it may be tried again."""

    code = "too_many_attempts"

    def __init__(self, seconds: int) -> None:
        self.seconds = self.retry_after = seconds
        super().__init__(f"too many attempts; try again in {seconds} s")


class Attempts:
    """
    So many in so many seconds, for each key, whatever that is: an address, the name of an account. Thread-safe.

    An attempt counts from its beginning, and until its end nobody knows whether it is a good one, which does not count.
    So while those that have failed and those that are going on are as many as allowed, the next one waits: many who log
    in at once from one address come in one after the other, and many wrong passwords at once are no more than allowed.
    """

    def __init__(self, most: int, seconds: float, clock: Clock) -> None:
        self.most = most
        self._seconds = seconds
        self._clock = clock
        # Guards all that follows; alone: nothing is called under it, but others wait there.
        self._lock = threading.Lock()
        self._failed = _Times(seconds)
        self._going_on: Counter[Hashable] = Counter()
        self._waiting: dict[Hashable, _Waiting] = {}
        """Those who wait until an attempt for the key is over."""
        self._stopped = False

    def begin(self, *keys: Hashable) -> None:
        """
        Count an attempt for each of the keys; None counts for nobody. `end` has to follow. Blocks, without a lock held.

        Raises:
            TooManyAttempts: So many have failed for one of them. With the seconds to wait.
            Busy: So many were going on for one of them, for too long.
            Stopped: The server ends.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._lock:
            while not self._stopped and (full := self._full_locked(keys)) is not None:
                self._wait_locked(full, deadline)
            if self._stopped:
                raise Stopped
            self._going_on.update([key for key in keys if key is not None])

    def end(self, *keys: Hashable, failed: bool) -> None:
        """An attempt is over. One that has not failed counts no more."""
        with self._lock:
            for key in keys:
                if key is None:
                    continue
                self._going_on[key] -= 1
                if self._going_on[key] <= 0:
                    del self._going_on[key]
                if failed:
                    self._failed.add(key, self._clock.monotonic(), self.most)
                if key in self._waiting:
                    self._waiting[key].changed.notify_all()

    def count(self, key: Hashable) -> None:
        """
        Count something that counts however it ends.

        Raises:
            TooManyAttempts: It is one too many. With the seconds to wait.
        """
        self.begin(key)
        self.end(key, failed=True)

    def stop(self) -> None:
        """The server ends: nobody waits any more."""
        with self._lock:
            self._stopped = True
            for waiting in self._waiting.values():
                waiting.changed.notify_all()

    def _full_locked(self, keys: tuple[Hashable, ...]) -> Hashable:
        """Return a key for which another attempt has to end first; None if this one may begin."""
        full: Hashable = None
        now = self._clock.monotonic()
        for key in keys:
            if key is None:
                continue
            times = self._failed.of(key, now)
            if len(times) >= self.most:
                left = (times[-self.most] if self.most else now) + self._seconds - now
                raise TooManyAttempts(max(1, math.ceil(left)))
            if len(times) + self._going_on[key] >= self.most:
                full = key
        return full

    def _wait_locked(self, key: Hashable, deadline: float) -> None:
        waiting = self._waiting.setdefault(key, _Waiting(self._lock))
        waiting.number += 1
        try:
            if not waiting.changed.wait(max(0.0, deadline - time.monotonic())):
                raise Busy
        finally:
            waiting.number -= 1
            if not waiting.number:
                del self._waiting[key]


class _Waiting:
    """Those who wait for one key."""

    def __init__(self, lock: threading.Lock) -> None:
        # Of `Attempts._lock`, which guards this, too.
        self.changed = threading.Condition(lock)
        self.number = 0


class _Times:
    """
    When each key was counted, in a bounded table that forgets nothing before its time.

    What has no place of its own any more shares one of many buckets with others, and what is counted there
    counts for all of these. So with ten thousand names nobody makes the server forget how often another one was tried;
    at worst somebody has to wait who would not.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._own: dict[Hashable, tuple[float, ...]] = {}
        """By key; that which was counted last is at the end, so what is over first is at the beginning."""
        self._shared: dict[int, tuple[float, ...]] = {}
        self._shared_until = 0.0
        """When nothing that is shared counts any more."""

    def of(self, key: Hashable, now: float) -> tuple[float, ...]:
        """Return when it was counted, of what is not over."""
        times = self._own.get(key)
        return self._lasting(self._shared.get(_bucket(key), ()) if times is None else times, now)

    def add(self, key: Hashable, now: float, most: int) -> None:
        """Count it now. `most`: how many times are of any interest."""
        if self._shared and self._shared_until <= now:
            self._shared.clear()
        times = (*self.of(key, now), now)
        self._own.pop(key, None)
        self._own[key] = times[-max(1, most) :]
        while len(self._own) > _MOST_KEYS or not self._lasting(next(iter(self._own.values())), now):
            self._share(next(iter(self._own)), now)

    def _share(self, key: Hashable, now: float) -> None:
        """Take its own place from a key."""
        times = self._lasting(self._own.pop(key), now)
        if times:
            others = self._lasting(self._shared.get(_bucket(key), ()), now)
            self._shared[_bucket(key)] = max(times, others, key=len)
            self._shared_until = now + self._seconds

    def _lasting(self, times: tuple[float, ...], now: float) -> tuple[float, ...]:
        """Return those that are not over."""
        return tuple([at for at in times if at + self._seconds > now])


def _bucket(key: Hashable) -> int:
    return hash(key) % _BUCKETS  # with Python's secret, so nobody can choose names that share one


def address_key(address: str) -> Hashable:
    """Return what an address counts as: an IPv6 /64 is one; None for this machine and process, which are exempt."""
    if address in ("", UNIX):
        return None
    return None if ip_of(address).is_loopback else significant(address)
