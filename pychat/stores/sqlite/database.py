"""
The database file: SQLite as the log needs it. The only module that imports sqlite3.

One connection writes, on the log's thread; several others read, on any threads, at the same time (WAL). SQLite's errors
become a `StoreError` with a text for people.
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

from pychat.core.waiting import before_wait
from pychat.model.errors import CannotOpen, ChatError
from pychat.stores.sqlite.file_lock import NOTHING_YET, RecordFile, check_usable
from pychat.stores.sqlite.schema import APPLICATION_ID, MIGRATIONS

logger = logging.getLogger("pychat")

Statement: TypeAlias = tuple[str, Sequence[Any]]
"""SQL and its parameters."""

_READERS: Final = 4
"""The number of connections that read; more would only wait for the same CPUs."""
_BUSY_SECONDS: Final = 2.0
"""How long another program may lock the file before that is an error."""
_IMPATIENT_SECONDS: Final = 0.2
"""The same for operations that are retried anyway: replies that need no disk wait meanwhile."""
_LOG_BYTES: Final = 4 * 1024 * 1024
"""The size to which SQLite's own log, the file `-wal`, is cut when it restarts; it reaches that size in any case."""
_LONG_LOG_BYTES: Final = 2 * _LOG_BYTES
"""The size above which the log is made to restart: by itself, it only does that while nobody reads from it."""
_LEAST_VERSION: Final = (3, 38, 0)
"""The first version that has the operator ->> and includes JSON by default."""

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
    sqlite3.SQLITE_NOMEM: "no memory left",
}
"""Errors of the disk or the machine. All others are errors of the data to be written."""


