"""
The log: the ordered record of all rooms. What it accepted, and nothing else, is delivered, in that order.

`Log` is the interface; `MemoryLog` keeps the last events of each room and accepts everything at once. A log with I/O
(`stores/`) queues in `append` and calls `accepted` later, from its own thread, in the same order.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from pychat.core.burst import Burst
from pychat.core.delivery import Batch, Entry
from pychat.core.errors import NotStored
from pychat.core.events import Event, Message, Tagged
from pychat.core.kept_accounts import KeptAccount
from pychat.core.lasting import KeptRoom, KeptSession
from pychat.core.rings import Rings, merge
from pychat.core.searching import Terms
from pychat.core.server_ban import ServerBan


class Page(NamedTuple):
    """Events in order, and whether there are more in the direction that was asked for."""

    events: list[Event]
    more: bool


class Storing:
    """Something that is being stored, for one who may not go on before."""

    def __init__(self) -> None:
        self._settled = threading.Event()
        self._trouble: str | None = None

    def settle(self, trouble: str | None = None) -> None:
        """It is stored; or it never will be, and why."""
        self._trouble = trouble
        self._settled.set()

    def wait(self, what: str) -> None:
        """
        Return when it is stored. Without a lock.

        Args:
            what: What it is called.

        Raises:
            NotStored: It cannot be, and is as it was before.
        """
        self._settled.wait()
        if self._trouble is not None:
            raise NotStored(what, self._trouble)


class Log(ABC):
    """
    Thread-safe. Room keys are folded names (`core/names.py`).

    Reading may take the time of a disk, so it is not done under the chat's order lock, but for `recent`, `has_gap` and
    `last_id`. What cannot be read raises `errors.NotReadable`.
    """

    lasts: bool = False
    """Whether anything is still there when the server is started again: then what is kept is."""
    secret: bytes | None = None
    """Of what stands for addresses (`userhost.Cloaks`), the same at each start; None: it is another one each time."""
    trouble: str | None = None
    """Why nothing can be stored at the moment; None: it can."""

    def open(self, accepted: Callable[[Entry], None], wake: Callable[[], None] = lambda: None) -> None:
        """
        Start.

        Args:
            accepted: Called once for each appended entry that is not refused, in order, by one thread at a time.
            wake: Called after that, once for many of them, without a lock.
        """
        self._accepted = accepted
        self._wake = wake

    def close(self, seconds: float = 2.0) -> None:  # noqa: B027 -- a log in memory has nothing to close
        """Store what was appended, if that takes no longer, and stop; what was accepted is kept if anything is."""

    @abstractmethod
    def claim(self, count: int) -> int:
        """Return the first of `count` consecutive ids, greater than all before. Under the chat's order lock."""

    @abstractmethod
    def append(self, entry: Entry) -> None:
        """
        Give an entry its place, now or when it is stored. Under the chat's order lock: must not wait.

        Entries that are no `Batch` pass through in their place; they are not kept, nor are events that are `Tagged`.
        A `Follow` may be appended without the lock.
        """

    @abstractmethod
    def wake(self) -> None:
        """Let what was appended be stored and delivered. Without a lock, once after many entries; does not wait."""

    def throttle(self) -> None:  # noqa: B027 -- a log in memory is never behind
        """Wait while too much is on its way to be stored. For those who write, without a lock."""

    @abstractmethod
    def recent(self, rooms: Collection[str], after: int) -> list[Event] | None:
        """Return the events of these rooms behind an id, merged; None if they begin before what is in memory."""

    @abstractmethod
    def read_after(self, rooms: Collection[str], after: int, limit: int | None = None) -> Page:
        """Return the first `limit` events of these rooms behind the id `after`, merged; each event once."""

    @abstractmethod
    def read_before(self, room: str, before: int | None, limit: int) -> Page:
        """Return the last `limit` events of a room, before the id `before` if it is given."""

    @abstractmethod
    def search(self, room: str, terms: Terms, before: int | None, limit: int) -> Page:
        """Return the last `limit` messages of a room in which the words are, before the id `before` if it is given."""

    @abstractmethod
    def id_at(self, room: str, time: float, *, behind: bool = False) -> int:
        """
        Return an id that parts the record of a room at a time: what happened before has a smaller id, the rest not.

        Args:
            time: POSIX seconds. Times are compared in whole milliseconds, as languages write them.
            behind: What happened in that very millisecond belongs to what was before.
        """

    @abstractmethod
    def has_gap(self, room: str, after: int) -> bool:
        """Whether events behind `after` may have been dropped, or `after` is no id of this log."""

    @abstractmethod
    def last_id(self) -> int:
        """Return the newest id given so far."""

    @abstractmethod
    def forget(self, room: str) -> None:
        """Drop the record of a room that is no more. Under the chat's order lock: must not wait."""

    # What lasts beside the record, in the order of what is appended. Under the chat's order lock: must not wait.

    def keep_room(self, room: str, kept: KeptRoom) -> None:  # noqa: B027 -- a log in memory keeps nothing
        """Store what lasts of a room; `forget` drops it."""

    def keep_session(self, kept: KeptSession) -> None:  # noqa: B027
        """Store what lasts of a session."""

    def drop_session(self, digest: str) -> None:  # noqa: B027
        """Drop what was stored of a session that does not come back."""

    def keep_account(self, key: str, account: KeptAccount | None) -> Storing:
        """Store an account under its folded name; None: that there is none any more. The caller has to `wake`."""
        storing = Storing()
        storing.settle()
        return storing

    def keep_ban(self, key: str, ban: ServerBan | None) -> None:  # noqa: B027
        """Store a ban from the server under its folded target; None: it is no more."""

    def kept_rooms(self) -> list[KeptRoom]:
        """Return what was stored of rooms before the server was started. Asked once."""
        return []

    def kept_sessions(self) -> list[KeptSession]:
        """Return what was stored of sessions before the server was started. Asked once."""
        return []

    def kept_accounts(self) -> list[KeptAccount]:
        """Return the accounts that were stored before the server was started. Asked once."""
        return []

    def kept_bans(self) -> list[ServerBan]:
        """Return the bans that were stored before the server was started, the oldest first. Asked once."""
        return []


