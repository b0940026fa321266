"""Logs in files, for the tests of stores: what they accepted can be waited for, and their disk can fail."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from chat_clients import DEADLINE, wait_until

from pychat.core.chat import Chat
from pychat.core.delivery import Batch, Entry, Follow, Private
from pychat.core.log.log import Log
from pychat.core.rooms.room import Room
from pychat.model.events import Event, Message
from pychat.stores import SqliteLog
from pychat.stores.sqlite import maintenance as tending

CHAT = Chat()
A, B = Room(CHAT, "a"), Room(CHAT, "b")


class Accepted(list[Entry]):
    """What a log has accepted, in order."""

    def take(self, entry: Entry) -> None:
        """Be what `Log.open` wants."""
        if isinstance(entry, Follow) and isinstance(entry.job, threading.Event):
            entry.job.set()
        else:
            self.append(entry)


def left_to_index(log: SqliteLog) -> bool:
    """Whether something is not in the index yet; until then it counts for no size."""
    return bool(log._database.read("SELECT 1 FROM blocks WHERE block > (SELECT digested FROM state) LIMIT 1"))


@contextmanager
def opened(path: Path, **options: Any) -> Iterator[tuple[SqliteLog, Accepted]]:
    """Open a log; close it at the end."""
    log, accepted = SqliteLog(path, **options), Accepted()
    log.open(accepted.take)
    try:
        yield log, accepted
    finally:
        log.close(DEADLINE)


def settle(log: Log) -> None:
    """Wait until everything that was appended is accepted."""
    done = threading.Event()
    log.append(Follow(done))
    log.wake()
    assert done.wait(DEADLINE)


def say(log: Log, *texts: str, rooms: tuple[Room, ...] = (A,), time: float = 0.0) -> list[Event]:
    """Append messages as one batch."""
    first = log.claim(len(texts))
    events: list[Event] = [
        Message(first + at, time, rooms[0].name, "ann", text, userhost="~ann@host") for at, text in enumerate(texts)
    ]
    log.append(Batch(rooms, events))
    return events


class Watched:
    """What is appended to a log, whether it has been accepted or not."""

    def __init__(self, log: Log) -> None:
        self.items: list[object] = []
        self._append = log.append
        log.append = self._watch  # type: ignore[method-assign]

    def _watch(self, entry: Entry) -> None:
        self._append(entry)
        self.items += entry.events if isinstance(entry, Batch) else entry.items if isinstance(entry, Private) else ()

    def wait_for(self, *kinds: type) -> None:
        """Wait until there are items of these types, as many."""
        for kind in set(kinds):
            enough = kinds.count(kind)
            wait_until(lambda kind=kind, enough=enough: self._count(kind) >= enough, f"{enough} {kind.__name__}")  # type: ignore[misc]  # the defaults bind the loop's variables

    def _count(self, kind: type) -> int:
        return sum(isinstance(item, kind) for item in self.items)


class Looks:
    """Counts how often the record was looked at for what is too old."""

    def __init__(self, log: SqliteLog) -> None:
        self._number = 0
        tend = log._writer._tending
        self._too_old = tend._too_old
        tend._too_old = self._look  # type: ignore[method-assign]

    def _look(self) -> Iterator[tending._Row]:
        rows = list(self._too_old())
        self._number += 1
        return iter(rows)

    def wait(self) -> None:
        """Wait until there was a look that began after this call."""
        wanted = self._number + 2
        wait_until(lambda: self._number >= wanted, "the record is looked at")


class Disk:
    """The disk under a log, which can be made to fail as disks do."""

    def __init__(self, log: SqliteLog) -> None:
        self._database = log._database
        self._write = self._database.write
        self.reached = threading.Event()
        """Set when a write has begun that has to wait."""

    def _pragma(self, text: str) -> None:
        self._database._writer.execute(f"PRAGMA {text}")

    def become_read_only(self) -> None:
        """As a file system does after an error."""
        self._pragma("query_only = 1")

    def become_writable(self) -> None:
        """The opposite."""
        self._pragma("query_only = 0")

    def fill(self) -> None:
        """Let there be no room for another page."""
        self._pragma("max_page_count = 1")

    def empty(self) -> None:
        """Let there be room again."""
        self._pragma(f"max_page_count = {2**32 - 2}")

    def settle(self) -> None:
        """Let everything be in the file itself, whatever else is written meanwhile."""
        with closing(sqlite3.connect(self._database.path)) as connection:
            wait_until(
                lambda: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, "it is in the file"
            )

    def hold(self, *, fails_at: int = 0) -> threading.Event:
        """
        Let every write wait, as a slow disk does, until the event is set.

        Args:
            fails_at: From this one on, counted from 1, it is read-only; 0: it is not.
        """
        gate, numbers = threading.Event(), count(1)

        def write(*arguments: Any, **options: Any) -> None:
            self.reached.set()
            gate.wait(DEADLINE)
            if next(numbers) == fails_at:
                self.become_read_only()
            self._write(*arguments, **options)

        self._database.write = write  # type: ignore[method-assign]
        return gate
