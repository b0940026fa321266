"""
The tables of the file, and migrations from earlier versions.

`MIGRATIONS` has one script for each version: script `n` (from 1 on) migrates a file of version `n - 1` to version `n`.
A new table is a new script at the end; existing scripts never change.
"""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x70794368
"""In the header of the file: it is pychat's ("pyCh")."""

MIGRATIONS: Final = (
    """
    -- What holds for the whole file: one row.
    CREATE TABLE state (
        last_id INTEGER NOT NULL,  -- the newest id that the file knows of
        lost INTEGER NOT NULL,     -- the newest id that may have been in a room that has no row in rooms
        digested INTEGER NOT NULL, -- blocks up to this one are in the index, and counted in bytes
        bytes INTEGER NOT NULL     -- how long the records are of the blocks that were counted
    );

    -- One row for each room that has a record. A room that is forgotten and made anew gets another number.
    CREATE TABLE rooms (
        number INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,  -- the folded name
        lost INTEGER NOT NULL,     -- the newest id that was in this room and was not kept: a gap
        kept TEXT                  -- its name, topic and rules, in JSON; NULL: nothing but the record is kept
    );

    -- Sessions that may come back.
    CREATE TABLE sessions (
        digest TEXT PRIMARY KEY,   -- SHA-256 of the token
        kept TEXT NOT NULL         -- nickname, identity, rooms and so on, in JSON
    ) WITHOUT ROWID;

    -- Numbers of rooms that are forgotten and whose blocks are still to be deleted.
    CREATE TABLE forgotten (number INTEGER PRIMARY KEY);

    -- Consecutive events of one room that were stored together, in the order in which they were stored.
    CREATE TABLE blocks (
        block INTEGER PRIMARY KEY AUTOINCREMENT,
        room INTEGER NOT NULL,
        first INTEGER NOT NULL,    -- ids
        last INTEGER NOT NULL,
        last_time REAL NOT NULL,   -- POSIX seconds
        events BLOB NOT NULL       -- see event_codec.py
    );
    CREATE INDEX blocks_of_room ON blocks (room, first);

    -- To see whether there is room on the disk; empty.
    CREATE TABLE trial (space BLOB);

    -- The words of messages. The rowid is the event's id; the texts themselves are in the blocks.
    CREATE VIRTUAL TABLE words USING fts5 (
        room, text, content = '', tokenize = "unicode61 remove_diacritics 2"
    );
    """,
    """
    CREATE TABLE accounts (
        key TEXT PRIMARY KEY,      -- the folded name
        kept TEXT NOT NULL         -- the name and what passwords are checked with, in JSON: no password is in it
    ) WITHOUT ROWID;
    """,
    """
    -- Whom the server does not let in.
    CREATE TABLE bans (
        key TEXT PRIMARY KEY,      -- the folded target
        kept TEXT NOT NULL         -- the target, who banned it, and so on, in JSON
    ) WITHOUT ROWID;
    """,
    """
    -- Of what stands for addresses, so that a ban of one is still one when the server is started again.
    ALTER TABLE state ADD COLUMN secret BLOB;
    UPDATE state SET secret = randomblob(32);
    """,
    """
    -- The lists of masks of rooms, of which each change is one row.
    CREATE TABLE masks (
        room INTEGER NOT NULL,     -- its number
        letter TEXT NOT NULL,      -- of the list: b, e or I
        key TEXT NOT NULL,         -- the folded mask
        kept TEXT NOT NULL,        -- the mask, who added it, and so on, in JSON
        PRIMARY KEY (room, letter, key)
    ) WITHOUT ROWID;
    """,
    """
    -- So that whoever looks for messages reads no blocks without any. NULL: not counted yet.
    ALTER TABLE blocks ADD COLUMN messages INTEGER;
    CREATE INDEX blocks_with_messages ON blocks (room, first) WHERE messages IS NOT 0;

    -- The index tells which messages are for a few (see search_index.py): it is made anew, while nothing else is to do.
    DROP TABLE words;
    CREATE VIRTUAL TABLE words USING fts5 (
        room, text, content = '', tokenize = "unicode61 remove_diacritics 2"
    );
    UPDATE state SET digested = 0, bytes = 0;
    """,
    """
    -- Letters of scripts without blanks are words of their own (`searching.spread`): the index is made anew.
    DROP TABLE words;
    CREATE VIRTUAL TABLE words USING fts5 (
        room, text, content = '', tokenize = "unicode61 remove_diacritics 2"
    );
    UPDATE state SET digested = 0, bytes = 0;
    """,
    """
    -- Where times go back, because the clock was set back: the events from this id on are after those before it.
    CREATE TABLE steps (id INTEGER PRIMARY KEY);
    INSERT INTO steps SELECT first FROM (
        SELECT first, last_time, lag(last_time) OVER (ORDER BY block) AS before FROM blocks
    ) WHERE last_time < before - 10;
    """,
)
