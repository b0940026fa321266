"""Scanning many people or rooms for one query: in slices, for a bounded time, and at a price."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final, Generic, TypeVar

from pychat.core import price
from pychat.core.session import Session
from pychat.core.waiting import before_wait

T = TypeVar("T")

_SLICE: Final = 100
"""The number of items scanned before other threads may run."""
_PER_UNIT: Final = 500
"""The number of items scanned for the price of a message."""


class Scan(Generic[T]):
    """
    Iterate over the items of a query, on the thread of its session, which is charged for it (`Session.owes`). No lock
    may be held.
    """

    def __init__(self, session: Session, items: Sequence[T], *, times: int = 1) -> None:
        """
        Args:
            times: The number of comparisons for each item; 2 cost twice as much.
        """
        self.more = False
        """True if the iteration ended before all items were seen, because time ran out or the caller stopped."""
        self._session = session
        self._items = items
        self._times = times

    def __iter__(self) -> Iterator[T]:
        began = time.thread_time()
        self.more = bool(self._items)
        for at in range(0, len(self._items), _SLICE):
            if at:
                if time.thread_time() - began > price.MOST_SECONDS:
                    return
                before_wait()  # what takes long is not done on the thread that others wait for
                time.sleep(0)
            some = self._items[at : at + _SLICE]
            self._session.owes += len(some) * self._times / _PER_UNIT
            yield from some
        self.more = False
