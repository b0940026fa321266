"""
The log: the ordered record of all rooms. What it accepted, and nothing else, is delivered, in that order.

`Log` is the interface; `MemoryLog` keeps the last events of each room and accepts everything at once. A log with I/O
queues in `append` and calls `accepted` later, from its own thread, in the same order.
"""

from __future__ import annotations

import heapq
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice, takewhile
from operator import attrgetter
from typing import NamedTuple

from pychat.core.burst import Burst
from pychat.core.delivery import Batch, Entry
from pychat.core.events import Event, Message, Tagged


class Page(NamedTuple):
    """Events in order, and whether there are more in the direction that was asked for."""

    events: list[Event]
    more: bool


class Log(ABC):
    """Thread-safe. Room keys are folded names (`core/names.py`)."""

    def open(self, accepted: Callable[[Entry], None]) -> None:
        """Start. `accepted` is called once for each appended entry, in order, by one thread at a time."""
        self._accepted = accepted

    def close(self) -> None:  # noqa: B027 -- a log in memory has nothing to close
        """Stop; what was accepted is kept if the log keeps anything."""

    @abstractmethod
    def claim(self, count: int) -> int:
        """Return the first of `count` consecutive ids, greater than all before. Under the chat's order lock."""

    @abstractmethod
    def append(self, entry: Entry) -> None:
        """
        Give an entry its place, now or when it is stored. Under the chat's order lock: must not wait.

        Entries that are no `Batch` pass through in their place; they are not kept, nor are events that are `Tagged`.
        """

    @abstractmethod
    def read_after(self, rooms: Collection[str], after: int, limit: int | None = None) -> Page:
        """Return the first `limit` events of these rooms behind the id `after`, merged; each event once."""

    @abstractmethod
    def read_before(self, room: str, before: int | None, limit: int) -> Page:
        """Return the last `limit` events of a room, before the id `before` if it is given."""

    @abstractmethod
    def id_at(self, room: str, time: float, *, behind: bool = False) -> int:
        """
        Return an id that parts the record of a room at a time: what happened before has a smaller id, the rest not.

        Args:
            time: POSIX seconds. Times are compared in whole milliseconds, as languages write them.
            behind: What happened in that very millisecond belongs to what was before.
        """

    @abstractmethod
    def has_gap(self, room: str, after: int) -> bool:
        """Whether events behind `after` may have been dropped, or `after` is no id of this log."""

    @abstractmethod
    def last_id(self) -> int:
        """Return the newest id given so far."""

    @abstractmethod
    def forget(self, room: str) -> None:
        """Drop the record of a room that is no more."""


class _Ring:
    """The last events of one room: so many, and fewer if their texts are long. Kept in the blocks that came."""

    __slots__ = ("_blocks", "_chars", "_count", "_dropped", "_most_chars", "_most_events", "lost")

    def __init__(self, most_events: int, most_chars: int, lost: int) -> None:
        self._most_events, self._most_chars = most_events, most_chars
        self._blocks: deque[Sequence[Event]] = deque()
        self._count = self._chars = 0
        self._dropped = 0
        """How many events of the first block do not count any more."""
        self.lost = lost
        """The newest id that may have been here and is not any more."""

    def append(self, block: Sequence[Event]) -> None:
        self._blocks.append(block)
        self._count += len(block)
        self._chars += _chars(block)
        self._drop(self._count - self._most_events)
        while self._chars > self._most_chars:
            self._drop(1)

    def _drop(self, many: int) -> None:
        while many > 0:
            first = self._blocks[0]
            oldest = first[self._dropped : self._dropped + many]
            many -= len(oldest)
            self._count -= len(oldest)
            self._chars -= _chars(oldest)
            self.lost = oldest[-1].id
            self._dropped += len(oldest)
            if self._dropped == len(first):
                self._blocks.popleft()
                self._dropped = 0

    def newest_first(self) -> Iterator[Event]:
        """The events, from the last one back."""
        for number in range(len(self._blocks) - 1, -1, -1):
            block = self._blocks[number]
            for at in range(len(block) - 1, self._dropped - 1 if number == 0 else -1, -1):
                yield block[at]

    def __iter__(self) -> Iterator[Event]:
        skip = self._dropped
        for block in self._blocks:
            yield from islice(block, skip, None)
            skip = 0


def _chars(block: Sequence[Event]) -> int:
    if type(block) is Burst:
        return sum(map(len, block.texts))
    return sum([len(event.text) for event in block if type(event) is Message])


class MemoryLog(Log):
    """
    Keeps the last events of each room, as long as the process lives.

    Ids begin at the milliseconds since 1970 times 2^20, so they go on growing when the server is restarted, and an id
    of an earlier run is known as such.
    """

    def __init__(self, events: int = 1000, chars: int = 262_144) -> None:
        """
        Args:
            events: How many of each room.
            chars: And how many characters their messages may have together.
        """
        self._events, self._chars = events, chars
        self._first = time.time_ns() // 1_000_000 << 20
        self._next = self._first
        self._lost = self._first - 1
        """The newest id that may have been in a room that has no record any more, or not yet."""
        # Guards the rings. Below the chat's order lock; nothing is called under it.
        self._lock = threading.Lock()
        self._rings: dict[str, _Ring] = {}

    def claim(self, count: int) -> int:
        first = self._next
        self._next += count
        return first

    def last_id(self) -> int:
        return self._next - 1

    def append(self, entry: Entry) -> None:
        if isinstance(entry, Batch):
            kept = entry.events
            if type(kept) is not Burst:
                kept = [event for event in kept if type(event) is not Tagged]
            with self._lock:
                for room in entry.rooms if kept else ():
                    ring = self._rings.get(room.key)
                    if ring is None:
                        ring = self._rings[room.key] = _Ring(self._events, self._chars, self._lost)
                    ring.append(kept)
        self._accepted(entry)

    def read_after(self, rooms: Collection[str], after: int, limit: int | None = None) -> Page:
        with self._lock:
            tails = [self._tail_locked(room, after) for room in rooms]
        if len(tails) == 1:
            events = tails[0]
        else:
            merged = heapq.merge(*tails, key=attrgetter("id"))
            # An event of a person in several rooms is in the ring of each.
            events = list({event.id: event for event in merged}.values())
        return Page(events[:limit], limit is not None and len(events) > limit)

    def _tail_locked(self, room: str, after: int) -> list[Event]:
        ring = self._rings.get(room)
        if ring is None:
            return []
        tail = list(takewhile(lambda event: event.id > after, ring.newest_first()))
        tail.reverse()
        return tail

    def read_before(self, room: str, before: int | None, limit: int) -> Page:
        with self._lock:
            ring = self._rings.get(room)
            events = list(ring) if ring is not None else []
        if before is not None:
            events = [event for event in events if event.id < before]
        return Page(events[-limit:] if limit else [], len(events) > limit)

    def id_at(self, room: str, time: float, *, behind: bool = False) -> int:
        wanted = round(time * 1000) + behind
        with self._lock:
            ring = self._rings.get(room)
            for event in ring if ring is not None else ():
                if int(event.time * 1000) >= wanted:  # they never go backwards
                    return event.id
            return self._next

    def has_gap(self, room: str, after: int) -> bool:
        if after >= self._next:
            return True
        with self._lock:
            ring = self._rings.get(room)
            return after < (ring.lost if ring is not None else self._lost)

    def forget(self, room: str) -> None:
        with self._lock:
            if self._rings.pop(room, None) is not None:
                self._lost = self._next - 1
