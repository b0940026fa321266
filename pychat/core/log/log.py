"""
The log: the ordered record of all rooms. Exactly the entries it accepts are delivered, in that order.

`Log` is the interface; `MemoryLog` keeps the last events of each room and accepts everything at once. A log with I/O
(`stores/`) queues in `append` and calls `accepted` later, on its own thread, in the same order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from pychat.core.delivery import Batch, Entry
from pychat.core.log.pending_write import PendingWrite
from pychat.core.log.ring_buffer import EVER, Rings, backwards, merge
from pychat.core.log.snapshots import MaskChanges, RoomSnapshot, SessionSnapshot
from pychat.model.arguments import optional
from pychat.model.burst import Burst
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.events import NEVER_STORED, Event, Message
from pychat.model.search import Terms
from pychat.model.server_ban import ServerBan
from pychat.model.times import place_in
from pychat.renamed import find_renamed, old_names

if TYPE_CHECKING:
    from pychat.core.accounts.stored import StoredAccount
    from pychat.core.session import Session

T = TypeVar("T")

_LOOKED_AT: Final = 50
"""The messages searched in one step: searching a long one for many words takes a millisecond."""


class Page(NamedTuple):
    """Events in order, and whether there are more in the requested direction."""

    events: list[Event]
    more: bool


class Portion(NamedTuple):
    """Some events of a room, in order: one step of an iteration over its log."""

    events: Sequence[Event]
    end: int
    """The position reached: forwards, all events up to this id were seen; backwards, all from it on."""
    slow: bool = False
    """True if the next step reads the disk."""


@old_names(
    keep_account="save_account",
    keep_ban="save_ban",
    keep_room="save_room",
    keep_session="save_session",
    kept_accounts="load_accounts",
    kept_bans="load_bans",
    kept_room="load_room",
    kept_rooms="load_rooms",
    kept_sessions="load_sessions",
    trouble="storage_error",
)
class Log(ABC):
    """
    The interface of logs. Thread-safe. Room keys are folded names (`model/names.py`).

    Reading may take the time of a disk access, so do not read under the chat's order lock, except by `recent`,
    `has_gap` and `last_id`. A failure to read raises `errors.NotReadable`.
    """

    lasts: bool = False
    """True if the log is persistent: its contents are still there after a restart."""
    secret: bytes | None = None
    """The key of the pseudonyms for addresses (`cloaks.Cloaks`), the same at each start; None: a new one each time."""
    storage_error: str | None = None
    """Why nothing can be stored at the moment; None if it can."""

    def open(self, accepted: Callable[[Entry], None], wake: Callable[[], None] = lambda: None) -> None:
        """
        Start.

        Args:
            accepted: Called once for each appended entry that is not refused, in order, by one thread at a time.
            wake: Called after that, once for many entries, without a lock.
        """
        self._accepted = accepted
        self._wake = wake

    def close(self, seconds: float = 2.0) -> None:  # noqa: B027 -- a log in memory has nothing to close
        """Store the appended entries within `seconds` and stop; entries that were accepted are kept if any are."""

    def disown(self) -> None:  # noqa: B027 -- a log in memory has nothing to give back
        """In the child of a fork, release the files without closing the log, which continues in the parent."""

    @abstractmethod
    def claim(self, count: int) -> int:
        """Return the first of `count` consecutive ids, greater than all before. Hold the chat's order lock."""

    @abstractmethod
    def append(self, entry: Entry) -> None:
        """
        Give an entry its position, now or when it is stored. Hold the chat's order lock: must not block.

        Entries other than `Batch` pass through in their position but are not stored, and neither are events of
        `NEVER_STORED`. A `Follow` may be appended without the lock.
        """

    @abstractmethod
    def wake(self) -> None:
        """Store and deliver the appended entries. Call this without a lock, once after many entries; does not block."""

    @property
    def is_crowded(self) -> bool:
        """True while too much is queued for storing (backpressure); `wake` of the delivery is called afterwards."""
        return False

    def throttle(self) -> None:  # noqa: B027 -- a log in memory never lags
        """Block while it is crowded. For threads that write, without a lock."""

    @abstractmethod
    def recent(self, rooms: Collection[str], after: int) -> list[Event] | None:
        """Return the events of these rooms after an id, merged; None if memory does not reach back that far."""

    @abstractmethod
    def read_after(self, rooms: Collection[str], after: int, limit: int | None = None) -> Page:
        """Return the first `limit` events of these rooms after the id `after`, merged; each event once."""

    def run_slow(self, address: Hashable, function: Callable[[], T]) -> T:
        """
        Call a function that reads the disk when its turn comes, and return its result.

        Args:
            address: The owner of the work (`attempts.address_key`).

        Raises:
            Busy: If too many are reading at the moment.
        """
        return function()

    def figures(self) -> Mapping[str, str]:
        """Return statistics of the log for administrators: names and values. May read the disk."""
        return {}

    def release_waiting(self) -> None:  # noqa: B027 -- nobody waits for memory
        """Release all waiting threads, because the server stops."""

    # Iterating over the log of one room: each portion is read on demand and costs little, so a reader can stop after
    # any of them. With `messages_only`, events other than messages may be left out.

    @abstractmethod
    def forth(self, room: str, after: int, *, messages_only: bool = False) -> Iterator[Portion]:
        """Yield the events of a room after an id, the first ones first."""

    @abstractmethod
    def back(self, room: str, before: int = EVER, *, messages_only: bool = False) -> Iterator[Portion]:
        """Yield the events of a room before an id, the last portion first; each portion is in order."""

    @abstractmethod
    def find(self, room: str, terms: Terms, before: int = EVER, *, reader: int | None = None) -> Iterator[Portion]:
        """
        Yield the messages of a room that match the terms, before an id, the last portion first.

        Args:
            reader: The identity of a session. Messages that it may not see may be left out.
        """

    def read_before(self, room: str, before: int | None, limit: int) -> Page:
        """Return the last `limit` events of a room, before the id `before` if given."""
        return _last(self.back(room, EVER if before is None else before), limit)

    def search(self, room: str, terms: Terms, before: int | None, limit: int) -> Page:
        """Return the last `limit` messages of a room that match the terms, before the id `before` if given."""
        return _last(self.find(room, terms, EVER if before is None else before), limit)

    @abstractmethod
    def id_at(self, room: str, time: float, *, behind: bool = False) -> int:
        """
        Return an id that splits the log of a room at a time: earlier events have smaller ids, the others do not.

        Args:
            time: POSIX seconds. Times are compared in whole milliseconds, as protocols write them.
            behind: True if events in that very millisecond belong to the earlier part.

        Where the clock was set back, times decrease from one event to the next. Events from before that with later
        times count as having happened when the clock was set back. But the exact time of an event always means the
        position of that event, because clients identify events by their times.
        """

    def set_back(self, id: int) -> None:  # noqa: B027 -- only what is searched by time needs to know
        """Record that times repeat from this id on, because the clock was set back. Hold the chat's order lock."""

    @abstractmethod
    def has_gap(self, room: str, after: int) -> bool:
        """Return whether events after `after` may have been dropped, or `after` is not an id of this log."""

    @abstractmethod
    def last_id(self) -> int:
        """Return the newest id given so far."""

    def last_time(self) -> float:
        """Return the time of the last event stored before the server started; 0 if none."""
        return 0.0

    @abstractmethod
    def forget(self, room: str) -> None:
        """Drop the log of a deleted room. Hold the chat's order lock: must not block."""

    # Snapshots beside the events, in the order of appending. Hold the chat's order lock: must not block. `source` is
    # the session whose verb caused the change: if it cannot be stored, that session gets no confirmation.

    def save_room(  # noqa: B027 -- nothing lasts in memory
        self,
        room: str,
        snapshot: RoomSnapshot,
        masks: MaskChanges,
        holds: object = None,
        source: Session | None = None,
    ) -> None:
        """
        Store the snapshot of a room and the changes of its lists; `forget` drops all of it.

        Args:
            holds: An object that the log refers to until the snapshot is stored, so that `load_room` is not called
                before.
        """

    def save_session(self, snapshot: SessionSnapshot, source: Session | None = None) -> None:  # noqa: B027
        """Store the snapshot of a session."""

    def drop_session(self, digest: str) -> None:  # noqa: B027
        """Drop the snapshot of a session that cannot come back."""

    def save_account(self, key: str, account: StoredAccount | None) -> PendingWrite:
        """Store an account under its folded name; None deletes it. The caller must call `wake`."""
        storing = PendingWrite()
        storing.settle()
        return storing

    def save_ban(self, key: str, ban: ServerBan | None, source: Session | None = None) -> None:  # noqa: B027
        """Store a server ban under its folded target; None deletes it."""

    def load_rooms(self) -> list[RoomSnapshot]:
        """Return the rooms that had members when they were stored, before the server started. Called once."""
        return []

    def load_room(self, room: str) -> RoomSnapshot | None:
        """Return the snapshot of a room, or None. Reads the disk: do not hold the order lock."""
        return None

    def rooms_of(self, account: str) -> list[str]:
        """Return the keys of the rooms in which an account, by folded name, has a role. Reads the disk."""
        return []

    def load_sessions(self) -> list[SessionSnapshot]:
        """Return the snapshots of sessions from before the server started. Called once."""
        return []

    def load_accounts(self) -> list[StoredAccount]:
        """Return the accounts stored before the server started. Called once."""
        return []

    def load_bans(self) -> list[ServerBan]:
        """Return the server bans stored before the server started, the oldest first. Called once."""
        return []


