"""
The lock of a log file: whether it can be pychat's, whether this process has it alone, and whether it still exists.

Closing any descriptor of a file drops all locks that the process has on it, including SQLite's
(sqlite.org/howtocorrupt.html, 2.2). Another program would then believe that it has the file alone, and remove the
write-ahead log of a running server. So descriptors opened here are closed when nothing in this process uses the file
any more.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import threading
from pathlib import Path
from typing import Final, TypeAlias

from pychat.model.errors import CannotOpen, FileInUse, no_directory

_HEADER: Final = b"SQLite format 3\0"
_BESIDE: Final = ("-wal", "-shm")
"""The files that SQLite keeps beside the open file."""
_LOCK: Final = "-lock"
_NOT_ALLOWED: Final = "{}; change the permissions, or name another file"
NOTHING_YET: Final = "it is still empty"
_USED: Final = "a server uses it; stop that one, or name another file"

_Identity: TypeAlias = tuple[int, int]
"""Device and inode: a file may have many names, and a name may come to mean another file."""

# Guards the two tables. A leaf lock: nothing else is called under it.
_lock = threading.Lock()
_users: Final[dict[_Identity, int]] = {}
"""How often each file is open in this process."""
_unused: Final[dict[_Identity, list[int]]] = {}
"""The descriptors of each file that are not needed any more."""


class RecordFile:
    """A file that SQLite has open in this process, or is about to open."""

    def __init__(self, path: Path, *, write: bool = False, make: bool = False) -> None:
        """
        Open it without changing it.

        Args:
            write: True if it is to be changed.
            make: True to create it if it does not exist. A new file may be empty.

        Raises:
            CannotOpen: If it cannot be pychat's, or cannot be used.
        """
        self.path: Final = path
        self.real: Final = Path(os.path.realpath(path))
        """Without symbolic links: the files that belong to it are beside this path."""
        self._known: dict[Path, _Identity] = {}
        self._companion: int | None = None
        self._closed = False
        if make:
            _check_directory(path, self.real)
        self._descriptor: Final = self._open((os.O_RDWR if write else os.O_RDONLY) | (os.O_CREAT if make else 0))
        status = os.fstat(self._descriptor)
        self._identity: Final = status.st_dev, status.st_ino
        with _lock:
            _users[self._identity] = _users.get(self._identity, 0) + 1
        header = os.pread(self._descriptor, len(_HEADER), 0)
        if header != _HEADER and (header or not make):
            self.close()
            raise CannotOpen(path, "it is not a database; name another file" if header else NOTHING_YET)

    def _open(self, flags: int) -> int:
        if self.real.is_dir():
            raise CannotOpen(self.path, "it is a directory; name a file in it")
        if self.real.exists() and not self.real.is_file():  # opening a pipe would wait for its other end
            raise CannotOpen(self.path, "it is a device or a pipe; name a file")
        try:
            # Other users of the machine must not read messages; SQLite gives its other files the same mode.
            return os.open(self.real, flags | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError as error:
            raise CannotOpen(self.path, "there is no such file") from error
        except OSError as error:
            raise CannotOpen(self.path, _NOT_ALLOWED.format(error.strerror)) from error

    def close(self) -> None:
        """Release the file, after SQLite has closed it. May be called more than once."""
        if self._closed:
            return
        self._closed = True
        if self._companion is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._companion)
            self._companion = None
        with _lock:
            _unused.setdefault(self._identity, []).append(self._descriptor)
            _users[self._identity] -= 1
            if not _users[self._identity]:
                del _users[self._identity]
                for descriptor in _unused.pop(self._identity):
                    os.close(descriptor)

    def disown(self) -> None:
        """In the child of a fork, release the file without unlocking it, which would unlock it in the parent."""
        if not self._closed:
            self._closed = True
            os.close(self._descriptor)
            if self._companion is not None:
                os.close(self._companion)

    # Exclusive use

    def claim(self) -> None:
        """
        Lock the file for this process, until it is closed or the process ends. Not needed for reading.

        The lock on a companion file is for programs that know the file by this name. The one on the file itself covers
        all its names; but where such locks are of the kind that SQLite uses, it would conflict with SQLite's own.

        Raises:
            CannotOpen: If another process has it, or could evade the lock.
        """
        self.check_names()
        self._companion = self._lock_companion()
        if sys.platform == "linux":
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise self._refusal(self.real, error) from error

    def check_names(self) -> None:
        """
        Check that the file has only one name.

        Raises:
            CannotOpen: If it has a hard link.
        """
        if os.fstat(self._descriptor).st_nlink > 1:
            problem = (
                "it has a second name (a hard link), which has no -wal next to it; remove that name, or copy the file"
            )
            raise CannotOpen(self.path, problem)

    def check_whole(self) -> None:
        """
        Check that reading by this name finds all of the data.

        Raises:
            CannotOpen: If a server uses it by another name, beside which its last writes are.
        """
        linked = os.fstat(self._descriptor).st_nlink > 1 and not _beside(self.real, _BESIDE[0]).exists()
        if not linked or sys.platform != "linux":
            return
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            raise CannotOpen(self.path, "a server uses it by another name (a hard link); read it by that one") from None
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _lock_companion(self) -> int:
        companion = _beside(self.real, _LOCK)
        try:
            descriptor = os.open(companion, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise CannotOpen(self.path, f"{str(companion)!r} cannot be made: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise self._refusal(companion, error) from error
        return descriptor

    def _refusal(self, path: Path, error: OSError) -> CannotOpen:
        if isinstance(error, BlockingIOError):
            return FileInUse(self.path, _USED)
        return CannotOpen(self.path, f"{str(path)!r} cannot be locked: {error.strerror}")

    # Existence

    def remember(self) -> None:
        """Record the files that must stay, after SQLite has opened them."""
        for path in (self.real, *[_beside(self.real, suffix) for suffix in _BESIDE]):
            identity = _identity(path)
            if identity is not None:
                self._known[path] = identity

    def lost(self) -> list[Path]:
        """Return the files that were removed or replaced."""
        return [path for path, identity in self._known.items() if _identity(path) != identity]

    def keep_claim(self) -> bool:
        """Lock the companion file again if it was removed; return False if another process has locked it."""
        assert self._companion is not None
        status = os.fstat(self._companion)
        if _identity(_beside(self.real, _LOCK)) != (status.st_dev, status.st_ino):
            try:
                companion = self._lock_companion()
            except CannotOpen:
                return False
            os.close(self._companion)
            self._companion = companion
        return True


def check_usable(path: Path) -> bool:
    """
    Return whether the file exists with contents; check that it can be used or created, without changing anything.

    Raises:
        CannotOpen: If it cannot.
    """
    real = Path(os.path.realpath(path))
    _check_directory(path, real)
    if not os.path.lexists(real):
        if not os.access(real.parent, os.W_OK | os.X_OK):
            raise CannotOpen(path, _NOT_ALLOWED.format(os.strerror(errno.EACCES)))
        return False
    file = RecordFile(path, write=True, make=True)
    try:
        file.check_names()
    finally:
        file.close()
    return real.stat().st_size > 0


def _check_directory(path: Path, real: Path) -> None:
    if not real.parent.is_dir():
        directory = real.parent if path.is_symlink() else path.parent
        raise CannotOpen(path, no_directory(directory))


def files_of(path: Path) -> list[Path]:
    """Return the log file and the existing files beside it."""
    real = Path(os.path.realpath(path))
    return [file for file in (real, *[_beside(real, suffix) for suffix in (*_BESIDE, _LOCK)]) if file.exists()]


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _identity(path: Path) -> _Identity | None:
    """Return the identity of the file with this name at the moment, or None."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
