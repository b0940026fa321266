"""
Servers of this process that listen but do not serve yet: a client that connects to one would wait in vain.

The program may be about to start the server on another thread, so the client waits briefly. After that it raises an
error: if the program forgot to start its server, nothing could start it while the client waits.
"""

from __future__ import annotations

import os
import socket
import threading
from typing import Any, Final

_START_SECONDS: Final = 2.0
_ANYWHERE: Final = frozenset({"0.0.0.0", "::"})

_unserved: Final[dict[Any, threading.Event]] = {}
"""By the address from `socketserver`; set when it is served or closed. Single operations need no lock."""

os.register_at_fork(after_in_child=_unserved.clear)  # they belong to the parent, which may start them


def listens(address: Any) -> None:
    """Record that a server of this process listens there and does not accept connections yet."""
    _unserved[address] = threading.Event()


def serves(address: Any) -> None:
    """Record that the server is served now, or closed. May be called again."""
    served = _unserved.pop(address, None)
    if served is not None:
        served.set()


def is_served(sock: socket.socket, timeout: float) -> bool:
    """Return whether the peer of a connection is not such a server, after waiting briefly for it to be started."""
    try:
        served = _find(sock.getpeername(), sock.getsockname())
    except OSError:  # it is gone already; the next send or receive reports it
        return True
    return served is None or served.wait(min(timeout, _START_SECONDS))


def _find(there: Any, here: Any) -> threading.Event | None:
    for address, served in list(_unserved.items()):
        if address == there:
            return served
        if isinstance(address, tuple) and isinstance(there, tuple) and address[1] == there[1]:
            anywhere = address[0] in _ANYWHERE and there[0] == here[0]
            if anywhere or address[0] == there[0]:
                return served
    return None
