"""Rate limits for actions that may fail, such as guessing passwords."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Hashable
from typing import Final

from pychat.core.waiting import before_wait
from pychat.core.worker_pool import PATIENCE_SECONDS
from pychat.model.cloaks import UNIX, ip_of, significant
from pychat.model.clock import Clock
from pychat.model.errors import Busy, Stopped, TooManyAttempts

_MOST_KEYS: Final = 10_000
"""The maximum number of addresses and names with an entry of their own."""
_BUCKETS: Final = 2**16
"""The number of entries that further addresses and names share."""


class Attempts:
    """
    A rate limit per key, such as an address or an account name: `most` failures in `seconds`. Thread-safe.

    An attempt counts from its beginning, because nobody knows before its end whether it will succeed and not count. So
    when the failed and the unfinished ones reach the limit, the next one waits: many logins at once from one address
    are admitted one after the other, and no more wrong passwords are tried at once than allowed.
    """

    def __init__(self, most: int, seconds: float, clock: Clock) -> None:
        self.most = most
        self._seconds = seconds
        self._clock = clock
        # Guards the following; a leaf lock: nothing is called under it, but threads wait on it.
        self._lock = threading.Lock()
        self._failed = _Times(seconds)
        self._going_on: Counter[Hashable] = Counter()
        self._waiting: dict[Hashable, _Waiting] = {}
        """The threads that wait until an attempt for the key ends."""
        self._stopped = False

    def begin(self, *keys: Hashable) -> None:
        """
        Count an attempt for each key; a None key is exempt. Call `end` next. Blocks, without holding a lock.

        Raises:
            TooManyAttempts: If too many have failed for one of the keys; it has the seconds to wait.
            Busy: If too many were unfinished for one of the keys for too long.
            Stopped: If the server stops.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._lock:
            while not self._stopped and (full := self._full_locked(keys)) is not None:
                self._wait_locked(full, deadline)
            if self._stopped:
                raise Stopped
            self._going_on.update([key for key in keys if key is not None])

    def end(self, *keys: Hashable, failed: bool) -> None:
        """End an attempt. It does not count any more unless it failed."""
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
        Count an action that counts whatever its result.

        Raises:
            TooManyAttempts: If it is over the limit; it has the seconds to wait.
        """
        self.begin(key)
        self.end(key, failed=True)

    def stop(self) -> None:
        """Release all waiting threads, because the server stops."""
        with self._lock:
            self._stopped = True
            for waiting in self._waiting.values():
                waiting.changed.notify_all()

    def _full_locked(self, keys: tuple[Hashable, ...]) -> Hashable:
        """Return a key for which an attempt must end first; None if this one may begin."""
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
        before_wait()
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
    """The threads that wait for one key."""

    def __init__(self, lock: threading.Lock) -> None:
        # Uses `Attempts._lock`, which guards `number`, too.
        self.changed = threading.Condition(lock)
        self.number = 0


class _Times:
    """
    The times at which each key was counted, in a bounded table that forgets nothing early.

    Keys without an entry of their own share one of many buckets, and a time in a bucket counts for all of its keys. So
    an attacker with ten thousand names cannot make the server forget attempts on another name; at worst, somebody has
    to wait needlessly.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._own: dict[Hashable, tuple[float, ...]] = {}
        """Times by key; the last one counted is at the end, so the first to expire is at the beginning."""
        self._shared: dict[int, tuple[float, ...]] = {}
        self._shared_until = 0.0
        """When all shared times have expired."""

    def of(self, key: Hashable, now: float) -> tuple[float, ...]:
        """Return the times of a key that have not expired."""
        times = self._own.get(key)
        return self._lasting(self._shared.get(_bucket(key), ()) if times is None else times, now)

    def add(self, key: Hashable, now: float, most: int) -> None:
        """Count the key now. Only the last `most` times are kept."""
        if self._shared and self._shared_until <= now:
            self._shared.clear()
        times = (*self.of(key, now), now)
        self._own.pop(key, None)
        self._own[key] = times[-max(1, most) :]
        while len(self._own) > _MOST_KEYS or not self._lasting(next(iter(self._own.values())), now):
            self._share(next(iter(self._own)), now)

    def _share(self, key: Hashable, now: float) -> None:
        """Move a key from its own entry to its bucket."""
        times = self._lasting(self._own.pop(key), now)
        if times:
            others = self._lasting(self._shared.get(_bucket(key), ()), now)
            self._shared[_bucket(key)] = max(times, others, key=len)
            self._shared_until = now + self._seconds

    def _lasting(self, times: tuple[float, ...], now: float) -> tuple[float, ...]:
        """Return the times that have not expired."""
        return tuple([at for at in times if at + self._seconds > now])


def _bucket(key: Hashable) -> int:
    return hash(key) % _BUCKETS  # salted by Python, so nobody can choose names that share one


def address_key(address: str) -> Hashable:
    """Return the key of an address: one for each IPv6 /64; None for this machine and process, which are exempt."""
    if address in ("", UNIX):
        return None
    return None if ip_of(address).is_loopback else significant(address)
