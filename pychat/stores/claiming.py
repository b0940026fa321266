"""A file before it is opened: whether it can be one of ours, and whether this process may have it alone."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from pychat.core.errors import CannotOpen

_HEADER: Final = b"SQLite format 3\0"


def check_or_make(path: Path) -> None:
    """
    Look at a file without changing it; make it if it is not there.

    Raises:
        CannotOpen: It cannot be used.
    """
    if not path.parent.is_dir():
        raise CannotOpen(path, f"there is no directory {str(path.parent)!r}; make it first")
    # Nobody else on the machine shall read what people say; SQLite gives its other files the same mode.
    header = _read_header(path, os.O_RDWR | os.O_CREAT)
    if header and header != _HEADER:
        raise CannotOpen(path, "it is no database; name another file")


def check(path: Path) -> None:
    """
    Look at a file that must be there.

    Raises:
        CannotOpen: It cannot be used.
    """
    header = _read_header(path, os.O_RDONLY)
    if header != _HEADER:
        raise CannotOpen(path, "it is no database; name another file" if header else "there is nothing in it yet")


def _read_header(path: Path, flags: int) -> bytes:
    if path.is_dir():
        raise CannotOpen(path, "it is a directory; name a file in it")
    if path.exists() and not path.is_file():  # to open a pipe would wait for whoever is at its other end
        raise CannotOpen(path, "it is a device or a pipe; name a file")
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
        try:
            return os.read(descriptor, len(_HEADER))
        finally:
            os.close(descriptor)
    except FileNotFoundError as error:
        raise CannotOpen(path, "there is no such file") from error
    except OSError as error:
        raise CannotOpen(path, f"{error.strerror}; change the permissions, or name another file") from error


def claim(path: Path) -> int:
    """
    Take the file for this process alone; return a descriptor, to be closed. Those who only read it need not ask.

    The lock is on a companion: on the file itself it would meet SQLite's own. It ends with the process.

    Raises:
        CannotOpen: Another process has it.
    """
    companion = path.with_name(path.name + "-lock")
    try:
        descriptor = os.open(companion, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotOpen(path, f"{str(companion)!r} cannot be made: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise CannotOpen(path, "a server uses it; stop that one, or name another file") from error
    except OSError as error:
        os.close(descriptor)
        raise CannotOpen(path, f"{str(companion)!r} cannot be locked: {error.strerror}") from error
    return descriptor
