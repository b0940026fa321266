"""
A bounded backlog of received items: limited in number and bytes, whatever the server sends.

A client trusts its server about the content, but protects its own memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from sys import getsizeof
from typing import Any, Generic, TypeVar

T = TypeVar("T", bound=tuple[Any, ...])


class Memory:
    """A limit of bytes that several backlogs share, and the bytes in use. Guarded by their owner."""

    __slots__ = ("most", "used")

    def __init__(self, most: int) -> None:
        self.most = most
        self.used = 0


class Backlog(Generic[T]):
    """
    A queue of named tuples, such as events and replies, that drops the oldest ones when it is full.

    Not thread-safe.
    """

    __slots__ = ("_items", "_memory", "_most")

    def __init__(self, most: int, memory: Memory) -> None:
        """
        Args:
            most: The maximum number of items.
            memory: The limit of bytes, which may be shared with other backlogs.
        """
        self._most, self._memory = most, memory
        self._items: deque[tuple[T, int]] = deque()

    def append(self, item: T) -> int:
        """Add an item; return how many items were dropped, possibly including this one."""
        size = bytes_of(item)
        self._items.append((item, size))
        self._memory.used += size
        dropped = 0
        while self._items and (len(self._items) > self._most or self._memory.used > self._memory.most):
            self.popleft()
            dropped += 1
        return dropped

    def popleft(self) -> T:
        """Take the oldest item."""
        item, size = self._items.popleft()
        self._memory.used -= size
        return item

    def take_all(self) -> list[T]:
        """Take all items, the oldest first."""
        return [self.popleft() for _ in range(len(self._items))]

    def has_room(self) -> bool:
        """Return whether another item would fit."""
        return len(self._items) < self._most and self._memory.used < self._memory.most

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return (item for item, _ in self._items)


def bytes_of(item: tuple[Any, ...]) -> int:
    """Return approximately how many bytes of memory a named tuple uses, with everything in it."""
    size = getsizeof(item) + sum(map(getsizeof, item))
    for field in item:
        if isinstance(field, tuple):
            size += sum([bytes_of(part) if isinstance(part, tuple) else getsizeof(part) for part in field])
    return size
