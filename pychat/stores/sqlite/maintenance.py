"""
Maintenance: the log's thread does this when it is idle, a little at a time.

New blocks are indexed and counted; expired blocks, and those of deleted rooms, are deleted. None of it is urgent:
events that are not in the index yet are searched by reading them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from pychat.core.log.ring_buffer import Rings
from pychat.model.clock import Clock
from pychat.model.events import Event, Message
from pychat.stores.sqlite import search_index as index
from pychat.stores.sqlite.database import Database, Statement, StoreError, Unwritable
from pychat.stores.sqlite.event_codec import Unreadable, decode_block, events_of
from pychat.stores.sqlite.retention import DAY_SECONDS, Retention
from pychat.stores.sqlite.transaction import Record

logger = logging.getLogger("pychat")

_IDLE_SECONDS: Final = 0.2
"""How long the thread must be idle before it begins deferred work."""
_REST_SECONDS: Final = 10.0
"""How often to look for expired events, and how long to wait after a failure."""
_MOST_BREATH_SECONDS: Final = 0.02
"""The maximum pause between two steps, which gives others the CPU."""
_STEP_BYTES: Final = 32 * 1024
"""The records processed in one step; a message may have to wait for it."""
_STEP_BLOCKS: Final = 100
_LOOK_SECONDS: Final = 1.0
"""How often to check the length of SQLite's log."""
_SHARE: Final = 0.1
"""The share of its time that the thread spends on this while it is never idle."""

_BLOCK: Final = "SELECT block, room, last, last_time, events, messages FROM blocks"
_NEW: Final = f"{_BLOCK} WHERE block > ? ORDER BY block LIMIT ?"
_OLD: Final = f"{_BLOCK} ORDER BY block LIMIT ?"
_OF_ROOM: Final = f"{_BLOCK} WHERE room = ? ORDER BY first LIMIT ?"
_COUNTED: Final = "UPDATE blocks SET messages = ? WHERE block = ?"
_NEWEST: Final = "SELECT last_time FROM blocks ORDER BY block DESC LIMIT 1"
_BELIEVED: Final = "SELECT block, last_time FROM blocks WHERE block > ? AND last_time <= ? ORDER BY block LIMIT 1"
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
    messages: int | None
    """None if an earlier version wrote the block and its messages are not counted."""


