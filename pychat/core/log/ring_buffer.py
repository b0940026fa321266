"""
The last events of each room, in memory: the contents of `MemoryLog`, and a cache for a log on disk.

A ring knows how far back it reaches: it contains all events of its room after that id. A room without a ring has no
events after the id that `Rings` knows for all of them.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice, takewhile
from operator import attrgetter
from typing import Final, NamedTuple

from pychat.model.burst import Burst
from pychat.model.events import WITH_TEXT, Event, Message

EVER: Final = 2**63 - 1
"""An id after all others."""


_BLOCKS: Final = 16
"""How many blocks are looked at first when a room is read backwards; each time it is twice as many."""


class Tail(NamedTuple):
    """The events of a room in memory after some id."""

    reach: int
    """All events of the room after this id are included."""
    events: list[Event]


class Ring:
    """The last events of one room: a maximum number, or fewer if their texts are long. Stored in blocks as added."""

    __slots__ = ("_blocks", "_chars", "_count", "_dropped", "_most_chars", "_most_events", "reach", "used")

    def __init__(self, most_events: int, most_chars: int, reach: int) -> None:
        self._most_events, self._most_chars = most_events, most_chars
        self._blocks: deque[Sequence[Event]] = deque()
        self._count = self._chars = 0
        self._dropped = 0
        """The number of events of the first block that have been dropped."""
        self.reach = reach
        """The newest id that may have been dropped."""
        self.used = 0.0
        """The time of the last read or write (`time.monotonic`)."""

    def append(self, block: Sequence[Event], settled: int = EVER) -> int:
        """
        Add events; drop the oldest ones if there are too many, but none after the id `settled`.

        Returns:
            The number of characters of the events.
        """
        chars = _chars(block)
        self._blocks.append(block)
        self._count += len(block)
        self._chars += chars
        self._drop(self._count - self._most_events, settled)
        while self._chars > self._most_chars and self._drop(1, settled):
            pass
        return chars

    def _drop(self, many: int, settled: int) -> bool:
        """Drop a number of events; return False if not all of them could be dropped."""
        while many > 0:
            first = self._blocks[0]
            oldest = first[self._dropped : self._dropped + many]
            last = oldest[-1].id
            if last > settled:
                return False
            many -= len(oldest)
            self._count -= len(oldest)
            self._chars -= _chars(oldest)
            self.reach = last
            self._dropped += len(oldest)
            if self._dropped == len(first):
                self._blocks.popleft()
                self._dropped = 0
        return True

    def drop(self, until: int) -> None:
        """Drop the events up to an id, which have expired."""
        self._drop(sum(1 for _ in takewhile(lambda event: event.id <= until, self)), EVER)
        self.reach = max(self.reach, until)

    def discard(self, ids: Collection[int]) -> None:
        """Remove events by id, as if they had never been appended."""
        events = [event for event in self if event.id not in ids]
        self._blocks = deque([events] if events else [])
        self._count, self._chars, self._dropped = len(events), _chars(events), 0

    @property
    def last(self) -> int:
        """The id of the last event, or where the ring reaches to if it is empty."""
        return self._blocks[-1][-1].id if self._blocks else self.reach

    def behind(self, after: int) -> list[Event]:
        """Return the events after an id."""
        if after <= self.reach:
            return list(self)
        tail = list(takewhile(lambda event: event.id > after, self._newest_first()))
        tail.reverse()
        return tail

    def blocks(self) -> list[Sequence[Event]]:
        """Return the events in the blocks in which they were added."""
        blocks = list(self._blocks)
        if self._dropped:
            blocks[0] = blocks[0][self._dropped :]
        return blocks

    def _newest_first(self) -> Iterator[Event]:
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
    return sum([len(event.text) for event in block if isinstance(event, WITH_TEXT)])


class Rings:
    """The rings of all rooms, by room key. Thread-safe; blocks only for other accesses to memory."""

    def __init__(self, events: int, chars: int, reach: int) -> None:
        """
        Args:
            events: The maximum events of each room.
            chars: The maximum characters of their messages together.
            reach: The newest id that a room may have now.
        """
        self._events, self._chars = events, chars
        self._reach = reach
        """A room without a ring has no events after this id."""
        # Guards the rings. After the chat's order lock; nothing is called under it.
        self._lock = threading.Lock()
        self._rings: dict[str, Ring] = {}

    def append(self, rooms: Iterable[str], block: Sequence[Event], settled: int = EVER) -> int:
        """Add events to the rings of these rooms; see `Ring.append`."""
        chars, now = 0, time.monotonic()
        with self._lock:
            for room in rooms:
                ring = self._rings.get(room)
                if ring is None:
                    ring = self._rings[room] = Ring(self._events, self._chars, self._reach)
                ring.used = now
                chars = ring.append(block, settled)
        return chars

    def tails(self, rooms: Iterable[str], after: int) -> list[Tail]:
        """Return the events in memory after an id, for each room; all at the same moment."""
        with self._lock:
            return [self._tail_locked(room, after) for room in rooms]

    def _tail_locked(self, room: str, after: int) -> Tail:
        ring = self._rings.get(room)
        if ring is None:
            return Tail(self._reach, [])
        ring.used = time.monotonic()
        return Tail(ring.reach, ring.behind(after))

    def blocks(self, room: str) -> tuple[int, list[Sequence[Event]]]:
        """Return the id after which all events of a room are in memory, and these events in blocks."""
        with self._lock:
            ring = self._rings.get(room)
            if ring is None:
                return self._reach, []
            ring.used = time.monotonic()
            return ring.reach, ring.blocks()

    def reach(self, room: str) -> int:
        """Return the id after which all events of a room are in memory."""
        with self._lock:
            ring = self._rings.get(room)
            return self._reach if ring is None else ring.reach

    def forget(self, room: str, last: int) -> None:
        """Drop the ring of a room, which may have had events up to the id `last`."""
        with self._lock:
            if self._rings.pop(room, None) is not None:
                self._reach = last

    def drop(self, room: str, until: int) -> None:
        """Drop the events of a room up to an id, which have expired."""
        with self._lock:
            ring = self._rings.get(room)
            if ring is not None:
                ring.drop(until)

    def discard(self, ids: Collection[int]) -> None:
        """Remove events by id from all rooms, as if they had never been appended."""
        with self._lock:
            for ring in self._rings.values():
                if ring.last >= min(ids):
                    ring.discard(ids)

    def drop_unused(self, seconds: float, settled: int) -> None:
        """Drop the rings that were not used for so many seconds and have no events after the id `settled`."""
        since = time.monotonic() - seconds
        with self._lock:
            for room, ring in list(self._rings.items()):
                if ring.used < since and ring.last <= settled:
                    del self._rings[room]
                    self._reach = max(self._reach, ring.last)


def backwards(
    blocks: Sequence[Sequence[Event]], before: int, *, messages_only: bool = False
) -> Iterator[tuple[list[Event], int]]:
    """Yield the events in the blocks before an id, the last ones first, each time with the id from which they begin."""
    end, count = len(blocks), _BLOCKS
    while end > 0:
        start = max(0, end - count)
        part = blocks[start:end]
        if messages_only:
            events: list[Event] = [event for block in part for event in block if type(event) is Message]
        else:
            events = [event for block in part for event in block]
        yield [event for event in events if event.id < before], min(before, part[0][0].id)
        end, count = start, 2 * count


def merge(tails: Sequence[list[Event]]) -> list[Event]:
    """Return the events of several rooms in order, each once: an event about a person may be in several rooms."""
    return tails[0] if len(tails) == 1 else list(merged_lazily(tails))


def merged_lazily(streams: Sequence[Iterable[Event]], *, backwards: bool = False) -> Iterator[Event]:
    """Yield the events of several rooms in order, each once, reading no more of each room than needed."""
    last = None
    for event in heapq.merge(*streams, key=attrgetter("id"), reverse=backwards):
        if event.id != last:
            last = event.id
            yield event
