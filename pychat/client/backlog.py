"""
What a client keeps of what it has heard: so many things, and so many bytes, whatever a server sends.

A client believes its server what was said, but its memory is its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from sys import getsizeof
from typing import Any, Generic, TypeVar

T = TypeVar("T", bound=tuple[Any, ...])


class Memory:
    """How many bytes some backlogs may have together, and how many they have. Guarded by whoever has them."""

    __slots__ = ("most", "used")

    def __init__(self, most: int) -> None:
        self.most = most
        self.used = 0


class Backlog(Generic[T]):
    """
    A queue that drops the oldest things when it is full; of events, replies and other named tuples.

    Not thread-safe.
    """

    __slots__ = ("_items", "_memory", "_most")

    def __init__(self, most: int, memory: Memory) -> None:
        """
        Args:
            most: Of how many things.
            memory: And how many bytes; others may use it, too.
        """
        self._most, self._memory = most, memory
        self._items: deque[tuple[T, int]] = deque()

    def append(self, item: T) -> int:
        """Add something; return how many things had to go, perhaps this one, too."""
        size = bytes_of(item)
        self._items.append((item, size))
        self._memory.used += size
        dropped = 0
        while self._items and (len(self._items) > self._most or self._memory.used > self._memory.most):
            self.popleft()
            dropped += 1
        return dropped

    def popleft(self) -> T:
        """Take the oldest thing."""
        item, size = self._items.popleft()
        self._memory.used -= size
        return item

    def take_all(self) -> list[T]:
        """Take everything, the oldest first."""
        return [self.popleft() for _ in range(len(self._items))]

    def has_room(self) -> bool:
        """Whether something more would fit."""
        return len(self._items) < self._most and self._memory.used < self._memory.most

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return (item for item, _ in self._items)


def bytes_of(item: tuple[Any, ...]) -> int:
    """Return about how many bytes of memory a named tuple takes, with everything in it."""
    size = getsizeof(item) + sum(map(getsizeof, item))
    for field in item:
        if isinstance(field, tuple):
            size += sum([bytes_of(part) if isinstance(part, tuple) else getsizeof(part) for part in field])
    return size