class Tending:
    """The maintenance of one file. Used by the log's thread only."""

    def __init__(
        self,
        database: Database,
        rings: Rings,
        records: dict[int, Record],
        keep_seconds: float | None,
        keep_bytes: int | None,
        clock: Clock,
    ) -> None:
        """
        Args:
            rings: The events in memory, from which deleted ones must go, too.
            records: The records of rooms, by number, which are told of deleted events.
            keep_seconds: The retention time; older events are deleted.
            keep_bytes: The maximum size of the records, without the index; the oldest are deleted.
        """
        self._database = database
        self._rings, self._records = rings, records
        self._retention = None if keep_seconds is None else Retention(database.path, keep_seconds, clock)
        self._keep_bytes = keep_bytes
        self._clock = clock
        self._believed = (0, 0.0)
        """The first block after those with times far in the future, and its time."""
        ((self._digested, self._bytes),) = database.read("SELECT digested, bytes FROM state")
        self._rest_until = self._look_at = 0.0
        """Both by `time.monotonic`."""
        self._backlog = 0
        """Bytes that were stored and not indexed yet, without those from before the start."""
        self._wait = _IDLE_SECONDS

    def stored(self, size: int) -> None:
        """Count newly stored bytes."""
        self._backlog += size
        self._wait = _IDLE_SECONDS

    def seconds_to_wait(self) -> float:
        """Return how long the thread must wait for the next step."""
        return self._wait

    def step(self, idle: bool) -> None:
        """Do one step; if the thread is not idle, only now and then and if there is enough to do."""
        began = time.monotonic()
        if began >= self._look_at:
            self._shorten_log(began)
        if not idle and (self._backlog < _STEP_BYTES or began < self._rest_until):
            return
        found = False
        for task in (self._digest, self._delete_forgotten, self._delete_old):  # the next one runs if one fails
            try:
                found = task()
            except StoreError as error:
                logger.warning("the maintenance of %s failed: %s", self._database.path, error)
            except Exception:
                logger.exception("the maintenance of %s failed", self._database.path)
            if found:
                break
        now = time.monotonic()
        self._rest_until = now + (now - began) / _SHARE
        # There is more to do: continue, after giving others the CPU for as long.
        self._wait = min(now - began, _MOST_BREATH_SECONDS) if found else _REST_SECONDS

    def _shorten_log(self, now: float) -> None:
        try:
            done = self._database.shorten_log()
        except StoreError as error:
            logger.warning("%s: its -wal cannot be shortened: %s", self._database.path, error)
            done = False
        self._look_at = now + (_LOOK_SECONDS if done else _REST_SECONDS)

    def _digest(self) -> bool:
        """Index the next blocks; return False if there are none."""
        rows = self._some(_NEW, self._digested)
        if not rows:
            self._backlog = 0
            return False
        size = sum([len(row.record) for row in rows])
        self._write_index(index.add, rows, (_DIGESTED, (rows[-1].block, size)), *_counts(rows))
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
        rows = list(self._too_old()) if self._keep_bytes is not None or self._retention is not None else []
        if rows:
            self._delete(rows)
        return bool(rows)

    def _too_old(self) -> Iterator[_Row]:
        """Yield the oldest blocks to delete. Blocks that are not indexed yet are not old enough."""
        size = self._bytes
        newest = 0.0
        rows = self._some(_OLD)
        if self._retention is not None and rows:
            ((newest,),) = self._database.read(_NEWEST)
            self._retention.begin(newest, size)
        for row in rows:
            too_many = self._keep_bytes is not None and size > self._keep_bytes
            if row.block > self._digested or not (too_many or self._is_over(row, newest)):
                return
            size -= len(row.record)
            yield row

    def _is_over(self, row: _Row, newest: float) -> bool:
        """
        Return whether a block has expired.

        A block from the far future was stored when the clock was wrong: it counts as old as the ones after it.
        """
        if self._retention is None:
            return False
        time, latest = row.last_time, self._clock.time() + DAY_SECONDS
        if time > latest:
            if newest > latest:  # so the clock is wrong now
                return False
            if row.block >= self._believed[0]:
                (self._believed,) = self._database.read(_BELIEVED, row.block, latest)  # at least the newest is
            time = self._believed[1]
        return self._retention.is_over(time, len(row.record), lambda: sum(1 for _ in _events([row])))

    def _delete(self, rows: list[_Row]) -> None:
        digested = [row for row in rows if row.block <= self._digested]
        size = sum([len(row.record) for row in digested])
        lost = {row.room: row.last for row in rows}
        for room, last in lost.items():
            record = self._records.get(room)
            if record is not None:  # before deleting, so that readers are told of a gap too early rather than too late
                record.lost = max(record.lost, last)
                self._rings.drop(record.key, last)
        blocks = ", ".join([str(row.block) for row in rows])
        self._write_index(
            index.remove,
            digested,
            (f"DELETE FROM blocks WHERE block IN ({blocks})", ()),
            (_LESS, (size,)),
            *[(_LOST, (last, room)) for room, last in lost.items()],
        )
        self._bytes -= size

    def _write_index(
        self, change: Callable[[Iterable[tuple[int, Event]]], Statement], rows: list[_Row], *more: Statement
    ) -> None:
        """Change the index for blocks, and execute more statements with it, or only these if the index fails."""
        try:
            self._write([change(_events(rows)), *more])
        except Exception as error:
            if isinstance(error, StoreError) and not isinstance(error, Unwritable):
                raise
            logger.exception("%s: messages cannot be indexed", self._database.path)
            self._write(list(more))

    def _write(self, statements: list[Statement]) -> None:
        self._database.write(statements, durable=False, patient=False)

    def _some(self, sql: str, *parameters: int) -> list[_Row]:
        """Return the first blocks of a query, within the size of one step."""
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
    """Yield the events of blocks; skip damaged blocks, which would keep all others from the index."""
    for row in rows:
        try:
            events = events_of(decode_block(row.record))
        except Unreadable as error:
            logger.warning("block %d is left out: %s", row.block, error)
            continue
        for event in events:
            yield row.room, event


def _counts(rows: Iterable[_Row]) -> Iterator[Statement]:
    """Count the messages of blocks that an earlier version wrote."""
    for row in rows:
        if row.messages is None:
            yield _COUNTED, (sum(type(event) is Message for _, event in _events([row])), row.block)
