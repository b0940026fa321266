"""What a server wants of this machine: an address, and a processor."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

from pychat.cli.serve_options import CannotServe
from pychat.transport.unix import check_free


def try_address(host: str, port: int | None) -> None:
    """
    Return if a server could listen there.

    Args:
        port: None: `host` is the path of a Unix socket.

    Raises:
        OSError, ValueError: What a server would raise, as far as that can be known without making a file.
    """
    if port is None:
        _try_path(Path(host))
        return
    if "\0" in host:  # the system would take what is before it, and Python says TypeError
        raise ValueError("there is a null character in it")
    host.encode()  # as in `open_connection`
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def _try_path(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        probe.connect_ex(str(path))  # raises if no address can be so long
    check_free(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def bind_to_processor(cpu: int | None) -> None:
    """Let the process, and all threads that it starts from now on, run on one processor; None: leave it."""
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
    Return if the process could run on that processor.

    Raises:
        CannotServe: It could not.
    """
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    bind_to_processor(cpu)
    os.sched_setaffinity(0, before)
