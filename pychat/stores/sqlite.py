"""
The file: SQLite as the log needs it. The only module that imports sqlite3.

One connection writes, for the one thread of the log; some others read, for anybody, at the same time (WAL). Whatever
SQLite says when it cannot go on becomes a `StoreError`, whose text a person understands.
"""

from __future__ import annotations

import logging
import os
import queue
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeAlias

from pychat.core.errors import CannotOpen, ChatError
from pychat.stores.claiming import check, check_or_make, claim
from pychat.stores.schema import APPLICATION_ID, MIGRATIONS

logger = logging.getLogger("pychat")

Statement: TypeAlias = tuple[str, Sequence[Any]]
"""SQL and its parameters."""

_READERS: Final = 4
"""Connections that read: more would only wait for the same processors."""
_BUSY_SECONDS: Final = 2.0
"""How long another program may hold the file until that is an error."""
_CACHE_KIB: Final = 8192
_LEAST_VERSION: Final = (3, 38, 0)
"""The first one that has the operator ->> and reads JSON without being asked to."""

_REASONS: Final = {
    sqlite3.SQLITE_FULL: "no space left on the disk",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
    sqlite3.SQLITE_READONLY: "the file is read-only",
    sqlite3.SQLITE_PERM: "the file may not be written",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_BUSY: "another program has locked the file",
    sqlite3.SQLITE_LOCKED: "another program has locked the file",
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
    sqlite3.SQLITE_NOTADB: "the file is damaged",
}


class StoreError(ChatError):
    """The file cannot be read or written at the moment, and why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _store_error(error: sqlite3.Error) -> StoreError:
    """Return what to tell people; the rest of it is in the server's log."""
    logger.debug("SQLite: %s (%s)", error, getattr(error, "sqlite_errorname", "no code"))
    return StoreError(_REASONS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, str(error)))


class Readers:
    """Connections that read a file, for any thread. Closed once, by the one who opened it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: queue.SimpleQueue[sqlite3.Connection | None] = queue.SimpleQueue()
        """Connections that nobody reads with at the moment; None: the file is closed."""
        self._readers: list[sqlite3.Connection] = []

    def _connect(self, mode: str) -> sqlite3.Connection:
        # Autocommit: transactions begin where the code says so. Each connection is used by one thread at a time.
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        connection = sqlite3.connect(
            uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _add_reader(self) -> sqlite3.Connection:
        connection = self._connect("ro")
        self._readers.append(connection)
        self._idle.put(connection)
        return connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """
        Lend a connection that reads; waits for one while all are in use.

        Raises:
            StoreError: It cannot be read.
        """
        connection = self._idle.get()
        if connection is None:
            self._idle.put(None)  # for the next one who waits
            raise StoreError("the file is closed")
        try:
            yield connection
        except sqlite3.Error as error:
            raise _store_error(error) from error
        finally:
            self._idle.put(connection)

    def read(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """
        Return all rows of a question that has few.

        Raises:
            StoreError: It cannot be read.
        """
        with self.reading() as connection:
            return connection.execute(sql, parameters).fetchall()

    def close(self, seconds: float = 1.0) -> None:
        """Close the file; those who read may take so long to end."""
        deadline = time.monotonic() + seconds
        for _ in self._readers:
            with suppress(queue.Empty):
                connection = self._idle.get(timeout=max(0.0, deadline - time.monotonic()))
                if connection is not None:
                    connection.close()
        self._idle.put(None)


class ReadOnlyDatabase(Readers):
    """A file that is read and not changed, also while a server writes it: what was stored when a reading began."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            CannotOpen: It is not there, or cannot be used; with what to do about it.
        """
        super().__init__(path)
        _check_sqlite(path)
        check(path)
        try:
            _check_version(self._add_reader(), path)
        except sqlite3.Error as error:
            self.close()
            raise CannotOpen(path, _store_error(error).reason) from error
        except CannotOpen:
            self.close()
            raise

    def copy_to(self, target: Path) -> None:
        """
        Write what is stored at this moment into another file, which is empty.

        Raises:
            StoreError: One of the files does not work.
        """
        with self.reading() as connection, closing(sqlite3.connect(target)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # so that who only reads it needs no other files beside it


class Database(Readers):
    """A file that is written, by one server."""

    def __init__(self, path: Path, *, sync: str = "full") -> None:
        """
        Args:
            path: Made if it is not there, but not its directory.
            sync: "full": what is written is on the disk, whatever happens then. "normal": a crash of the program loses
                nothing, but a loss of power may lose what was written last.

        Raises:
            CannotOpen: With what to do about it. A file that is not pychat's is left as it is.
        """
        super().__init__(path)
        _check_sqlite(path)
        check_or_make(path)
        self._lock = claim(path)
        try:
            self._writer = self._connect("rwc")
            try:
                _migrate(self._writer, path)
                self._writer.execute(f"PRAGMA synchronous = {sync}")
                self._sync, self._durable = sync, True
                for _ in range(_READERS):
                    self._add_reader()
            except (sqlite3.Error, CannotOpen):
                super().close()
                self._writer.close()
                raise
        except sqlite3.Error as error:
            self._unlock()
            raise CannotOpen(path, _store_error(error).reason) from error
        except CannotOpen:
            self._unlock()
            raise

    def write(self, statements: Sequence[Statement], *, durable: bool = True) -> None:
        """
        Execute statements as one transaction; when it returns, all of it is stored. By one thread at a time.

        Args:
            durable: It may not be lost with the power either, if the file was opened so.

        Raises:
            StoreError: Nothing of it is.
        """
        try:
            execute = self._writer.execute
            if durable is not self._durable:
                execute(f"PRAGMA synchronous = {self._sync if durable else 'normal'}")
                self._durable = durable
            # A statement is a transaction of its own. With each one the thread gives way to others and has to wait for
            # its turn, so that fewer are faster.
            alone = len(statements) == 1
            if not alone:
                execute("BEGIN IMMEDIATE")
            for sql, parameters in statements:
                execute(sql, parameters)
            if not alone:
                execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
            raise _store_error(error) from error

    def close(self, seconds: float = 1.0) -> None:
        super().close(seconds)
        self._writer.close()
        self._unlock()

    def _unlock(self) -> None:
        os.close(self._lock)


def _check_sqlite(path: Path) -> None:
    if sqlite3.sqlite_version_info < _LEAST_VERSION:
        least = ".".join(map(str, _LEAST_VERSION))
        raise CannotOpen(path, f"this Python has SQLite {sqlite3.sqlite_version}; {least} or newer is needed")


def _check_version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of a file; refuse one that is not ours, or is a later one's."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    empty = not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    if application != APPLICATION_ID and not empty:
        raise CannotOpen(path, "it is a database of another program; name another file")
    if version > len(MIGRATIONS):
        known = f"its version is {version}, and this pychat knows those up to {len(MIGRATIONS)}"
        raise CannotOpen(path, f"{known}; use a newer pychat")
    return int(version)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables of this version."""
    version = _check_version(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")  # it is, but for a new file or a copy
    if version < len(MIGRATIONS):
        changes = ";".join(MIGRATIONS[version:])
        connection.executescript(
            f"BEGIN IMMEDIATE; {changes}; PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {len(MIGRATIONS)}; COMMIT"
        )
    # Damage is found where it is read. These tables are small, and without them nothing works.
    for table in ("state", "rooms", "forgotten"):
        connection.execute(f"SELECT count(*) FROM {table}").fetchall()
