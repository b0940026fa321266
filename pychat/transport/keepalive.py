"""How a peer that is gone without a word is found out: the system asks for it."""

from __future__ import annotations

import socket
from typing import Final

_OPTIONS: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""Seconds of silence, seconds between probes, and probes, after which the system ends a dead connection."""


def keep_alive(sock: socket.socket) -> None:
    """
    Let the system probe the peer.

    Raises:
        OSError: The connection is over already.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _OPTIONS.items():
        if hasattr(socket, name):  # not every system has all of them
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
