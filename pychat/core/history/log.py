"""
The log: the ordered record of all rooms. What it accepted, and nothing else, is delivered, in that order.

`Log` is the interface; `MemoryLog` keeps the last events of each room and accepts everything at once. A log with I/O
(`stores/`) queues in `append` and calls `accepted` later, from its own thread, in the same order.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from pychat.core.accounts.stored import KeptAccount
from pychat.core.delivery import Batch, Entry
from pychat.core.history.ring_buffer import EVER, Rings, merge
from pychat.core.history.snapshots import KeptMasks, KeptRoom, KeptSession
from pychat.model.arguments import optional
from pychat.model.burst import Burst
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.errors import NotStored
from pychat.model.events import Event, Message, Tagged
from pychat.model.search import Terms
from pychat.model.server_ban import ServerBan
from pychat.model.times import place_in

if TYPE_CHECKING:
    from pychat.core.session import Session

T = TypeVar("T")

_LOOKED_AT: Final = 50
"""Messages that are searched in one go: to search long ones for many words takes a millisecond each."""


class Page(NamedTuple):
    """Events in order, and whether there are more in the direction that was asked for."""

    events: list[Event]
    more: bool


class Portion(NamedTuple):
    """Some events of a room, in order, on the way through its record."""

    events: Sequence[Event]
    end: int
    """How far the way has come: forwards, everything up to this id was looked at; backwards, everything from it on."""
    slow: bool = False
    """Whether what follows takes the time of a disk."""


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
    Thread-safe. Room keys are folded names (`model/names.py`).

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

    def disown(self) -> None:  # noqa: B027 -- a log in memory has nothing to give back
        """In the child of a fork: let go of files without closing the log, which goes on in the parent."""

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

    def run_slow(self, address: Hashable, function: Callable[[], T]) -> T:
        """
        Call a function that reads what takes the time of a disk, and return what it returns, when it is its turn.

        Args:
            address: For whom it is (`attempts.address_key`).

        Raises:
            Busy: Too many read at the moment.
        """
        return function()

    def figures(self) -> Mapping[str, str]:
        """Return what whoever runs the server should know of the record: names and values. May look at the disk."""
        return {}

    def release_waiting(self) -> None:  # noqa: B027 -- nobody waits for memory
        """The server ends: let nobody wait for a turn any more."""

    # The way through the record of one room: each portion is read when it is asked for and costs little, so whoever
    # reads can stop after each of them. With `messages_only`, events that are no messages may be left out.

    @abstractmethod
    def forth(self, room: str, after: int, *, messages_only: bool = False) -> Iterator[Portion]:
        """Yield the events of a room behind an id, the first ones first."""

    @abstractmethod
    def back(self, room: str, before: int = EVER, *, messages_only: bool = False) -> Iterator[Portion]:
        """Yield the events of a room before an id, the last portion first; each portion is in order."""

    @abstractmethod
    def find(self, room: str, terms: Terms, before: int = EVER, *, reader: int | None = None) -> Iterator[Portion]:
        """
        Yield the messages of a room in which the words are, before an id, the last portion first.

        Args:
            reader: The identity of a session. Messages that are not for it may be left out.
        """

    def read_before(self, room: str, before: int | None, limit: int) -> Page:
        """Return the last `limit` events of a room, before the id `before` if it is given."""
        return _last(self.back(room, EVER if before is None else before), limit)

    def search(self, room: str, terms: Terms, before: int | None, limit: int) -> Page:
        """Return the last `limit` messages of a room in which the words are, before the id `before` if it is given."""
        return _last(self.find(room, terms, EVER if before is None else before), limit)

    @abstractmethod
    def id_at(self, room: str, time: float, *, behind: bool = False) -> int:
        """
        Return an id that parts the record of a room at a time: what happened before has a smaller id, the rest not.

        Args:
            time: POSIX seconds. Times are compared in whole milliseconds, as languages write them.
            behind: What happened in that very millisecond belongs to what was before.

        Where a clock was set back, times go back from one event to the next. What was said by a clock that was ahead
        then counts as said when it was set back; but the very time of an event always means the place of that event, as
        clients know events by their times.
        """

    def set_back(self, id: int) -> None:  # noqa: B027 -- only what is searched by time needs to know
        """Events have times again that there were before, from this id on. Under the chat's order lock."""

    @abstractmethod
    def has_gap(self, room: str, after: int) -> bool:
        """Whether events behind `after` may have been dropped, or `after` is no id of this log."""

    @abstractmethod
    def last_id(self) -> int:
        """Return the newest id given so far."""

    def last_time(self) -> float:
        """Return when the last event happened that was stored before the server was started; 0: none was."""
        return 0.0

    @abstractmethod
    def forget(self, room: str) -> None:
        """Drop the record of a room that is no more. Under the chat's order lock: must not wait."""

    # What lasts beside the record, in the order of what is appended. Under the chat's order lock: must not wait.
    # `source` is the session whose verb caused it: if it cannot be stored, that one gets no confirmation.

    def keep_room(  # noqa: B027 -- nothing lasts in memory
        self,
        room: str,
        kept: KeptRoom,
        masks: KeptMasks,
        holds: object = None,
        source: Session | None = None,
    ) -> None:
        """
        Store what lasts of a room, and what has changed in its lists; `forget` drops all of it.

        Args:
            holds: What the log has a reference to until that is stored, so that `kept_room` is not asked before.
        """

    def keep_session(self, kept: KeptSession, source: Session | None = None) -> None:  # noqa: B027
        """Store what lasts of a session."""

    def drop_session(self, digest: str) -> None:  # noqa: B027
        """Drop what was stored of a session that does not come back."""

    def keep_account(self, key: str, account: KeptAccount | None) -> Storing:
        """Store an account under its folded name; None: that there is none any more. The caller has to `wake`."""
        storing = Storing()
        storing.settle()
        return storing

    def keep_ban(self, key: str, ban: ServerBan | None, source: Session | None = None) -> None:  # noqa: B027
        """Store a ban from the server under its folded target; None: it is no more."""

    def kept_rooms(self) -> list[KeptRoom]:
        """Return the rooms that were stored with somebody in them before the server was started. Asked once."""
        return []

    def kept_room(self, room: str) -> KeptRoom | None:
        """Return what is stored of a room; None: there is none. Reads, so not under the order lock."""
        return None

    def rooms_of(self, account: str) -> list[str]:
        """Return the keys of the rooms in which an account, by its folded name, has a role. Reads."""
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