class StoreError(ChatError):
    """The file cannot be read or written at the moment; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unwritable(StoreError):
    """The data cannot be written, though the disk works: a later attempt would fail as well."""


def _store_error(error: sqlite3.Error) -> StoreError:
    """Return the error for people; the details are in the server's log."""
    logger.debug("SQLite: %s (%s)", error, getattr(error, "sqlite_errorname", "no code"))
    code = getattr(error, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_CORRUPT_VTAB:
        return Unwritable("the index is damaged")
    reason = _REASONS.get(code & 0xFF)
    return Unwritable(str(error)) if reason is None else StoreError(reason)


class Readers:
    """Connections that read a file, for any thread. Closed once, by the owner."""

    def __init__(self, file: RecordFile) -> None:
        self.path = file.path
        self._file = file
        self._idle: queue.SimpleQueue[sqlite3.Connection | None] = queue.SimpleQueue()
        """Connections that are not in use; None when the file is closed."""
        self._readers: list[sqlite3.Connection] = []

    def _connect(self, mode: str) -> sqlite3.Connection:
        # Autocommit: transactions begin where the code says so. Each connection is used by one thread at a time.
        uri = f"{self._file.real.as_uri()}?mode={mode}"
        return sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)

    def _add_reader(self) -> sqlite3.Connection:
        connection = self._connect("ro")
        self._readers.append(connection)
        self._idle.put(connection)
        return connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """
        Borrow a connection for reading; block while all are in use.

        Raises:
            StoreError: If it cannot be read.
        """
        before_wait()
        connection = self._idle.get()
        if connection is None:
            self._idle.put(None)  # for the next thread that waits
            raise StoreError("the file is closed")
        try:
            yield connection
        except sqlite3.Error as error:
            raise _store_error(error) from error
        finally:
            self._idle.put(connection)

    def read(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """
        Return all rows of a query that has few.

        Raises:
            StoreError: If it cannot be read.
        """
        with self.reading() as connection:
            return connection.execute(sql, parameters).fetchall()

    def close(self, seconds: float = 1.0) -> None:
        """Close the file, waiting up to `seconds` for readers."""
        self._close_readers(seconds)
        self._file.close()

    def disown(self) -> None:
        """
        In the child of a fork, release the file. SQLite's descriptors stay, because it must not close those of the
        parent.
        """
        self._file.disown()

    def _close_readers(self, seconds: float = 1.0) -> None:
        deadline = time.monotonic() + seconds
        for _ in self._readers:
            with suppress(queue.Empty):
                connection = self._idle.get(timeout=max(0.0, deadline - time.monotonic()))
                if connection is not None:
                    connection.close()
        self._idle.put(None)


class ReadOnlyDatabase(Readers):
    """A file that is read but not changed, even while a server writes it: as it was stored when a reading began."""

    def __init__(self, path: Path, *, begun: bool = True) -> None:
        """
        Open the file for reading.

        Args:
            begun: True to refuse a file in which no server has stored anything, such as a copy without its `-wal`.

        Raises:
            CannotOpen: If it does not exist or cannot be used; with what to do about it.
        """
        _check_sqlite(path)
        super().__init__(RecordFile(path))
        try:
            self._file.check_whole()
            if not _check_version(self._add_reader(), path) and begun:
                raise CannotOpen(path, NOTHING_YET)
        except sqlite3.Error as error:
            self.close()
            raise CannotOpen(path, _store_error(error).reason) from error
        except CannotOpen:
            self.close()
            raise

    def copy_to(self, target: Path) -> None:
        """
        Write the contents at this moment into another, empty file.

        Raises:
            StoreError: If one of the files fails.
        """
        with self.reading() as connection, closing(sqlite3.connect(target)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # so that it can be read without other files beside it


def check_file(path: Path) -> None:
    """
    Check that a server could open or create the file, as far as possible without changing anything.

    A server may be using it.

    Raises:
        CannotOpen: If it could not; with what to do about it.
    """
    _check_sqlite(path)
    if check_usable(path):
        ReadOnlyDatabase(path, begun=False).close()


class Database(Readers):
    """A file that one server writes."""

    def __init__(self, path: Path, *, sync: str = "full", make: bool = True) -> None:
        """
        Open the file for writing.

        Args:
            make: True to create the file, but not its directory, if it does not exist.
            sync: "full": written data is on the disk, whatever happens then. "normal": a crash of the program loses
                nothing, but a power failure may lose the last writes.

        Raises:
            CannotOpen: With what to do about it. A file that is not pychat's is not changed.
        """
        _check_sqlite(path)
        super().__init__(RecordFile(path, write=True, make=make))
        try:
            self._file.claim()
            self._writer = self._connect("rw")
            try:
                self._begin(sync, make=make)
            except BaseException:
                self.close()
                raise
        except sqlite3.Error as error:
            self._file.close()
            raise CannotOpen(path, _store_error(error).reason) from error
        except CannotOpen:
            self._file.close()
            raise

    def _begin(self, sync: str, *, make: bool) -> None:
        _migrate(self._writer, self.path, make=make)
        self._writer.execute(f"PRAGMA synchronous = {sync}")
        self._writer.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        self._sync, self._durable, self._patient = sync, True, True
        for _ in range(_READERS):
            self._add_reader()
        self._file.remember()

    def write(self, statements: Sequence[Statement], *, durable: bool = True, patient: bool = True) -> None:
        """
        Execute statements as one transaction; when this returns, all of it is stored. Call it on one thread at a time.

        Args:
            durable: True if it must survive a power failure, as far as the file was opened for that.
            patient: True to wait for another program that has locked the file; else only for a moment.

        Raises:
            Unwritable: If none of it is stored, and never can be.
            StoreError: If none of it is stored now.
        """
        try:
            execute = self._writer.execute
            if durable is not self._durable:
                execute(f"PRAGMA synchronous = {self._sync if durable else 'normal'}")
                self._durable = durable
            self._be_patient(patient)
            # A single statement is a transaction of its own. The thread yields to others at each statement and has to
            # wait for its turn, so fewer statements are faster.
            alone = len(statements) == 1
            if not alone:
                execute("BEGIN IMMEDIATE")
            for sql, parameters in statements:
                execute(sql, parameters)
            if not alone:
                execute("COMMIT")
        except BaseException as error:
            self._roll_back()
            if isinstance(error, sqlite3.Error):
                raise _store_error(error) from error
            if isinstance(error, MemoryError):
                raise StoreError(_REASONS[sqlite3.SQLITE_NOMEM]) from error
            if isinstance(error, Exception):  # a text that is not Unicode, a number that is too long: see sqlite3
                raise Unwritable(str(error)) from error
            raise

    def _roll_back(self) -> None:
        """End the transaction in any state, so that the next one can begin."""
        with suppress(sqlite3.Error):
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")

    def _be_patient(self, patient: bool) -> None:
        if patient is not self._patient:
            seconds = _BUSY_SECONDS if patient else _IMPATIENT_SECONDS
            self._writer.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")
            self._patient = patient

    def shorten_log(self) -> bool:
        """
        Make SQLite's own log restart if it is long. Call this on the writing thread.

        Returns:
            False if it is long and could not restart, because somebody reads from it.
        """
        try:
            real = self._file.real
            if real.with_name(f"{real.name}-wal").stat().st_size <= _LONG_LOG_BYTES:
                return True
            self._be_patient(False)  # readers finish within milliseconds, because they read in pieces
            ((busy, *_),) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except OSError:
            return True
        except sqlite3.Error as error:
            raise _store_error(error) from error
        return not busy

    def lost(self) -> str | None:
        """
        Return why written data would not be found under the name of the file, or None. Call this now and then.

        Call it on the writing thread.
        """
        lost = self._file.lost()
        if lost:
            # Data that is only in a log which nobody would find can still go into the file, wherever that is, unless
            # another program has begun a new log.
            if not any(map(os.path.lexists, lost)):
                with suppress(sqlite3.Error):
                    self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
            return "the file was removed"
        return None if self._file.keep_claim() else "another server uses the file"

    def close(self, seconds: float = 1.0) -> None:
        self._close_readers(seconds)
        self._writer.close()  # moves the log into the file and removes it, unless the file itself was moved
        self._file.close()


def _check_sqlite(path: Path) -> None:
    if sqlite3.sqlite_version_info < _LEAST_VERSION:
        least = ".".join(map(str, _LEAST_VERSION))
        raise CannotOpen(path, f"this Python has SQLite {sqlite3.sqlite_version}; {least} or newer is needed")


def _check_version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of a file; refuse one that is not pychat's, or of a newer version."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    empty = not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    if application != APPLICATION_ID and not empty:
        raise CannotOpen(path, "it is a database of another program; name another file")
    if version > len(MIGRATIONS):
        known = f"its version is {version}, but this pychat supports only versions up to {len(MIGRATIONS)}"
        raise CannotOpen(path, f"{known}; use a newer pychat")
    return int(version)


def _migrate(connection: sqlite3.Connection, path: Path, *, make: bool) -> None:
    """Create the tables of this version; in an empty file only if `make` is set."""
    version = _check_version(connection, path)
    if not version and not make:
        raise CannotOpen(path, NOTHING_YET)
    connection.execute("PRAGMA journal_mode = WAL")  # already set, except for a new file or a copy
    if version < len(MIGRATIONS):
        changes = ";".join(MIGRATIONS[version:])
        connection.executescript(
            f"BEGIN IMMEDIATE; {changes}; PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {len(MIGRATIONS)}; COMMIT"
        )
    # Damage is detected on reading. These tables are small, and nothing works without them.
    for table in ("state", "rooms", "forgotten"):
        connection.execute(f"SELECT count(*) FROM {table}").fetchall()
