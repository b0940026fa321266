"""
`SqliteLog`: a log in a file. What it accepted is on the disk before anybody hears it.

It has the last events of each room in memory, too, those that are still to be stored among them, so that whoever joins
or comes back can be brought up to the present without waiting for the disk. Each event is in memory or in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from pychat.core.delivery import Batch, Entry
from pychat.core.errors import CannotOpen
from pychat.core.events import Event, Message
from pychat.core.kept_accounts import KeptAccount
from pychat.core.lasting import KeptRoom, KeptSession
from pychat.core.log import Log, Page, Storing, events_to_keep, first_id, milliseconds
from pychat.core.rings import EVER, Rings, Tail, merge
from pychat.core.searching import Terms
from pychat.core.server_ban import ServerBan
from pychat.stores.beginning import begin
from pychat.stores.changes import Queued, Record
from pychat.stores.keeper import Keeper
from pychat.stores.reading import Reader
from pychat.stores.records import Unreadable
from pychat.stores.sqlite import Database, StoreError
from pychat.stores.tending import Tending

_EVENT_BYTES: Final = 200
"""What an event takes in memory beyond its text."""
_ENTRY_BYTES: Final = 100


class SqliteLog(Log):
    """
    Give it to `ChatServer(log=SqliteLog("chat.db"))`. `ChatServer.stop` closes it.

    Ids go on where the file ends, also if the clock was set back meanwhile.
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
    ) -> None:
        """
        Args:
            path: The file; made if it is not there. SQLite puts others beside it: `-wal`, `-shm` and `-lock`.
            sync: "full": what was accepted survives a loss of power. "normal": it survives the end of the process in
                whatever way, and a loss of power may take the last moments.
            keep_seconds: Delete what is older. Default: nothing.
            keep_bytes: Delete the oldest when the records together take more. Default: nothing.
            events: How many of each room are in memory.
            chars: And how many characters their messages may have together.

        Raises:
            CannotOpen: With the reason and what to do. A file that is no pychat database is not touched.
        """
        self._database = Database(Path(path), sync=sync)
        try:
            self._beginning = begin(self._database)
        except (StoreError, Unreadable) as error:
            self._database.close()
            raise CannotOpen(path, error.reason) from error
        newest, self._lost, self._number, records, *_ = self._beginning
        self.secret = self._beginning.secret
        self._next = max(first_id(), newest + 1)
        # By room key, and by number. Changed under the chat's order lock; single reads need none.
        self._records = {record.key: record for record in records}
        self._numbers = {record.number: record for record in records}
        self._rings = Rings(events, chars, newest)
        tending = Tending(self._database, self._rings, self._numbers, keep_seconds, keep_bytes)
        self._reader = Reader(self._database)
        self._keeper = Keeper(self._database, self._rings, tending, newest)
        self._closed = False

    def open(self, accepted: Callable[[Entry], None], wake: Callable[[], None] = lambda: None) -> None:
        super().open(accepted, wake)
        self._keeper.start(accepted, wake)

    def close(self, seconds: float = 2.0) -> None:
        if self._keeper.close(seconds) and not self._closed:
            self._closed = True
            self._database.close()

    @property
    def trouble(self) -> str | None:  # type: ignore[override]  # others only read it
        """Why nothing can be stored at the moment."""
        return self._keeper.trouble

    # Under the order lock: nothing here waits

    def claim(self, count: int) -> int:
        first = self._next
        self._next += count
        return first

    def last_id(self) -> int:
        return self._next - 1

    def append(self, entry: Entry) -> None:
        kept = events_to_keep(entry) if type(entry) is Batch else ()
        if not kept:
            self._keeper.append(Queued(entry, size=0))
            return
        assert type(entry) is Batch
        keys = [room.key for room in entry.rooms]
        chars = self._rings.append(keys, kept, self._keeper.settled)
        size = chars + _EVENT_BYTES * len(kept) + _ENTRY_BYTES
        self._keeper.append(Queued(entry, kept, tuple(map(self._record, keys)), size))

    def _record(self, room: str) -> Record:
        record = self._records.get(room)
        if record is None:
            self._number += 1
            record = self._records[room] = self._numbers[self._number] = Record(self._number, room, self._lost)
        return record

    def keep_room(self, room: str, kept: KeptRoom) -> None:
        self._keeper.append(Queued(None, records=(self._record(room),), kept=kept))

    def keep_session(self, kept: KeptSession) -> None:
        self._keeper.append(Queued(None, session=kept))

    def drop_session(self, digest: str) -> None:
        self._keeper.append(Queued(None, session=digest))

    def keep_account(self, key: str, account: KeptAccount | None) -> Storing:
        storing = Storing()
        self._keeper.append(Queued(None, account=(key, account), storing=storing))
        return storing

    def keep_ban(self, key: str, ban: ServerBan | None) -> None:
        self._keeper.append(Queued(None, ban=(key, ban)))

    def kept_rooms(self) -> list[KeptRoom]:
        return self._beginning.rooms

    def kept_sessions(self) -> list[KeptSession]:
        return self._beginning.sessions

    def kept_accounts(self) -> list[KeptAccount]:
        return self._beginning.accounts

    def kept_bans(self) -> list[ServerBan]:
        return self._beginning.bans

    def forget(self, room: str) -> None:
        record = self._records.pop(room, None)
        if record is not None:
            record.lost = self._lost = self.last_id()
            del self._numbers[record.number]
            self._rings.forget(room, self._lost)
            self._keeper.append(Queued(None, forgets=record))

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
        self._keeper.wake()

    def throttle(self) -> None:
        self._keeper.throttle()

    # Reading. Memory is looked at first: what is dropped there meanwhile has long been in the file.

    def read_after(self, rooms: Collection[str], after: int, limit: int | None = None) -> Page:
        most = EVER if limit is None else limit + 1
        tails = zip(rooms, self._rings.tails(rooms, after), strict=True)
        merged = merge([self._after(room, tail, after, most) for room, tail in tails])
        return Page(merged[:limit], limit is not None and len(merged) > limit)

    def _after(self, room: str, tail: Tail, after: int, most: int) -> list[Event]:
        """Return the first events of one room, given what is in memory of it."""
        record = self._records.get(room)
        events = tail.events
        if tail.reach > after and record is not None:
            stored = self._reader.after(record.number, after, most)
            events = [event for event in stored if event.id <= tail.reach] + events
        return events[:most]

    def read_before(self, room: str, before: int | None, limit: int) -> Page:
        before = EVER if before is None else before
        tail, record = self._rings.tails((room,), -1)[0], self._records.get(room)
        events = [event for event in tail.events if event.id < before]
        if len(events) <= limit and record is not None:
            missing = limit + 1 - len(events)
            events = self._reader.before(record.number, min(before, tail.reach + 1), missing) + events
        return Page(events[-limit:] if limit else [], len(events) > limit)

    def search(self, room: str, terms: Terms, before: int | None, limit: int) -> Page:
        before = EVER if before is None else before
        tail, record = self._rings.tails((room,), -1)[0], self._records.get(room)
        found = {event.id: event for event in tail.events if type(event) is Message and terms.are_in(event.text)}
        stored = self._reader.search(record.number, terms, before, limit + 1) if record is not None else []
        merged = {event.id: event for event in stored} | found
        events = [merged[id] for id in sorted(merged) if id < before]
        return Page(events[-limit:] if limit else [], len(events) > limit)

    def id_at(self, room: str, time: float, *, behind: bool = False) -> int:
        wanted = round(time * 1000) + behind
        tail, record = self._rings.tails((room,), -1)[0], self._records.get(room)
        if record is not None and not (tail.events and milliseconds(tail.events[0].time) < wanted):
            stored = self._reader.first_at(record.number, wanted)
            if stored is not None:
                return stored
        return next((event.id for event in tail.events if milliseconds(event.time) >= wanted), self._next)
