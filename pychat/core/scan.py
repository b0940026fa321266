"""Looking at many people or rooms for one question: in slices, for a bounded time, and at a price."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final, Generic, TypeVar

from pychat.core import price
from pychat.core.session import Session

T = TypeVar("T")

_SLICE: Final = 100
"""How many are looked at before other threads may run."""
_PER_UNIT: Final = 500
"""How many are looked at for the price of a message."""


class Scan(Generic[T]):
    """
    Iterate over what a question has to look at, on the thread of the session that asks, which owes the price
    (`Session.owes`). No lock may be held.
    """

    def __init__(self, session: Session, items: Sequence[T], *, times: int = 1) -> None:
        """
        Args:
            times: How often each is compared with something: 2 cost twice as much.
        """
        self.more = False
        """Whether it ended before all were looked at, because of the time or of the one who asked."""
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
                time.sleep(0)
            some = self._items[at : at + _SLICE]
            self._session.owes += len(some) * self._times / _PER_UNIT
            yield from some
        self.more = False