def _last(backwards: Iterable[Portion], limit: int) -> Page:
    """Return the last events of the portions, and whether there are more."""
    events: list[Event] = []
    for portion in backwards:
        events = [*portion.events, *events]
        if len(events) > limit:
            break
    return Page(events[-limit:] if limit else [], len(events) > limit)


def found_in(events: Sequence[Event], terms: Terms, before: int) -> Iterator[Portion]:
    """Yield the events before an id that match the terms; see `Log.find`."""
    for at in range(len(events), 0, -_LOOKED_AT):
        part = [event for event in events[max(0, at - _LOOKED_AT) : at] if event.id < before]
        if part:
            yield Portion(having(terms, part), part[0].id)


def having(terms: Terms, events: Iterable[Event]) -> list[Event]:
    """Return the messages that match the terms."""
    return [event for event in events if type(event) is Message and terms.are_in(event.text)]


def events_to_keep(batch: Batch) -> Sequence[Event]:
    """Return the events of a batch that a log stores."""
    events = batch.events
    if type(events) is Burst or not batch.rooms:
        return events if batch.rooms else ()
    return [event for event in events if type(event) not in NEVER_STORED]


_LAST_FIRST_ID: Final = 2**62
"""The first id if the clock says 2109 or later: half of all ids are left, whatever the clock says."""


