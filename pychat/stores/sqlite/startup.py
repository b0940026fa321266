"""Reading the file when a log starts: only a little, however long it is."""

from __future__ import annotations

from operator import attrgetter
from typing import NamedTuple

from pychat.core.accounts.stored import StoredAccount
from pychat.core.log.log import first_id
from pychat.core.log.snapshots import RoomSnapshot, SessionSnapshot
from pychat.model.clock import Clock
from pychat.model.modes import MaskEntry
from pychat.model.names import fold
from pychat.model.server_ban import ServerBan
from pychat.stores.sqlite.database import Database, Statement
from pychat.stores.sqlite.state_codec import (
    read_account,
    read_ban,
    read_mask,
    read_room,
    read_session,
    write_mask,
    write_room,
)
from pychat.stores.sqlite.transaction import MASK, Record

_NEWEST = "SELECT max(last_id, coalesce((SELECT last FROM blocks ORDER BY block DESC LIMIT 1), 0)), lost FROM state"
_NEWEST_TIME = "SELECT last_time FROM blocks ORDER BY block DESC LIMIT 1"
_NUMBER = "SELECT coalesce(max(number), 0) FROM (SELECT number FROM rooms UNION ALL SELECT number FROM forgotten)"
_FIRST_ROW = "INSERT INTO state (last_id, lost, digested, bytes, secret) VALUES (?, ?, 0, 0, randomblob(32))"

# Invalid JSON is included, too, and refused where it is read.
_OCCUPIED = "SELECT number FROM rooms WHERE iif(json_valid(kept), kept ->> '$.occupied', kept IS NOT NULL)"
_WITH_LISTS = "SELECT number, kept FROM rooms WHERE iif(json_valid(kept), kept ->> '$.lists' <> '{}', kept IS NOT NULL)"
_OF_ACCOUNT = (
    "SELECT rooms.key FROM rooms, json_each(iif(json_valid(kept), kept, '{}'), '$.accounts') AS role WHERE role.key = ?"
)


class Beginning(NamedTuple):
    """The state at the end of the last run."""

    newest: int
    """The newest id that was stored."""
    lost: int
    """The newest id that may have been in a room that has no record."""
    number: int
    """The last number of a room."""
    records: list[Record]
    rooms: list[RoomSnapshot]
    sessions: list[SessionSnapshot]
    accounts: list[StoredAccount]
    bans: list[ServerBan]
    secret: bytes
    newest_time: float
    """The time of the newest stored event; 0 if there is none."""
    steps: list[int]
    """The ids at which times decrease."""


def begin(database: Database, clock: Clock) -> Beginning:
    """
    Read the state; a new file gets its first row.

    Raises:
        StoreError: If it cannot be read or written.
        Unreadable: If the file is damaged.
    """
    if not database.read("SELECT 1 FROM state"):
        before = first_id(clock) - 1
        database.write([(_FIRST_ROW, (before, before))])
    ((newest, lost),) = database.read(_NEWEST)
    ((number,),) = database.read(_NUMBER)
    ((secret,),) = database.read("SELECT secret FROM state")
    _move_lists(database)
    return Beginning(
        newest,
        lost,
        number,
        [Record(*row, stored=True) for row in database.read("SELECT number, key, lost FROM rooms")],
        [room for (number,) in database.read(_OCCUPIED) if (room := stored_room(database, number)) is not None],
        [read_session(kept) for (kept,) in database.read("SELECT kept FROM sessions")],
        [read_account(kept) for (kept,) in database.read("SELECT kept FROM accounts")],
        sorted([read_ban(kept) for (kept,) in database.read("SELECT kept FROM bans")], key=attrgetter("time")),
        bytes(secret),
        max([time for (time,) in database.read(_NEWEST_TIME)], default=0.0),
        [id for (id,) in database.read("SELECT id FROM steps")],
    )


def stored_room(database: Database, number: int) -> RoomSnapshot | None:
    """
    Return the snapshot of a room, or None.

    Raises:
        StoreError: If it cannot be read.
        Unreadable: If the file is damaged.
    """
    lists: dict[str, list[MaskEntry]] = {}
    for letter, kept in database.read("SELECT letter, kept FROM masks WHERE room = ?", number):
        lists.setdefault(letter, []).append(read_mask(kept))
    for (kept,) in database.read("SELECT kept FROM rooms WHERE number = ? AND kept IS NOT NULL", number):
        return read_room(kept)._replace(lists=_in_order(lists))
    return None


def rooms_of(database: Database, account: str) -> list[str]:
    """
    Return the keys of the rooms in which an account has a role. Scans all rooms.

    Raises:
        StoreError: If it cannot be read.
    """
    return [key for (key,) in database.read(_OF_ACCOUNT, account)]


def _move_lists(database: Database) -> None:
    """Move the mask lists of rooms to rows of their own, in a file of version 4."""
    rooms = [(number, read_room(kept)) for number, kept in database.read(_WITH_LISTS)]
    moved = [statement for number, room in rooms if room.lists for statement in _apart(number, room)]
    if moved:
        database.write(moved)


def _apart(number: int, room: RoomSnapshot) -> list[Statement]:
    masks = [(letter, entry) for letter, entries in room.lists.items() for entry in entries]
    return [
        *[(MASK, (number, letter, fold(entry.mask), write_mask(entry))) for letter, entry in masks],
        ("UPDATE rooms SET kept = ? WHERE number = ?", (write_room(room), number)),
    ]


def _in_order(lists: dict[str, list[MaskEntry]]) -> dict[str, tuple[MaskEntry, ...]]:
    """Return the masks in the order in which they were added."""
    return {letter: tuple(sorted(entries, key=attrgetter("time"))) for letter, entries in lists.items()}
