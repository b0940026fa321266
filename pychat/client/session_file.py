"""
The session that a client stores when its process ends, so that the next process can continue it.

For some seconds its token is worth as much as a password, so the file is readable only by its owner. It is replaced as
a whole, so a process killed meanwhile leaves the old one. It is not synced to the disk, which would delay a bot at each
message: after a power failure it may be older, or empty, which is a new session. One program uses it at a time, because
two with the same token would disconnect each other.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from pychat.model.errors import CannotOpen
from pychat.model.names import fold

logger = logging.getLogger("pychat")

_PRIVATE: Final = 0o600
_MOST_BYTES: Final = 65_536
_FORMAT: Final = "pychat session"
_LONGEST_NAME: Final = 200
"""Maximum length of a file name, without additions."""


class Kept(NamedTuple):
    """The content of the file."""

    server: str
    nickname: str
    """The requested nickname; the content applies to this nickname on this server."""
    token: str | None = None
    place: int | None = None
    """The id up to which everything was received and done."""


class InUse(CannotOpen):
    """Another program uses the file."""

    def __init__(self, path: object) -> None:
        super().__init__(path, "another program uses this session; stop that one, or name another file")
        self.args = (path,)


class SessionFile:
    """One file, from opening to closing. Thread-safe. Failures to write are logged."""

    def __init__(self, path: str | os.PathLike[str], *, places: bool = True) -> None:
        """
        Open or create the file.

        Args:
            places: True to continue with missed events, too; otherwise a session that ended properly leaves nothing.

        Raises:
            InUse: If another program uses it.
            CannotOpen: If it cannot be used, or is something else.
        """
        self.path: Final = Path(os.path.realpath(path))
        self.places: Final = places
        # Guards what follows, and the file. It stands alone: no other lock is taken under it.
        self._lock = threading.Lock()
        self._kept = Kept("", "")
        self._failing = False
        self._descriptor: int | None = None
        try:
            with self._lock:
                self._descriptor = _open_alone(self.path)
                self._kept = _read(self._descriptor, self.path)
                self._replace_locked()  # to find out now if it can be written
        except OSError as error:
            self.close()
            raise CannotOpen(path, f"{error.strerror}; change the permissions, or name another file") from error
        except CannotOpen:
            self.close()
            raise

    def begin(self, server: str, nickname: str) -> Kept:
        """Return the content for this nickname on this server, and use the file for these from now on."""
        with self._lock:
            if self._kept[:2] != (server, nickname):
                self._kept = Kept(server, nickname)
            return self._kept

    def keep(self, *, token: str | None = None, place: int | None = None) -> None:
        """Store another token, or place, or both."""
        with self._lock:
            kept = self._kept
            if token is not None:
                kept = kept._replace(token=token)
            if place is not None and self.places:
                kept = kept._replace(place=place)
            if kept == self._kept or self._descriptor is None:
                return
            self._kept = kept
            failed_before, problem = self._failing, None
            try:
                self._replace_locked()
            except OSError as error:
                problem = error.strerror
            self._failing = problem is not None
        if problem is not None and not failed_before:
            logger.warning("%s cannot be written: %s", self.path, problem)

    def close(self, *, done: bool = False) -> None:
        """Release the file. `done` means that there is nothing to resume."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, None
            if descriptor is None:
                return
            if not self.places and (done or self._kept.token is None):
                with contextlib.suppress(OSError):
                    self.path.unlink()
            os.close(descriptor)

    def _replace_locked(self) -> None:
        """Write a new, locked file and replace the old one, so that the file at this path is always locked."""
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, _PRIVATE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(descriptor, _written(self._kept))
            beside.replace(self.path)
        except BaseException:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                beside.unlink()
            raise
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = descriptor


def session_path(host: str, port: int | None, nickname: str, environment: Mapping[str, str]) -> Path:
    """Return the file for a nickname on a server (no port for a Unix socket), in the user's directory for state."""
    state = environment.get("XDG_STATE_HOME") or Path(environment.get("HOME") or Path.home(), ".local", "state")
    where = f"{host}-{'unix' if port is None else port}-{fold(nickname)}"
    return Path(state, "pychat", "sessions", f"{quote(where, safe='', errors='backslashreplace')[:_LONGEST_NAME]}.json")


def _open_alone(path: Path) -> int:
    """Open and lock the file. A file that was replaced before it was locked is opened anew."""
    if path.exists() and not path.is_file():  # opening a pipe would wait for its other end
        raise CannotOpen(path, "it is not a file; name another one")
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, _PRIVATE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise InUse(path) from None
        except FileNotFoundError:
            pass  # removed meanwhile
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _read(descriptor: int, path: Path) -> Kept:
    """Return the content of the file; an empty file is new. A file of another kind is not overwritten."""
    data = os.read(descriptor, _MOST_BYTES)
    if not data:
        return Kept("", "")
    try:
        values: Any = json.loads(data)
        if values["format"] != _FORMAT:
            raise ValueError
        place = values.get("after")
        return Kept(
            str(values["server"]), str(values["nick"]), values.get("token"), None if place is None else int(place, 16)
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CannotOpen(path, "it is not the file of a session; name another one") from None


def _written(kept: Kept) -> bytes:
    values = {"format": _FORMAT, "server": kept.server, "nick": kept.nickname}
    if kept.token is not None:
        values["token"] = kept.token
    if kept.place is not None:
        values["after"] = f"{kept.place:016x}"
    return json.dumps(values).encode() + b"\n"
