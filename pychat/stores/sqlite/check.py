"""File maintenance commands: checking, backing up, and returning free space to the disk."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from pychat.model.errors import CannotOpen, ChatError, no_directory
from pychat.model.events import Event, Message
from pychat.stores.sqlite.database import Database, ReadOnlyDatabase, StoreError
from pychat.stores.sqlite.event_codec import Unreadable, decode_block, events_of

_MOST_PROBLEMS: Final = 10
"""The maximum number of reported problems of a kind; more of them add nothing."""

_BLOCKS: Final = (
    "SELECT block, room, first, last, last_time, events, block <= (SELECT digested FROM state) FROM blocks"
    " ORDER BY room, first"
)
_ROOMS: Final = "SELECT number FROM rooms UNION ALL SELECT number FROM forgotten"
_BYTES: Final = "SELECT bytes FROM state"
_INDEXED: Final = "SELECT count(*) FROM words_docsize"
_NOT_INDEXED: Final = (
    "SELECT count(*) FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM words_docsize WHERE id = json_each.value)"
)


class UpkeepFailed(ChatError):
    """An operation failed; the file is unchanged."""

    def __init__(self, what: str, path: Path, reason: str) -> None:
        super().__init__(what, path, reason)
        self.what, self.path, self.reason = what, path, reason

    def __str__(self) -> str:
        return f"cannot {self.what} {str(self.path)!r}: {self.reason}"


class Report(NamedTuple):
    """The contents of a file, and its problems."""

    rooms: int
    events: int
    messages: int
    """Messages that are in the index."""
    damage: list[str]
    """Problems of the file itself."""
    disorder: list[str]
    """Problems of the log: blocks and ids."""
    not_found: list[str]
    """Problems of the index."""


def inspect(path: Path) -> Report:
    """
    Read all of a file as it is at this moment, even while a server writes it, without changing it.

    Raises:
        CannotOpen: If it is not a pychat file, or cannot be read at all.
    """
    database = ReadOnlyDatabase(path)
    try:
        with database.reading() as connection:
            connection.execute("BEGIN")  # so that all of it is from the same moment
            try:
                return _Inspection(connection).report()
            finally:
                connection.execute("ROLLBACK")
    except StoreError as error:
        raise CannotOpen(path, error.reason) from error
    finally:
        database.close()


class _Inspection:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._disorder: list[str] = []
        self._not_found: list[str] = []
        self._events = self._messages = self._bytes = 0

    def report(self) -> Report:
        damage = [row[0] for row in self._connection.execute(f"PRAGMA integrity_check({_MOST_PROBLEMS})")]
        rooms = {number for (number,) in self._connection.execute(_ROOMS)}
        self._look_at_blocks(rooms)
        self._look_at_state()
        disorder, not_found = self._disorder[:_MOST_PROBLEMS], self._not_found[:_MOST_PROBLEMS]
        return Report(len(rooms), self._events, self._messages, [] if damage == ["ok"] else damage, disorder, not_found)

    def _look_at_blocks(self, rooms: set[int]) -> None:
        room, newest = 0, 0
        for block, number, first, last, last_time, record, digested in self._connection.execute(_BLOCKS):
            newest = newest if number == room else 0
            room = number
            if number not in rooms:
                self._disorder.append(f"block {block} belongs to an unknown room")
            if first <= newest:
                self._disorder.append(f"block {block} begins before the previous block ends")
            newest = last
            self._bytes += len(record) if digested else 0
            try:
                events = events_of(decode_block(record))
            except Unreadable:
                self._disorder.append(f"block {block} cannot be read")
                continue
            ids = [event.id for event in events]
            if ids != sorted(set(ids)) or not ids or (ids[0], ids[-1], events[-1].time) != (first, last, last_time):
                self._disorder.append(f"block {block} has other events than recorded")
            self._events += len(events)
            if digested:
                self._look_at_index(block, events)

    def _look_at_index(self, block: int, events: list[Event]) -> None:
        ids = [event.id for event in events if isinstance(event, Message)]
        self._messages += len(ids)
        ((missing,),) = self._connection.execute(_NOT_INDEXED, (json.dumps(ids),)).fetchall()
        if missing:
            self._not_found.append(f"block {block} has messages that cannot be found: {missing}")

    def _look_at_state(self) -> None:
        ((size,),) = self._connection.execute(_BYTES).fetchall()
        if size != self._bytes:
            self._disorder.append(f"the record should have {size} bytes, but has {self._bytes}")
        ((indexed,),) = self._connection.execute(_INDEXED).fetchall()
        if indexed > self._messages:
            self._not_found.append(f"messages that are in the index and not in the record: {indexed - self._messages}")


def back_up(path: Path, target: Path) -> int:
    """
    Copy a file as it is at this moment, even while a server writes it; return the length of the copy in bytes.

    The copy is an ordinary file of ours, and is on the disk when this returns. It appears only when it is complete.

    Raises:
        CannotOpen: If one of the files cannot be used.
        UpkeepFailed: If it cannot be copied; there is no target then.
    """
    if target.exists():
        raise CannotOpen(target, "it already exists; name another file")
    database = ReadOnlyDatabase(path)
    try:
        part = _new_file_beside(target)
        try:
            database.copy_to(part)
            _put_on_disk(part)
            size = part.stat().st_size
            part.rename(target)
            _put_on_disk(target.parent)
            return size
        except (StoreError, OSError) as error:
            with suppress(OSError):
                part.unlink()
            reason = error.reason if isinstance(error, StoreError) else error.strerror or str(error)
            raise UpkeepFailed("back up", path, reason) from error
    finally:
        database.close()


def _new_file_beside(target: Path) -> Path:
    """Create an empty file that only this user can read."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f"{target.name}-", dir=target.parent)
    except OSError as error:
        problem = f"{error.strerror}; name another file" if target.parent.is_dir() else no_directory(target.parent)
        raise CannotOpen(target, problem) from error
    os.close(descriptor)
    return Path(name)


def _put_on_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def vacuum(path: Path) -> tuple[int, int]:
    """
    Rewrite a file without its free space; return its length in bytes before and after.

    Raises:
        CannotOpen: If it cannot be used, or a server uses it.
        UpkeepFailed: If it fails, for lack of space on the disk for example.
    """
    database = Database(path, make=False)
    try:
        before = path.stat().st_size
        database.write([("VACUUM", ())])
    except StoreError as error:
        raise UpkeepFailed("vacuum", path, error.reason) from error
    finally:
        database.close()
    return before, path.stat().st_size
