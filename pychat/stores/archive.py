"""
`Archive`: the record of the rooms in a file, for those who only look at it, also while a server writes it.

Everything is read in pages, so that a long record takes no more memory than a short one.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Final, TypeAlias

from pychat.core.audit import AUDIT
from pychat.core.errors import CannotOpen
from pychat.core.events import Event
from pychat.core.log import milliseconds
from pychat.core.names import fold
from pychat.core.rings import EVER
from pychat.core.searching import Terms
from pychat.stores.kept import read_room
from pychat.stores.reading import Reader
from pychat.stores.records import Unreadable
from pychat.stores.sqlite import ReadOnlyDatabase, StoreError

_PAGE: Final = 1000
"""Events of a room in memory at once."""
_FOUND: Final = 10_000
"""Messages that one search in the file returns."""

_ROOMS: Final = "SELECT number, key, kept FROM rooms"

Rooms: TypeAlias = Collection[int]
"""Numbers, as `Archive.rooms` has them."""


class Archive:
    """What is read raises `NotReadable` if it cannot be."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            CannotOpen: With the reason and what to do.
        """
        self._database = ReadOnlyDatabase(path)
        self._reader = Reader(self._database)
        try:
            self._rooms: dict[str, tuple[int, str]] = {
                key: (number, _name(key, kept)) for number, key, kept in self._database.read(_ROOMS)
            }
        except (StoreError, Unreadable) as error:
            self._database.close()
            raise CannotOpen(path, error.reason) from error

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *args: object) -> None:
        self._database.close()

    @property
    def rooms(self) -> dict[str, int]:
        """The numbers of the rooms that have a record, by their names; the audit record is none of them."""
        rooms = sorted(self._rooms.values(), key=lambda room: room[1])
        return {name: number for number, name in rooms if name != AUDIT}

    @property
    def audit(self) -> list[int]:
        """The number of the audit record; nothing if it is empty."""
        return [number for number, name in self._rooms.values() if name == AUDIT]

    def find(self, room: str) -> str | None:
        """Return the name of a room, given in any case; None if it has no record."""
        _, name = self._rooms.get(fold(room), (0, None))
        return name

    def id_at(self, rooms: Rooms, time: float) -> int:
        """Return an id that parts the record of rooms at a time: what happened before has a smaller one."""
        firsts = [self._reader.first_at(room, milliseconds(time)) for room in rooms]
        return min((first for first in firsts if first is not None), default=EVER)

    def events(self, rooms: Rooms, after: int = 0, before: int = EVER) -> Iterator[Event]:
        """Yield the events of rooms between two ids, which are excluded; each once."""
        for event in _each_once(heapq.merge(*[self._after(room, after) for room in rooms], key=attrgetter("id"))):
            if event.id >= before:
                return
            yield event

    def events_back(self, rooms: Rooms, before: int = EVER) -> Iterator[Event]:
        """Yield the events of rooms before an id, the last one first; each once."""
        backwards = [self._before(room, before) for room in rooms]
        yield from _each_once(heapq.merge(*backwards, key=attrgetter("id"), reverse=True))

    def found_back(self, rooms: Rooms, terms: Terms, before: int = EVER) -> Iterator[Event]:
        """Yield the messages of rooms that have the words, before an id, the last one first; each once."""
        backwards = [self._found(room, terms, before) for room in rooms]
        yield from _each_once(heapq.merge(*backwards, key=attrgetter("id"), reverse=True))

    # One room

    def _after(self, room: int, after: int) -> Iterator[Event]:
        while page := self._reader.after(room, after, _PAGE):
            yield from page
            after = page[-1].id

    def _before(self, room: int, before: int) -> Iterator[Event]:
        while page := self._reader.before(room, before, _PAGE):
            yield from reversed(page)
            before = page[0].id

    def _found(self, room: int, terms: Terms, before: int) -> Iterator[Event]:
        while page := self._reader.search(room, terms, before, _FOUND):
            yield from reversed(page)
            before = page[0].id


def _name(key: str, kept: str | None) -> str:
    """Return the name of a room as people write it, if that is known."""
    return key if kept is None else read_room(kept).name


def _each_once(events: Iterable[Event]) -> Iterator[Event]:
    """Leave out what is in the record of several rooms and came already."""
    last = None
    for event in events:
        if event.id != last:
            yield event
        last = event.id