def first_id(clock: Clock) -> int:
    """
    Return the first id of a log that begins now: milliseconds since 1970 times 2^20, so that ids always grow.

    Ids are stored below 2^63. As they begin in the middle at most, a clock that was wrong once has not used them up: a
    later run continues where this one ends, and uses one for each event.
    """
    return min(int(clock.time() * 1000) << 20, _LAST_FIRST_ID)


def check_log(log: object) -> Log | None:
    """
    Return the log, or None if there is none.

    Raises:
        TypeError: If it is something else, such as the path of a file.
    """
    example = f"SqliteLog({str(log)!r})" if isinstance(log, str | PurePath) else "SqliteLog('chat.db')"
    return optional("log", log, Log, f"a log, such as {example}")


class MemoryLog(Log):
    """Keeps the last events of each room while the process lives. Its ids are greater than those of earlier runs."""

    def __init__(self, events: int = 1000, chars: int = 262_144, *, clock: Clock = SYSTEM_CLOCK) -> None:
        """
        Args:
            events: The maximum events of each room.
            chars: The maximum characters of their messages together.
            clock: Gives the first id.
        """
        self._next = first_id(clock)
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

    def forth(self, room: str, after: int, *, messages_only: bool = False) -> Iterator[Portion]:
        (tail,) = self._rings.tails((room,), after)
        yield Portion(tail.events, tail.events[-1].id if tail.events else after)

    def back(self, room: str, before: int = EVER, *, messages_only: bool = False) -> Iterator[Portion]:
        reach, blocks = self._rings.blocks(room)
        for events, first in backwards(blocks, before, messages_only=messages_only):
            yield Portion(events, first)
        yield Portion((), min(before, reach + 1))

    def find(self, room: str, terms: Terms, before: int = EVER, *, reader: int | None = None) -> Iterator[Portion]:
        (tail,) = self._rings.tails((room,), -1)
        yield from found_in(tail.events, terms, before)

    def id_at(self, room: str, time: float, *, behind: bool = False) -> int:
        place = place_in(self._all(room), round(time * 1000), behind=behind)
        return self._next if place.id is None else place.id

    def _all(self, room: str) -> list[Event]:
        return self._rings.tails((room,), -1)[0].events

    def has_gap(self, room: str, after: int) -> bool:
        return after >= self._next or after < self._rings.reach(room)

    def forget(self, room: str) -> None:
        self._rings.forget(room, self._next - 1)


if not TYPE_CHECKING:
    __getattr__ = find_renamed(__name__, {"Storing": "PendingWrite"})
