"""
`Archive`: read-only access to the log in a file, even while a server writes it.

Everything is read in pages, so that a long log takes no more memory than a short one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, TypeAlias

from pychat.core.accounts.stored import StoredAccount
from pychat.core.log.ring_buffer import EVER, merged_lazily
from pychat.model.errors import CannotOpen, NotReadable
from pychat.model.events import Event
from pychat.model.names import AUDIT, fold
from pychat.model.search import Terms
from pychat.model.server_ban import ServerBan
from pychat.model.times import milliseconds
from pychat.stores.sqlite.database import ReadOnlyDatabase, StoreError
from pychat.stores.sqlite.event_codec import Unreadable
from pychat.stores.sqlite.reader import Reader
from pychat.stores.sqlite.state_codec import read_account, read_ban, read_room

_COUNTED: Final = "SELECT 1 FROM pragma_table_info('blocks') WHERE name = 'messages'"
"""Returns nothing for a file that no server of this version has opened; such a file is read as it is."""
_STEPS: Final = "SELECT 1 FROM pragma_table_info('steps')"
"""Returns nothing for such a file, too."""
_ROOMS: Final = "SELECT number, key, kept FROM rooms"

Rooms: TypeAlias = Collection[int]
"""Room numbers, as in `Archive.rooms`."""


class Archive:
    """A log that is open for reading. Failures to read raise `NotReadable`."""

    def __init__(self, path: Path) -> None:
        """
        Open the file.

        Raises:
            CannotOpen: With the reason and what to do.
        """
        self._database = ReadOnlyDatabase(path)
        try:
            steps = [id for (id,) in self._database.read("SELECT id FROM steps")] if self._database.read(_STEPS) else []
            self._reader = Reader(self._database, steps, counted=bool(self._database.read(_COUNTED)))
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
        """The numbers of the rooms that have a log, by name, without the audit record."""
        rooms = sorted(self._rooms.values(), key=lambda room: room[1])
        return {name: number for number, name in rooms if name != AUDIT}

    def accounts(self) -> list[StoredAccount]:
        """Return the accounts, sorted by name."""
        return sorted(map(read_account, self._kept("accounts")), key=lambda account: fold(account.name))

    def bans(self) -> list[ServerBan]:
        """Return the server bans, including expired ones."""
        return list(map(read_ban, self._kept("bans")))

    def _kept(self, table: str) -> list[str]:
        try:
            there = self._database.read("SELECT 1 FROM pragma_table_info(?)", table)
            return [kept for (kept,) in self._database.read(f"SELECT kept FROM {table}")] if there else []
        except StoreError as error:
            raise NotReadable(error.reason) from error

    @property
    def audit(self) -> list[int]:
        """The number of the audit record in a list, which is empty if there is none."""
        return [number for number, name in self._rooms.values() if name == AUDIT]

    def find(self, room: str) -> str | None:
        """Return the name of a room, compared by folded name; None if it has no log."""
        _, name = self._rooms.get(fold(room), (0, None))
        return name

    def id_at(self, rooms: Rooms, time: float) -> int:
        """Return an id that splits the log of rooms at a time: earlier events have smaller ids."""
        firsts = [self._reader.place(room, milliseconds(time)).id for room in rooms]
        return min((first for first in firsts if first is not None), default=EVER)

    def events(self, rooms: Rooms, after: int = 0, before: int = EVER) -> Iterator[Event]:
        """Yield the events of rooms between two ids, both exclusive; each once."""
        for event in merged_lazily([self._after(room, after) for room in rooms]):
            if event.id >= before:
                return
            yield event

    def events_back(self, rooms: Rooms, before: int = EVER) -> Iterator[Event]:
        """Return the events of rooms before an id, the last one first; each once."""
        return merged_lazily([self._before(room, before) for room in rooms], backwards=True)

    def found_back(self, rooms: Rooms, terms: Terms, before: int = EVER) -> Iterator[Event]:
        """Return the messages of rooms that match the terms, before an id, the last one first; each once."""
        return merged_lazily([self._found(room, terms, before) for room in rooms], backwards=True)

    # One room

    def _after(self, room: int, after: int) -> Iterator[Event]:
        for portion in self._reader.forth(room, after):
            yield from portion.events

    def _before(self, room: int, before: int) -> Iterator[Event]:
        for portion in self._reader.back(room, before):
            yield from reversed(portion.events)

    def _found(self, room: int, terms: Terms, before: int) -> Iterator[Event]:
        for portion in self._reader.find(room, terms, before):
            yield from reversed(portion.events)


def _name(key: str, kept: str | None) -> str:
    """Return the name of a room as people write it, if known."""
    return key if kept is None else read_room(kept).name
