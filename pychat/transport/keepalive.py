"""What the system does with connections: bounded buffers, and how a peer that is gone without a word is found out."""

from __future__ import annotations

import contextlib
import socket

from pychat.model.limits import Limits


def set_options(sock: socket.socket, limits: Limits) -> None:
    """Set the options of a connection that was accepted."""
    with contextlib.suppress(OSError):  # the peer is gone already; the reader will notice
        # The system would let this buffer grow to megabytes: memory that a member who does not read would cost, and
        # in which the writer could not see whether it reads.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * limits.send_queue_bytes)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            keep_alive(sock, limits)


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
