"""What a log has to know of its file when it begins: little, however long the record is."""

from __future__ import annotations

from operator import attrgetter
from typing import NamedTuple

from pychat.core.kept_accounts import KeptAccount
from pychat.core.lasting import KeptRoom, KeptSession
from pychat.core.log import first_id
from pychat.core.server_ban import ServerBan
from pychat.stores.changes import Record
from pychat.stores.kept import read_account, read_ban, read_room, read_session
from pychat.stores.sqlite import Database

_NEWEST = "SELECT max(last_id, coalesce((SELECT last FROM blocks ORDER BY block DESC LIMIT 1), 0)), lost FROM state"
_NUMBER = "SELECT coalesce(max(number), 0) FROM (SELECT number FROM rooms UNION ALL SELECT number FROM forgotten)"
_FIRST_ROW = "INSERT INTO state (last_id, lost, digested, bytes, secret) VALUES (?, ?, 0, 0, randomblob(32))"


class Beginning(NamedTuple):
    """Where an earlier run has ended."""

    newest: int
    """The newest id that was stored."""
    lost: int
    """The newest id that may have been in a room that has no record."""
    number: int
    """The last number of a room."""
    records: list[Record]
    rooms: list[KeptRoom]
    sessions: list[KeptSession]
    accounts: list[KeptAccount]
    bans: list[ServerBan]
    secret: bytes


def begin(database: Database) -> Beginning:
    """
    Read it; a file that is new gets its first row.

    Raises:
        StoreError: It cannot be read or written.
        Unreadable: The file is damaged.
    """
    if not database.read("SELECT 1 FROM state"):
        before = first_id() - 1
        database.write([(_FIRST_ROW, (before, before))])
    ((newest, lost),) = database.read(_NEWEST)
    ((number,),) = database.read(_NUMBER)
    ((secret,),) = database.read("SELECT secret FROM state")
    rows = database.read("SELECT number, key, lost, kept FROM rooms")
    return Beginning(
        newest,
        lost,
        number,
        [Record(number, key, gap, stored=True) for number, key, gap, _ in rows],
        [read_room(kept) for *_, kept in rows if kept is not None],
        [read_session(kept) for (kept,) in database.read("SELECT kept FROM sessions")],
        [read_account(kept) for (kept,) in database.read("SELECT kept FROM accounts")],
        sorted([read_ban(kept) for (kept,) in database.read("SELECT kept FROM bans")], key=attrgetter("time")),
        bytes(secret),
    )
