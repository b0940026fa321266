"""
A file with a record: whether it can be one of ours, whether this process has it alone, and whether it is still there.

To close any descriptor of a file drops all locks that the process has on it, those of SQLite among them
(sqlite.org/howtocorrupt.html, 2.2). Another program would then take itself for the only one, and remove the write-ahead
log under the server. So what is opened here is closed when nothing in this process uses the file any more.
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
"""What SQLite has beside the file while it is open."""
_LOCK: Final = "-lock"
_NOT_ALLOWED: Final = "{}; change the permissions, or name another file"
NOTHING_YET: Final = "there is nothing in it yet"
_USED: Final = "a server uses it; stop that one, or name another file"

_Identity: TypeAlias = tuple[int, int]
"""Device and inode: a file has many names, and a name may come to mean another file."""

# Guards the two tables. It stands alone: nothing else is called under it.
_lock = threading.Lock()
_users: Final[dict[_Identity, int]] = {}
"""How often a file is open here."""
_unused: Final[dict[_Identity, list[int]]] = {}
"""Its descriptors that nobody needs any more."""


class RecordFile:
    """A file that SQLite has open in this process, or will have in a moment."""

    def __init__(self, path: Path, *, write: bool = False, make: bool = False) -> None:
        """
        Open it without changing it.

        Args:
            write: It is to be changed.
            make: Make it if it is not there. One that is new may be empty.

        Raises:
            CannotOpen: It cannot be one of ours, or cannot be used.
        """
        self.path: Final = path
        self.real: Final = Path(os.path.realpath(path))
        """Without symbolic links: what belongs to it is beside this one."""
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
            raise CannotOpen(path, "it is no database; name another file" if header else NOTHING_YET)

    def _open(self, flags: int) -> int:
        if self.real.is_dir():
            raise CannotOpen(self.path, "it is a directory; name a file in it")
        if self.real.exists() and not self.real.is_file():  # to open a pipe would wait for whoever is at its other end
            raise CannotOpen(self.path, "it is a device or a pipe; name a file")
        try:
            # Nobody else on the machine shall read what people say; SQLite gives its other files the same mode.
            return os.open(self.real, flags | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError as error:
            raise CannotOpen(self.path, "there is no such file") from error
        except OSError as error:
            raise CannotOpen(self.path, _NOT_ALLOWED.format(error.strerror)) from error

    def close(self) -> None:
        """Let others have the file, when SQLite has closed it. More than once does no harm."""
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
        """In the child of a fork: let go of the file without unlocking it, which would unlock it in the parent."""
        if not self._closed:
            self._closed = True
            os.close(self._descriptor)
            if self._companion is not None:
                os.close(self._companion)

    # Alone

    def claim(self) -> None:
        """
        Take the file for this process alone, until it is closed or the process ends. Who only reads need not.

        The lock on a companion is for those who know the file by this name. The one on the file itself is for all its
        names; but where such a lock is one of the kind that SQLite has, it would meet SQLite's own.

        Raises:
            CannotOpen: Somebody else has it, or could get around the lock.
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
        Raises:
            CannotOpen: It has another name, too.
        """
        if os.fstat(self._descriptor).st_nlink > 1:
            problem = "it has another name, too (a hard link), where its -wal is missing; remove that name, or copy it"
            raise CannotOpen(self.path, problem)

    def check_whole(self) -> None:
        """
        Return if who reads by this name reads all of it.

        Raises:
            CannotOpen: A server has it by another name, and what it has written last is beside that one.
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

    # Still there

    def remember(self) -> None:
        """SQLite has opened it: these are the files that have to stay."""
        for path in (self.real, *[_beside(self.real, suffix) for suffix in _BESIDE]):
            identity = _identity(path)
            if identity is not None:
                self._known[path] = identity

    def lost(self) -> list[Path]:
        """Return those files of it that were removed, or have others in their place."""
        return [path for path, identity in self._known.items() if _identity(path) != identity]

    def keep_claim(self) -> bool:
        """Take the companion again if it was removed; False if somebody else was faster."""
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
    Return whether something is in the file, which could be one of ours, or could be made; nothing is changed.

    Raises:
        CannotOpen: It could not.
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
    """Return the file of a record and those beside it, as far as they are there."""
    real = Path(os.path.realpath(path))
    return [file for file in (real, *[_beside(real, suffix) for suffix in (*_BESIDE, _LOCK)]) if file.exists()]


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _identity(path: Path) -> _Identity | None:
    """Return what a name means at the moment; None: nothing."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
