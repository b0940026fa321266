"""An index: values by a key that they need not have for themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Index(Generic[T]):
    """Values by key. Nearly every key has a single value, which is stored without a set: that would be 200 bytes."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[str, T | set[T]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> Collection[T]:
        """Return the values of a key, in no particular order. The result must not be kept."""
        values = self._values.get(key)
        if values is None:
            return ()
        return values if isinstance(values, set) else (values,)

    def items(self) -> Iterator[tuple[str, Collection[T]]]:
        """Iterate over the keys with their values."""
        for key in self._values:
            yield key, self.get(key)

    def add(self, key: str, value: T) -> None:
        """Add a value to those of a key, unless it is one of them."""
        values = self._values.setdefault(key, value)
        if isinstance(values, set):
            values.add(value)
        elif values != value:
            self._values[key] = {values, value}

    def discard(self, key: str, value: T) -> None:
        """Remove a value from those of a key, if it is one of them."""
        values = self._values.get(key)
        if isinstance(values, set):
            values.discard(value)
            if not values:
                del self._values[key]
        elif values == value:
            self._values.pop(key, None)