def events_to_keep(batch: Batch) -> Sequence[Event]:
    """Return the events of a batch that a log keeps."""
    events = batch.events
    if type(events) is Burst or not batch.rooms:
        return events if batch.rooms else ()
    return [event for event in events if type(event) is not Tagged]


def first_id() -> int:
    """Return the first id of a log that begins now: milliseconds since 1970 times 2^20, so that ids always grow."""
    return time.time_ns() // 1_000_000 << 20


def milliseconds(time: float) -> int:
    """Return the time of an event as languages write it, to be compared."""
    return int(time * 1000)


class MemoryLog(Log):
    """
    Keeps the last events of each room, as long as the process lives.

    Ids begin at the milliseconds since 1970 times 2^20, so they go on growing when the server is restarted, and an id
    of an earlier run is known as such.
    """

    def __init__(self, events: int = 1000, chars: int = 262_144) -> None:
        """
        Args:
            events: How many of each room.
            chars: And how many characters their messages may have together.
        """
        self._next = first_id()
        self._rings = Rings(events, chars, self._next - 1)

    def claim(self, count: int) -> int:
        first = self._next
        self._next += count
        return first

    def last_id(self) -> int:
        return self._next - 1

    def append(self, entry: Entry) -> None:
        if type(entry) is Batch:
            kept = events_to_keep(entry)
            if kept:
                self._rings.append([room.key for room in entry.rooms], kept)
        self._accepted(entry)

    def wake(self) -> None:
        self._wake()

    def recent(self, rooms: Collection[str], after: int) -> list[Event]:
        return merge([tail.events for tail in self._rings.tails(rooms, after)])

    def read_after(self, rooms: Collection[str], after: int, limit: int | None = None) -> Page:
        events = self.recent(rooms, after)
        return Page(events[:limit], limit is not None and len(events) > limit)

    def read_before(self, room: str, before: int | None, limit: int) -> Page:
        events = [event for event in self._all(room) if before is None or event.id < before]
        return Page(events[-limit:] if limit else [], len(events) > limit)

    def search(self, room: str, terms: Terms, before: int | None, limit: int) -> Page:
        events = [event for event in self._all(room) if before is None or event.id < before]
        found = [event for event in events if type(event) is Message and terms.are_in(event.text)]
        return Page(list(found[-limit:]) if limit else [], len(found) > limit)

    def id_at(self, room: str, time: float, *, behind: bool = False) -> int:
        wanted = round(time * 1000) + behind
        later = (event.id for event in self._all(room) if milliseconds(event.time) >= wanted)  # they never go back
        return next(later, self._next)

    def _all(self, room: str) -> list[Event]:
        return self._rings.tails((room,), -1)[0].events

    def has_gap(self, room: str, after: int) -> bool:
        return after >= self._next or after < self._rings.reach(room)

    def forget(self, room: str) -> None:
        self._rings.forget(room, self._next - 1)
