"""
A Unix socket: an address that is a file, so file permissions control who may connect.

The file outlives a killed server. The next server replaces it if nobody listens there.
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
"""The mode of the file: owner and group may connect, which needs write permission (unix(7))."""
_PATIENCE_SECONDS: Final = 2.0
"""How long to wait for another server that starts in the same directory at the same time."""


class SocketFile:
    """The socket file of one server."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """
        Check the path; the file is created by `listen`.

        Raises:
            ValueError: If the path is empty or has a NUL.
        """
        self.path: Final = os.fspath(path)
        self._file = Path(self.path)
        if not self.path or "\0" in self.path:  # an abstract name has no permissions
            raise ValueError(f"a Unix socket needs a path, not {self.path!r}")
        self._made: tuple[int, int] | None = None
        """Device and inode of the file that we created."""

    def listen(self, sock: socket.socket, backlog: int) -> None:
        """
        Create the file and listen on it. A file left over from a dead server is replaced.

        Raises:
            OSError: If somebody listens there (EADDRINUSE), it is not a socket (EEXIST), or it cannot be created.
        """
        with _alone_in(self._file.parent):
            check_free(self._file)
            self._file.unlink(missing_ok=True)
            sock.bind(self.path)
            self._made = _let_in_group(self._file)  # nobody can connect before listen, so the mode applies to all
            sock.listen(backlog)

    def remove(self) -> None:
        """
        Remove the file, unless it belongs to another server by now. Call this before the socket is closed.

        The open socket keeps the inode in use even if the file was removed, so no other file can be mistaken for it.
        """
        with contextlib.suppress(OSError), _alone_in(self._file.parent):
            if self._made is not None and _identity(self._file) == self._made:
                self._file.unlink()
        self._made = None


def check_free(path: Path) -> None:
    """
    Check that a server can listen there: the path does not exist, or is a socket on which nobody listens.

    Raises:
        OSError: If somebody listens there (EADDRINUSE), it is not a socket (EEXIST), or access is denied (EACCES).
    """
    try:
        is_socket = stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:
        return
    if not is_socket:
        raise OSError(errno.EEXIST, "it is not a socket", str(path))
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        error = probe.connect_ex(str(path))
    if error in (0, errno.EAGAIN):  # the latter: many clients are waiting to be accepted
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), str(path))
    if error not in (errno.ECONNREFUSED, errno.ENOENT):
        raise OSError(error, os.strerror(error), str(path))


def open_connection(host: str, port: int | None, timeout: float) -> socket.socket:
    """
    Connect to a server.

    Args:
        port: None if `host` is the path of a Unix socket.

    Raises:
        OSError: If nobody listens there, the name is unknown, or access is denied.
        ValueError, OverflowError: If the address is invalid.
    """
    if port is not None:
        host.encode()  # fails on non-UTF-8 bytes from a command line, for which Python would raise TypeError
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
    Set the mode of a new socket file; return its device and inode.

    The mode of the socket itself (fchmod before bind) would be reduced by the umask, and the path may name another file
    by now if others can write to the directory. So the mode is changed through a descriptor that is checked first.

    Raises:
        OSError: If somebody has replaced it by another file (EEXIST).
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
    """Exclude other servers that start there: two that find the same dead socket must not both replace it."""
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
