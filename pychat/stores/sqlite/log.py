"""
`SqliteLog`: a log in a file. Accepted events are on the disk before anybody gets them.

It also has the last events of each room in memory, including those not stored yet, so that new and returning members
can catch up without waiting for the disk. Each event is in memory or in the file.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from pychat.core.accounts.stored import StoredAccount
from pychat.core.delivery import Batch, Entry
from pychat.core.log.log import Log, Page, Portion, events_to_keep, first_id, found_in
from pychat.core.log.pending_write import PendingWrite
from pychat.core.log.ring_buffer import EVER, Rings, Tail, backwards, merge, merged_lazily
from pychat.core.log.snapshots import MaskChanges, RoomSnapshot, SessionSnapshot
from pychat.core.session import Session
from pychat.core.worker_pool import Workers
from pychat.model.arguments import given
from pychat.model.clock import SYSTEM_CLOCK, Clock, check_clock
from pychat.model.errors import CannotOpen, NotReadable
from pychat.model.events import Event
from pychat.model.search import Terms
from pychat.model.server_ban import ServerBan
from pychat.model.times import place_in
from pychat.stores.sqlite.database import Database, StoreError
from pychat.stores.sqlite.event_codec import Unreadable
from pychat.stores.sqlite.file_lock import files_of
from pychat.stores.sqlite.maintenance import Tending
from pychat.stores.sqlite.reader import Reader
from pychat.stores.sqlite.startup import begin, rooms_of, stored_room
from pychat.stores.sqlite.transaction import Queued, Record
from pychat.stores.sqlite.writer import LogWriter

T = TypeVar("T")

_EVENT_BYTES: Final = 200
"""The memory of an event beyond its text."""
_ENTRY_BYTES: Final = 100
_READERS: Final = 2
"""The number of threads that read for queries; more would only take time from the writers."""
_PAUSE: Final = 3.0
"""How long each of them rests, as a multiple of its work: together they use half a CPU, whatever the load."""


class SqliteLog(Log):
    """
    A persistent log: `ChatServer(log=SqliteLog("chat.db"))`. `ChatServer.stop` closes it.

    Ids continue where the file ends, even if the clock was set back meanwhile.
    """

    lasts = True

    def __init__(
        self,
        path: str | Path,
        *,
        sync: str = "full",
        keep_seconds: float | None = None,
        keep_bytes: int | None = None,
        events: int = 1000,
        chars: int = 262_144,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """
        Open the file.

        Args:
            path: The file; created if it does not exist. SQLite puts others beside it: `-wal`, `-shm` and `-lock`.
            sync: "full": accepted events survive a power failure. "normal": they survive any end of the process, but a
                power failure may lose the last moments.
            keep_seconds: The retention time; older events are deleted. Default: no limit.
            keep_bytes: The maximum size of all records; the oldest are deleted. Default: no limit.
            events: The maximum events of each room in memory.
            chars: The maximum characters of their messages together.
            clock: The clock for retention. Tests pass the clock of their chat.

        Raises:
            CannotOpen: With the reason and what to do. A file that is not a pychat database is not changed.
        """
        if sync not in ("full", "normal"):
            raise ValueError(f"sync must be 'full' or 'normal', not {sync!r}")
        for name, value in (("keep_seconds", keep_seconds), ("keep_bytes", keep_bytes)):
            if value is not None and not given(name, value, (int, float), "a number over 0") > 0:
                raise ValueError(f"{name} must be a number over 0, not {value!r}")
        check_clock(clock)
        self._database = Database(Path(path), sync=sync)
        try:
            self._beginning = begin(self._database, clock)
        except (StoreError, Unreadable) as error:
            self._database.close()
            raise CannotOpen(path, error.reason) from error
        newest, self._lost, self._number, records, *_ = self._beginning
        self.secret = self._beginning.secret
        self._next = max(first_id(clock), newest + 1)
        self._found = newest
        """The greatest id in the file when it was opened."""
        # By room key, and by number. Changed under the chat's order lock; single reads need none.
        self._records = {record.key: record for record in records}
        self._numbers = {record.number: record for record in records}
        self._rings = Rings(events, chars, newest)
        tending = Tending(self._database, self._rings, self._numbers, keep_seconds, keep_bytes, clock)
        self._steps = self._beginning.steps
        """The ids at which times decrease, because the clock was set back."""
        self._reader = Reader(self._database, self._steps)
        self._writer = LogWriter(self._database, self._rings, tending, newest)
        self._workers = Workers(_READERS, "pychat-read", pause=_PAUSE)
        self._closed = False

    def open(self, accepted: Callable[[Entry], None], wake: Callable[[], None] = lambda: None) -> None:
        super().open(accepted, wake)
        self._writer.start(accepted, wake)

    def close(self, seconds: float = 2.0) -> None:
        self._workers.cancel()
        if self._writer.close(seconds) and not self._closed:
            self._closed = True
            self._database.close()

    def disown(self) -> None:
        self._database.disown()

    @property
    def storage_error(self) -> str | None:  # type: ignore[override]  # others only read it
        """Why nothing can be stored at the moment, or None."""
        return self._writer.storage_error

    # Under the order lock: nothing here blocks

    def claim(self, count: int) -> int:
        first = self._next
        self._next += count
        return first

    def last_id(self) -> int:
        return self._next - 1

    def last_time(self) -> float:
        return self._beginning.newest_time

    def set_back(self, id: int) -> None:
        self._steps.append(id)
        self._writer.append(Queued(None, step=id))

    def append(self, entry: Entry) -> None:
        kept = events_to_keep(entry) if type(entry) is Batch else ()
        if not kept:
            self._writer.append(Queued(entry, size=0))
            return
        assert type(entry) is Batch
        keys = [room.key for room in entry.rooms]
        chars = self._rings.append(keys, kept, self._writer.settled)
        size = chars + _EVENT_BYTES * len(kept) + _ENTRY_BYTES
        self._writer.append(Queued(entry, kept, tuple(map(self._record, keys)), size))

    def _record(self, room: str) -> Record:
        record = self._records.get(room)
        if record is None:
            self._number += 1
            record = self._records[room] = self._numbers[self._number] = Record(
                self._number, room, self._lost, begins=self._found
            )
        return record

    def save_room(
        self,
        room: str,
        snapshot: RoomSnapshot,
        masks: MaskChanges,
        holds: object = None,
        source: Session | None = None,
    ) -> None:
        records = (self._record(room),)
        self._writer.append(Queued(None, records=records, kept=snapshot, masks=masks, holds=holds, source=source))

    def save_session(self, snapshot: SessionSnapshot, source: Session | None = None) -> None:
        self._writer.append(Queued(None, session=snapshot, source=source))

    def drop_session(self, digest: str) -> None:
        self._writer.append(Queued(None, session=digest))

    def save_account(self, key: str, account: StoredAccount | None) -> PendingWrite:
        storing = PendingWrite()
        self._writer.append(Queued(None, account=(key, account), storing=storing))
        return storing

    def save_ban(self, key: str, ban: ServerBan | None, source: Session | None = None) -> None:
        self._writer.append(Queued(None, ban=(key, ban), source=source))

    def load_rooms(self) -> list[RoomSnapshot]:
        return self._beginning.rooms

    def load_sessions(self) -> list[SessionSnapshot]:
        return self._beginning.sessions

    def load_accounts(self) -> list[StoredAccount]:
        return self._beginning.accounts

    def load_bans(self) -> list[ServerBan]:
        return self._beginning.bans

    def forget(self, room: str) -> None:
        record = self._records.pop(room, None)
        if record is not None:
            record.lost = self._lost = self.last_id()
            del self._numbers[record.number]
            self._rings.forget(room, self._lost)
            self._writer.append(Queued(None, forgets=record))

    def recent(self, rooms: Collection[str], after: int) -> list[Event] | None:
        tails = self._rings.tails(rooms, after)
        if any(tail.reach > after for tail in tails):
            return None
        return merge([tail.events for tail in tails])

    def has_gap(self, room: str, after: int) -> bool:
        if after >= self._next:
            return True
        record = self._records.get(room)
        return after < (record.lost if record is not None else self._lost) and after < self._rings.reach(room)

    # Without a lock

    def wake(self) -> None:
        self._writer.wake()

    @property
    def is_crowded(self) -> bool:
        return self._writer.is_crowded

    def throttle(self) -> None:
        self._writer.throttle()

    def load_room(self, room: str) -> RoomSnapshot | None:
        record = self._records.get(room)
        try:
            return None if record is None else stored_room(self._database, record.number)
        except (StoreError, Unreadable) as error:
            raise NotReadable(error.reason) from error

    def rooms_of(self, account: str) -> list[str]:
        try:
            return rooms_of(self._database, account)
        except StoreError as error:
            raise NotReadable(error.reason) from error

    # Reading. Memory is read first: whatever is dropped there meanwhile has long been in the file.

    def read_after(self, rooms: Collection[str], after: int, limit: int | None = None) -> Page:
        tails = self._rings.tails(rooms, after)  # all at the same moment; later events belong to the next page
        events = [self._events_after(room, tail, after) for room, tail in zip(rooms, tails, strict=True)]
        merged = list(islice(merged_lazily(events), None if limit is None else limit + 1))
        return Page(merged[:limit], limit is not None and len(merged) > limit)

    def _events_after(self, room: str, tail: Tail, after: int) -> Iterator[Event]:
        for portion in self._after(room, tail, after, messages_only=False):
            yield from portion.events

    def run_slow(self, address: Hashable, function: Callable[[], T]) -> T:
        return self._workers.run(address, function)

    def figures(self) -> Mapping[str, str]:
        """Return the size of the file with those beside it, and the free space on its disk."""
        path = self._database.path
        try:
            size = sum([file.stat().st_size for file in files_of(path)])
            free = shutil.disk_usage(path).free
        except OSError as error:  # it was removed
            return {"record": f"{path}: {error.strerror}"}
        return {"record": f"{path}, {size / 2**20:.1f} MiB", "free on its disk": f"{free / 2**20:.0f} MiB"}

    def release_waiting(self) -> None:
        self._workers.cancel()

    def forth(self, room: str, after: int, *, messages_only: bool = False) -> Iterator[Portion]:
        (tail,) = self._rings.tails((room,), after)
        return self._after(room, tail, after, messages_only=messages_only)

    def _after(self, room: str, tail: Tail, after: int, *, messages_only: bool) -> Iterator[Portion]:
        """Yield the events of one room after an id, given those in memory."""
        stored = self._stored(room, tail.reach)
        if stored is not None and tail.reach > after:
            yield Portion((), after, slow=True)
            for portion in self._reader.forth(stored, after, messages_only=messages_only):
                if portion.end >= tail.reach:
                    yield Portion([event for event in portion.events if event.id <= tail.reach], tail.reach)
                    break
                yield portion
        yield Portion(tail.events, tail.events[-1].id if tail.events else max(after, tail.reach))

    def back(self, room: str, before: int = EVER, *, messages_only: bool = False) -> Iterator[Portion]:
        reach, blocks = self._rings.blocks(room)
        stored, end = self._stored(room, reach), min(before, reach + 1)
        for events, first in backwards(blocks, before, messages_only=messages_only):
            yield Portion(events, first)
        yield Portion((), end, slow=stored is not None)
        if stored is not None:
            yield from self._reader.back(stored, end, messages_only=messages_only)

    def find(self, room: str, terms: Terms, before: int = EVER, *, reader: int | None = None) -> Iterator[Portion]:
        (tail,) = self._rings.tails((room,), -1)
        stored = self._stored(room, tail.reach)
        yield from found_in(tail.events, terms, before)
        if stored is not None:
            before = min(before, tail.reach + 1)
            yield Portion((), before, slow=True)
            yield from self._reader.find(stored, terms, before, reader=reader)

    def _stored(self, room: str, reach: int) -> int | None:
        """Return the number of a room if some of its events may be only in the file: memory has those after an id."""
        record = self._records.get(room)
        return None if record is None or reach <= record.begins else record.number

    def id_at(self, room: str, time: float, *, behind: bool = False) -> int:
        wanted = round(time * 1000)
        tail, record = self._rings.tails((room,), -1)[0], self._records.get(room)
        place = place_in(tail.events, wanted, behind=behind)
        # Of several events in one millisecond, only the last ones may be in memory.
        parted = place.exact and not behind and place.id == tail.events[0].id
        if record is not None and (parted or (not place.exact and (place.first or self._steps))):
            stored = self._reader.place(record.number, wanted, behind=behind)
            if stored.exact or (place.first and stored.id is not None):
                first = tail.events[0].id if tail.events else self._next
                return first if stored.id is None else stored.id
        return self._next if place.id is None else place.id
