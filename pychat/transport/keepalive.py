"""How a peer that is gone without a word is found out: the system asks for it."""

from __future__ import annotations

import socket

from pychat.core.limits import Limits


def keep_alive(sock: socket.socket, limits: Limits) -> None:
    """
    Let the system probe the peer of a TCP connection.

    Raises:
        OSError: The connection is over already, or the system does not take these numbers.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", limits.keepalive_seconds),
        ("TCP_KEEPINTVL", limits.keepalive_interval_seconds),
        ("TCP_KEEPCNT", limits.keepalive_probes),
    ):
        if hasattr(socket, name):  # not every system has all of them
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
