"""
Tending: what the log's thread does when it has nothing else to do, a little at a time.

New blocks are put into the full text index and counted; old ones, and those of rooms that are forgotten, are deleted.
None of it is urgent: what is not in the index yet is searched by reading it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from pychat.core.events import Event
from pychat.core.rings import Rings
from pychat.stores import index
from pychat.stores.changes import Record
from pychat.stores.records import Unreadable, decode_block, events_of
from pychat.stores.sqlite import Database, Statement, StoreError

logger = logging.getLogger("pychat")

_IDLE_SECONDS: Final = 0.2
"""How long nothing has to happen before what can wait is begun."""
_REST_SECONDS: Final = 10.0
"""How often to look for what became too old, and how long to leave in peace what does not work."""
_MOST_BREATH_SECONDS: Final = 0.02
"""How long to stop between two steps at most, so that others get the processor."""
_STEP_BYTES: Final = 32 * 1024
"""Records that are looked at in one step; a message may have to wait for it."""
_STEP_BLOCKS: Final = 100
_SHARE: Final = 0.1
"""How much of its time the thread gives to this while it is never idle."""

_NEW: Final = "SELECT block, room, last, last_time, events FROM blocks WHERE block > ? ORDER BY block LIMIT ?"
_OLD: Final = "SELECT block, room, last, last_time, events FROM blocks ORDER BY block LIMIT ?"
_OF_ROOM: Final = "SELECT block, room, last, last_time, events FROM blocks WHERE room = ? ORDER BY first LIMIT ?"
_DIGESTED: Final = "UPDATE state SET digested = ?, bytes = bytes + ?"
_LESS: Final = "UPDATE state SET bytes = bytes - ?"
_LOST: Final = "UPDATE rooms SET lost = max(lost, ?) WHERE number = ?"


class _Row(NamedTuple):
    """A block as it is in the file."""

    block: int
    room: int
    last: int
    last_time: float
    record: bytes


class Tending:
    """Used by the log's thread only, but for `bytes` and `digested`, which are only read elsewhere."""

    def __init__(
        self,
        database: Database,
        rings: Rings,
        records: dict[int, Record],
        keep_seconds: float | None,
        keep_bytes: int | None,
    ) -> None:
        """
        Args:
            rings: What is in memory, where it has to go, too.
            records: Of the rooms, by their numbers, to tell them what they lose.
            keep_seconds: Events older than this are deleted.
            keep_bytes: The oldest are, when the records take more than this; the index comes on top.
        """
        self._database = database
        self._rings, self._records = rings, records
        self._keep_seconds, self._keep_bytes = keep_seconds, keep_bytes
        ((self._digested, self._bytes),) = database.read("SELECT digested, bytes FROM state")
        self._rest_until = 0.0
        """By `time.monotonic`."""
        self._backlog = 0
        """Bytes that were stored and are not in the index; what was there at the start does not count."""
        self._wait = _IDLE_SECONDS

    def stored(self, size: int) -> None:
        """So many bytes were stored."""
        self._backlog += size
        self._wait = _IDLE_SECONDS

    def seconds_to_wait(self) -> float:
        """Return how long nothing has to happen until the next step is due."""
        return self._wait

    def step(self, idle: bool) -> None:
        """Do a little; if the thread is not idle, only now and then, and if it is worth it."""
        began = time.monotonic()
        if not idle and (self._backlog < _STEP_BYTES or began < self._rest_until):
            return
        try:
            found = self._digest() or self._delete_forgotten() or self._delete_old()
        except (StoreError, Unreadable) as error:
            logger.warning("%s cannot be tended: %s", self._database.path, error)
            found = False
        now = time.monotonic()
        self._rest_until = now + (now - began) / _SHARE
        # There is more: go on, but let others have the processor for as long.
        self._wait = min(now - began, _MOST_BREATH_SECONDS) if found else _REST_SECONDS

    def _digest(self) -> bool:
        """Put the next blocks into the index; False if there are none."""
        rows = self._some(_NEW, self._digested)
        if not rows:
            self._backlog = 0
            return False
        size = sum([len(row.record) for row in rows])
        self._write([index.add(_events(rows)), (_DIGESTED, (rows[-1].block, size))])
        self._digested = rows[-1].block
        self._bytes += size
        self._backlog = max(0, self._backlog - size)
        return True

    def _delete_forgotten(self) -> bool:
        for (room,) in self._database.read("SELECT number FROM forgotten LIMIT 1"):
            rows = self._some(_OF_ROOM, room)
            if rows:
                self._delete(rows)
            else:
                self._write([("DELETE FROM forgotten WHERE number = ?", (room,))])
            return True
        return False

    def _delete_old(self) -> bool:
        rows = list(self._too_old()) if self._keep_bytes is not None or self._keep_seconds is not None else []
        if rows:
            self._delete(rows)
        return bool(rows)

    def _too_old(self) -> Iterator[_Row]:
        """Yield the oldest blocks that are to be deleted. None that is not counted yet: then it is not that old."""
        size = self._bytes
        since = time.time() - self._keep_seconds if self._keep_seconds is not None else 0.0
        for row in self._some(_OLD):
            too_many = self._keep_bytes is not None and size > self._keep_bytes
            if row.block > self._digested or not (too_many or row.last_time < since):
                return
            size -= len(row.record)
            yield row

    def _delete(self, rows: list[_Row]) -> None:
        digested = [row for row in rows if row.block <= self._digested]
        size = sum([len(row.record) for row in digested])
        lost = {row.room: row.last for row in rows}
        for room, last in lost.items():
            record = self._records.get(room)
            if record is not None:  # first of all: who reads meanwhile is told of a gap too soon, not too late
                record.lost = max(record.lost, last)
                self._rings.drop(record.key, last)
        blocks = ", ".join([str(row.block) for row in rows])
        self._write(
            [
                index.remove(_events(digested)),
                (f"DELETE FROM blocks WHERE block IN ({blocks})", ()),
                (_LESS, (size,)),
                *[(_LOST, (last, room)) for room, last in lost.items()],
            ]
        )
        self._bytes -= size

    def _write(self, statements: list[Statement]) -> None:
        self._database.write(statements, durable=False)

    def _some(self, sql: str, *parameters: int) -> list[_Row]:
        """Return the first blocks, not too many."""
        rows: list[_Row] = []
        size = 0
        with self._database.reading() as connection:
            for row in map(_Row._make, connection.execute(sql, (*parameters, _STEP_BLOCKS))):
                rows.append(row)
                size += len(row.record)
                if size >= _STEP_BYTES:
                    break
        return rows


def _events(rows: Iterable[_Row]) -> Iterator[tuple[int, Event]]:
    for row in rows:
        for event in events_of(decode_block(row.record)):
            yield row.room, event
