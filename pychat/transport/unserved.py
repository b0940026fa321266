"""
Servers of this process that listen and do not serve yet: whoever connects to one waits for nobody.

The program may be about to start it on another thread, so a client waits a little. Then it is told what is wrong, for a
program that has forgotten to start its server is that client itself, and nobody could start it while it waits.
"""

from __future__ import annotations

import os
import socket
import threading
from typing import Any, Final

_START_SECONDS: Final = 2.0
_ANYWHERE: Final = frozenset({"0.0.0.0", "::"})

_unserved: Final[dict[Any, threading.Event]] = {}
"""By the address as `socketserver` has it; set when it is served, or closed. Single operations need no lock."""

os.register_at_fork(after_in_child=_unserved.clear)  # they are the parent's, which may start them


def listens(address: Any) -> None:
    """A server of this process listens there, and nobody is accepted yet."""
    _unserved[address] = threading.Event()


def serves(address: Any) -> None:
    """It is served now, or closed. May be called again."""
    served = _unserved.pop(address, None)
    if served is not None:
        served.set()


def is_served(sock: socket.socket, timeout: float) -> bool:
    """Whether the other side of a connection is not such a server; wait for one to be started, but not for long."""
    try:
        served = _find(sock.getpeername(), sock.getsockname())
    except OSError:  # it is gone again; what is sent or received next tells
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