def _last(backwards: Iterable[Portion], limit: int) -> Page:
    """Return the last events of the portions, and whether there are more."""
    events: list[Event] = []
    for portion in backwards:
        events = [*portion.events, *events]
        if len(events) > limit:
            break
    return Page(events[-limit:] if limit else [], len(events) > limit)


def found_in(events: Sequence[Event], terms: Terms, before: int) -> Iterator[Portion]:
    """Yield those of some events in which the words are, before an id; see `Log.find`."""
    for at in range(len(events), 0, -_LOOKED_AT):
        part = [event for event in events[max(0, at - _LOOKED_AT) : at] if event.id < before]
        if part:
            yield Portion(having(terms, part), part[0].id)


def having(terms: Terms, events: Iterable[Event]) -> list[Event]:
    """Return the messages that have the words."""
    return [event for event in events if type(event) is Message and terms.are_in(event.text)]


def events_to_keep(batch: Batch) -> Sequence[Event]:
    """Return the events of a batch that a log keeps."""
    events = batch.events
    if type(events) is Burst or not batch.rooms:
        return events if batch.rooms else ()
    return [event for event in events if type(event) is not Tagged]


_LAST_FIRST_ID: Final = 2**62
"""Where ids begin by a clock that is in 2109 or later: half of them are left, whatever the clock says."""


def first_id(clock: Clock) -> int:
    """
    Return the first id of a log that begins now: milliseconds since 1970 times 2^20, so that ids always grow.

    Ids are below 2^63, wherever they are kept. As they begin at most in the middle, a clock that was wrong once has not
    used them up: a later run goes on where this one ends, and takes one for each event.
    """
    return min(int(clock.time() * 1000) << 20, _LAST_FIRST_ID)


def check_log(log: object) -> Log | None:
    """
    Return the log, or None if there is none.

    Raises:
        TypeError: It is something else, the path of a file perhaps.
    """
    example = f"SqliteLog({str(log)!r})" if isinstance(log, str | PurePath) else "SqliteLog('chat.db')"
    return optional("log", log, Log, f"a log, such as {example}")


class MemoryLog(Log):
    """Keeps the last events of each room, as long as the process lives. Its ids are greater than those of before."""

    def __init__(self, events: int = 1000, chars: int = 262_144, *, clock: Clock = SYSTEM_CLOCK) -> None:
        """
        Args:
            events: How many of each room.
            chars: And how many characters their messages may have together.
            clock: By which ids begin.
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
        (tail,) = self._rings.tails((room,), -1)
        yield Portion([event for event in tail.events if event.id < before], min(before, tail.reach + 1))

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
