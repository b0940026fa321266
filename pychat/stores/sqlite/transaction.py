"""
Changes: what entries of the log do to the file, collected, so that one transaction stores all of it.

What could not be stored stays here for the next try, but for events and accounts: those are refused, or lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, TypeVar

from pychat.core.accounts.stored import KeptAccount
from pychat.core.delivery import Batch, Entry
from pychat.core.history.log import Storing
from pychat.core.history.snapshots import KeptMasks, KeptRoom, KeptSession
from pychat.model.events import Event
from pychat.model.server_ban import ServerBan
from pychat.stores.sqlite.database import Statement
from pychat.stores.sqlite.event_codec import count_messages, encode_block
from pychat.stores.sqlite.state_codec import write_account, write_ban, write_mask, write_room, write_session

if TYPE_CHECKING:
    from pychat.core.session import Session

V = TypeVar("V")

_TABLES: Final = ("_forgotten", "_parts", "_kept", "_masks", "_lost", "_sessions", "_accounts", "_bans", "_steps")
"""Where `Changes` collects them, in the order in which they are made."""

_BLOCK_EVENTS: Final = 512
"""Events in one block, but for a burst more: to read one of them costs reading all."""
_ROWS: Final = 50
"""Blocks in one statement."""

_NEW_ROOM: Final = "INSERT INTO rooms (number, key, lost, kept) VALUES (?, ?, ?, ?)"
_KEPT: Final = "UPDATE rooms SET kept = ? WHERE number = ?"
_LOST: Final = "UPDATE rooms SET lost = max(lost, ?) WHERE number = ?"
_FORGET: Final = "DELETE FROM rooms WHERE number = ?"
_FORGOTTEN: Final = "INSERT INTO forgotten (number) VALUES (?)"
_NO_MASKS: Final = "DELETE FROM masks WHERE room = ?"
_NO_MASK: Final = "DELETE FROM masks WHERE room = ? AND letter = ? AND key = ?"
MASK: Final = "REPLACE INTO masks (room, letter, key, kept) VALUES (?, ?, ?, ?)"
_STEP: Final = "INSERT OR IGNORE INTO steps (id) VALUES (?)"
_BLOCKS: Final = "INSERT INTO blocks (room, first, last, last_time, messages, events) VALUES "
_BLOCK: Final = "(?, ?, ?, ?, ?, ?)"


_Row: TypeAlias = tuple[int, int, int, float, int, bytes]
"""Room, first id, last id, last time, number of messages, events."""


class Record:
    """The record of one room in the file."""

    __slots__ = ("begins", "key", "lost", "number", "stored")

    def __init__(self, number: int, key: str, lost: int, *, begins: int = 0, stored: bool = False) -> None:
        self.number = number
        self.key = key
        self.lost = lost
        """The newest id that was in this room and is not kept."""
        self.begins = begins
        """There has never been anything up to this id."""
        self.stored = stored
        """Whether the file knows of it. Of the thread that writes."""


class Queued(NamedTuple):
    """An entry on its way through the log."""

    entry: Entry | None
    """None: the chat itself wants something to be kept."""
    events: Sequence[Event] = ()
    """What of it is to be stored."""
    records: tuple[Record, ...] = ()
    """And for which rooms."""
    size: int = 0
    """About how many bytes it takes in memory."""
    forgets: Record | None = None
    """The record of a room that is no more."""
    kept: KeptRoom | None = None
    """What lasts of the room of `records` beside its events."""
    masks: KeptMasks = KeptMasks()
    """What has changed in the lists of that room."""
    holds: object = None
    """What is not to be freed before that is stored."""
    session: KeptSession | str | None = None
    """What lasts of a session; only its digest: nothing any more."""
    account: tuple[str, KeptAccount | None] | None = None
    """The key of an account and what lasts of it; None: nothing any more."""
    storing: Storing | None = None
    """Who waits for it to be stored."""
    ban: tuple[str, ServerBan | None] | None = None
    """The same of a ban from the server."""
    source: Session | None = None
    """Whose verb caused it, if it is no batch."""
    step: int | None = None
    """An id at which times go back (`Log.set_back`)."""

    @property
    def batch(self) -> Batch | None:
        """The entry, if there are events to store."""
        return self.entry if type(self.entry) is Batch and self.events else None


class Changes:
    """Collected by the thread that writes."""

    def __init__(self) -> None:
        self._parts: dict[Record, list[Sequence[Event]]] = {}
        self._kept: dict[Record, KeptRoom] = {}
        self._masks: dict[Record, KeptMasks] = {}
        self._held: dict[Record, object] = {}
        """See `Queued.holds`; let go with these changes, when they are stored."""
        self._lost: dict[Record, int] = {}
        self._forgotten: dict[Record, None] = {}
        self._sessions: dict[str, KeptSession | None] = {}
        self._accounts: dict[str, KeptAccount | None] = {}
        self._bans: dict[str, ServerBan | None] = {}
        self._steps: dict[int, None] = {}
        self.size = 0
        """How long the records are of the events in the last statements."""

    def __bool__(self) -> bool:
        return any(getattr(self, table) for table in _TABLES)

    def with_items(self, items: Iterable[Queued]) -> Changes:
        """Return these and those of items of the queue, which come after them."""
        changes = Changes()
        changes.update(self)
        for item in items:
            changes.add(item)
        return changes

    def update(self, changes: Changes) -> None:
        """Take other ones, which come after these."""
        for table in _TABLES:
            getattr(self, table).update(getattr(changes, table))

    def apart(self) -> Iterator[Changes]:
        """Yield each of them alone."""
        for table in _TABLES:
            for key, change in getattr(self, table).items():
                one = Changes()
                getattr(one, table)[key] = change
                yield one

    def add(self, item: Queued) -> None:
        """An item of the queue; in order."""
        for record in item.records:
            if item.events:
                self._parts.setdefault(record, []).append(item.events)
            if item.kept is not None:
                self._kept[record] = item.kept
                self._held[record] = item.holds
                before, masks = self._masks.get(record, KeptMasks()), item.masks
                if masks.anew:
                    self._masks[record] = masks
                elif masks.changes:
                    self._masks[record] = before._replace(changes={**before.changes, **masks.changes})
        if isinstance(item.session, KeptSession):
            self._sessions[item.session.digest] = item.session
        elif item.session is not None:
            self._sessions[item.session] = None
        if item.account is not None:
            key, account = item.account
            self._accounts[key] = account
        if item.ban is not None:
            key, ban = item.ban
            self._bans[key] = ban
        if item.step is not None:
            self._steps[item.step] = None
        if item.forgets is not None:
            for changes in (self._parts, self._kept, self._masks, self._lost):
                changes.pop(item.forgets, None)
            self._forgotten[item.forgets] = None

    def lose(self, item: Queued, last: int) -> None:
        """Events of an item up to this id have happened and will not be stored."""
        for record in item.records:
            if record not in self._forgotten:
                self._lost[record] = record.lost = last

    def refuse(self) -> None:
        """Events and accounts cannot be stored; what else there is remains to be."""
        self._parts.clear()
        self._accounts.clear()

    def done(self) -> None:
        """All of it is stored."""
        for record in (*self._parts, *self._kept, *self._lost):
            record.stored = True

    def statements(self) -> list[Statement]:
        """Return what stores all of it."""
        statements: list[Statement] = []
        for record in self._forgotten:
            if record.stored:
                number = (record.number,)
                statements += [(_FORGET, number), (_NO_MASKS, number), (_FORGOTTEN, number)]
        if self._forgotten:
            statements.append(("UPDATE state SET lost = ?", (max(record.lost for record in self._forgotten),)))
        for record in dict.fromkeys((*self._parts, *self._kept, *self._lost)):
            if not record.stored:
                statements.append((_NEW_ROOM, (record.number, record.key, record.lost, self._text(record))))
            else:
                if record in self._kept:
                    statements.append((_KEPT, (self._text(record), record.number)))
                if record in self._lost:
                    statements.append((_LOST, (self._lost[record], record.number)))
        for record, masks in self._masks.items():
            statements += _mask_rows(record, masks)
        statements += _table("sessions", "digest", self._sessions, write_session)
        statements += _table("accounts", "key", self._accounts, write_account)
        statements += _table("bans", "key", self._bans, write_ban)
        statements += [(_STEP, (id,)) for id in self._steps]
        rows = [row for record in self._parts for row in self._rows(record)]
        self.size = sum([len(row[-1]) for row in rows])
        rows.sort(key=itemgetter(2))  # so that the last block of all has the newest id
        return [*statements, *_insertions(rows)]

    def _text(self, record: Record) -> str | None:
        return write_room(self._kept[record]) if record in self._kept else None

    def _rows(self, record: Record) -> Iterator[_Row]:
        for parts in _portions(self._parts[record]):
            first, last = parts[0][0], parts[-1][-1]
            yield record.number, first.id, last.id, last.time, sum(map(count_messages, parts)), encode_block(parts)


def _mask_rows(record: Record, masks: KeptMasks) -> Iterator[Statement]:
    """Store what has changed in the lists of a room."""
    if masks.anew and record.stored:
        yield _NO_MASKS, (record.number,)
    for (letter, key), entry in masks.changes.items():
        if entry is None:
            yield _NO_MASK, (record.number, letter, key)
        else:
            yield MASK, (record.number, letter, key, write_mask(entry))


def _table(table: str, key: str, changes: Mapping[str, V | None], write: Callable[[V], str]) -> Iterator[Statement]:
    """Store values in a table that has a key and `kept`, and drop those that are None."""
    for name, value in changes.items():
        if value is None:
            yield f"DELETE FROM {table} WHERE {key} = ?", (name,)
        else:
            yield f"REPLACE INTO {table} ({key}, kept) VALUES (?, ?)", (name, write(value))


def _portions(parts: list[Sequence[Event]]) -> Iterator[list[Sequence[Event]]]:
    portion: list[Sequence[Event]] = []
    count = 0
    for part in parts:
        if portion and part[0].time < portion[-1][-1].time:  # times do not go back within a block
            yield portion
            portion, count = [], 0
        portion.append(part)
        count += len(part)
        if count >= _BLOCK_EVENTS:
            yield portion
            portion, count = [], 0
    if portion:
        yield portion


def _insertions(rows: list[_Row]) -> Iterator[Statement]:
    """Few statements for many rows: with each one the thread gives way to others, and has to wait for its turn."""
    for at in range(0, len(rows), _ROWS):
        some = rows[at : at + _ROWS]
        values = ", ".join([_BLOCK] * len(some))
        yield _BLOCKS + values, [value for row in some for value in row]
