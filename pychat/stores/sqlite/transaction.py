"""
Changes of the file that log entries cause, collected so that one transaction stores all of them.

Changes that could not be stored stay here for the next attempt, except events and accounts, which are refused or lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, TypeVar

from pychat.core.accounts.stored import StoredAccount
from pychat.core.delivery import Batch, Entry
from pychat.core.log.pending_write import PendingWrite
from pychat.core.log.snapshots import MaskChanges, RoomSnapshot, SessionSnapshot
from pychat.model.events import Event
from pychat.model.server_ban import ServerBan
from pychat.stores.sqlite.database import Statement
from pychat.stores.sqlite.event_codec import count_messages, encode_block
from pychat.stores.sqlite.state_codec import write_account, write_ban, write_mask, write_room, write_session

if TYPE_CHECKING:
    from pychat.core.session import Session

V = TypeVar("V")

_TABLES: Final = ("_forgotten", "_parts", "_kept", "_masks", "_lost", "_sessions", "_accounts", "_bans", "_steps")
"""The attributes in which `Changes` collects them, in the order of execution."""

_BLOCK_EVENTS: Final = 512
"""The events in one block, though a burst may exceed it; reading one event means reading its whole block."""
_ROWS: Final = 50
"""The blocks in one statement."""

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
        """The newest id of this room that is not kept."""
        self.begins = begins
        """The room has never had events up to this id."""
        self.stored = stored
        """True if the file contains it. Belongs to the writing thread."""


class Queued(NamedTuple):
    """An entry on its way through the log."""

    entry: Entry | None
    """The entry; None if the chat only stores a change."""
    events: Sequence[Event] = ()
    """Its events that must be stored."""
    records: tuple[Record, ...] = ()
    """The records of the rooms of these events."""
    size: int = 0
    """The estimated bytes in memory."""
    forgets: Record | None = None
    """The record of a deleted room."""
    kept: RoomSnapshot | None = None
    """The snapshot of the room in `records`."""
    masks: MaskChanges = MaskChanges()
    """The changes in the mask lists of that room."""
    holds: object = None
    """An object that must not be freed before the snapshot is stored."""
    session: SessionSnapshot | str | None = None
    """The snapshot of a session; only its digest to delete it."""
    account: tuple[str, StoredAccount | None] | None = None
    """The key of an account, and its value; None to delete it."""
    storing: PendingWrite | None = None
    """The pending write that a session waits for."""
    ban: tuple[str, ServerBan | None] | None = None
    """The key of a server ban, and its value; None to delete it."""
    source: Session | None = None
    """The session whose verb caused it, if it is not a batch."""
    step: int | None = None
    """An id at which times decrease (`Log.set_back`)."""

    @property
    def batch(self) -> Batch | None:
        """The entry, if it has events to store."""
        return self.entry if type(self.entry) is Batch and self.events else None


class Changes:
    """Collected by the writing thread."""

    def __init__(self) -> None:
        self._parts: dict[Record, list[Sequence[Event]]] = {}
        self._kept: dict[Record, RoomSnapshot] = {}
        self._masks: dict[Record, MaskChanges] = {}
        self._held: dict[Record, object] = {}
        """See `Queued.holds`; released with these changes, when they are stored."""
        self._lost: dict[Record, int] = {}
        self._forgotten: dict[Record, None] = {}
        self._sessions: dict[str, SessionSnapshot | None] = {}
        self._accounts: dict[str, StoredAccount | None] = {}
        self._bans: dict[str, ServerBan | None] = {}
        self._steps: dict[int, None] = {}
        self.size = 0
        """The bytes of the events in the last statements."""

    def __bool__(self) -> bool:
        return any(getattr(self, table) for table in _TABLES)

    def with_items(self, items: Iterable[Queued]) -> Changes:
        """Return these changes with those of later items of the queue."""
        changes = Changes()
        changes.update(self)
        for item in items:
            changes.add(item)
        return changes

    def update(self, changes: Changes) -> None:
        """Add later changes."""
        for table in _TABLES:
            getattr(self, table).update(getattr(changes, table))

    def apart(self) -> Iterator[Changes]:
        """Yield each change alone."""
        for table in _TABLES:
            for key, change in getattr(self, table).items():
                one = Changes()
                getattr(one, table)[key] = change
                yield one

    def add(self, item: Queued) -> None:
        """Add an item of the queue; call this in order."""
        for record in item.records:
            if item.events:
                self._parts.setdefault(record, []).append(item.events)
            if item.kept is not None:
                self._kept[record] = item.kept
                self._held[record] = item.holds
                before, masks = self._masks.get(record, MaskChanges()), item.masks
                if masks.anew:
                    self._masks[record] = masks
                elif masks.changes:
                    self._masks[record] = before._replace(changes={**before.changes, **masks.changes})
        if isinstance(item.session, SessionSnapshot):
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
        """Record that events of an item up to this id have happened and will not be stored."""
        for record in item.records:
            if record not in self._forgotten:
                self._lost[record] = record.lost = last

    def refuse(self) -> None:
        """Drop events and accounts, which are refused; the other changes remain to be stored."""
        self._parts.clear()
        self._accounts.clear()

    def done(self) -> None:
        """Record that all of it is stored."""
        for record in (*self._parts, *self._kept, *self._lost):
            record.stored = True

    def statements(self) -> list[Statement]:
        """Return the statements that store all of it."""
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


def _mask_rows(record: Record, masks: MaskChanges) -> Iterator[Statement]:
    """Yield the statements for the changes in the lists of a room."""
    if masks.anew and record.stored:
        yield _NO_MASKS, (record.number,)
    for (letter, key), entry in masks.changes.items():
        if entry is None:
            yield _NO_MASK, (record.number, letter, key)
        else:
            yield MASK, (record.number, letter, key, write_mask(entry))


def _table(table: str, key: str, changes: Mapping[str, V | None], write: Callable[[V], str]) -> Iterator[Statement]:
    """Yield the statements that store values in a table with a key and `kept`, and delete those that are None."""
    for name, value in changes.items():
        if value is None:
            yield f"DELETE FROM {table} WHERE {key} = ?", (name,)
        else:
            yield f"REPLACE INTO {table} ({key}, kept) VALUES (?, ?)", (name, write(value))


def _portions(parts: list[Sequence[Event]]) -> Iterator[list[Sequence[Event]]]:
    portion: list[Sequence[Event]] = []
    count = 0
    for part in parts:
        if portion and part[0].time < portion[-1][-1].time:  # times do not decrease within a block
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
    """Yield few statements for many rows: the thread yields to others at each one, and has to wait for its turn."""
    for at in range(0, len(rows), _ROWS):
        some = rows[at : at + _ROWS]
        values = ", ".join([_BLOCK] * len(some))
        yield _BLOCKS + values, [value for row in some for value in row]
