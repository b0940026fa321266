"""
A Unix socket: an address that is a file, so its permissions say who may connect.

A file outlives a server that was killed. It is in the way of the next one, which takes it over if nobody listens there.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MODE: Final = 0o660
"""Of the file: its owner and its group may connect (unix(7): who may write to it)."""
_PATIENCE_SECONDS: Final = 2.0
"""How long another server may take that starts in the same directory at the same time."""


class SocketFile:
    """The file of one server."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """
        Raises:
            ValueError: It is no path of a file.
        """
        self.path: Final = os.fspath(path)
        self._file = Path(self.path)
        if not self.path or "\0" in self.path:  # an abstract name has no permissions
            raise ValueError(f"a Unix socket needs a path, not {self.path!r}")
        self._made: tuple[int, int] | None = None
        """Device and inode of the file that we made."""

    def listen(self, sock: socket.socket, backlog: int) -> None:
        """
        Make the file, and listen on it. One that is left over from a dead server is replaced.

        Raises:
            OSError: Somebody listens there (EADDRINUSE), it is something else (EEXIST), or it cannot be made.
        """
        with _alone_in(self._file.parent):
            check_free(self._file)
            self._file.unlink(missing_ok=True)
            sock.bind(self.path)
            self._made = _let_in_group(self._file)  # nobody can connect before listen: there is no moment without it
            sock.listen(backlog)

    def remove(self) -> None:
        """
        Remove the file, unless it is another's by now. To be called before the socket is closed.

        Until then the file keeps its inode, also if somebody has removed it, so no other one can be taken for it.
        """
        with contextlib.suppress(OSError), _alone_in(self._file.parent):
            if self._made is not None and _identity(self._file) == self._made:
                self._file.unlink()
        self._made = None


def check_free(path: Path) -> None:
    """
    Return if a server can listen there: nothing is there, or a socket on which nobody listens.

    Raises:
        OSError: Somebody does (EADDRINUSE), it is something else (EEXIST), or we may not know (EACCES).
    """
    try:
        is_socket = stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:
        return
    if not is_socket:
        raise OSError(errno.EEXIST, "it is no socket", str(path))
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        error = probe.connect_ex(str(path))
    if error in (0, errno.EAGAIN):  # the latter: many are waiting to be accepted
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), str(path))
    if error not in (errno.ECONNREFUSED, errno.ENOENT):
        raise OSError(error, os.strerror(error), str(path))


def open_connection(host: str, port: int | None, timeout: float) -> socket.socket:
    """
    Connect to a server.

    Args:
        port: None: `host` is the path of a Unix socket.

    Raises:
        OSError: None listens there, the name is unknown, or we may not.
        ValueError, OverflowError: There can be no such address.
    """
    if port is not None:
        host.encode()  # bytes of a command line that are not UTF-8: Python would say TypeError
        return socket.create_connection((host, port), timeout)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(timeout)
        sock.connect(host)
    except BaseException:
        sock.close()
        raise
    return sock


def _let_in_group(path: Path) -> tuple[int, int]:
    """
    Give a socket that was just made its mode; return device and inode of it.

    The mode of the socket itself (fchmod before bind) would be narrowed by the umask, and a name may mean another file
    by now, where others can write to the directory. So it is changed by a descriptor that can be looked at.

    Raises:
        OSError: Somebody has put another file in its place (EEXIST).
    """
    if not hasattr(os, "O_PATH"):
        path.chmod(MODE, follow_symlinks=False)
        return _identity(path)
    descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISSOCK(status.st_mode) or status.st_uid != os.geteuid() or status.st_nlink != 1:
            raise OSError(errno.EEXIST, "somebody else has replaced it", str(path))
        Path(f"/proc/self/fd/{descriptor}").chmod(MODE)  # fchmod does not work with O_PATH
        return status.st_dev, status.st_ino
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Keep out other servers that start there: two that find the same dead socket must not both replace it."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


def _identity(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_dev, status.st_ino
