"""The server's requirements of this machine: an address, and a processor."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

from pychat.cli.server.options import CannotServe
from pychat.transport.unix import check_free


def try_address(host: str, port: int | None) -> None:
    """
    Check that a server could listen there.

    Args:
        port: None if `host` is the path of a Unix socket.

    Raises:
        OSError, ValueError: As a server would, as far as that can be known without creating a file.
    """
    if port is None:
        _try_path(Path(host))
        return
    if "\0" in host:  # the system would use the part before it, and Python raises TypeError
        raise ValueError("it contains a null character")
    host.encode()  # as in `open_connection`
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def _try_path(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        probe.connect_ex(str(path))  # raises if the path is too long
    check_free(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def bind_to_processor(cpu: int | None) -> None:
    """Bind the process, and all threads that it starts from now on, to one processor; None changes nothing."""
    if cpu is None:
        return
    if not hasattr(os, "sched_setaffinity"):
        raise CannotServe("this system cannot bind a process to a processor; leave out --cpu")
    try:
        os.sched_setaffinity(0, {cpu})
    except (OSError, ValueError):
        usable = ", ".join(map(str, sorted(os.sched_getaffinity(0))))
        raise CannotServe(f"there is no processor {cpu} here; --cpu can be: {usable}") from None


def try_processor(cpu: int) -> None:
    """
    Check that the process could run on that processor.

    Raises:
        CannotServe: If it could not.
    """
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    bind_to_processor(cpu)
    os.sched_setaffinity(0, before)
