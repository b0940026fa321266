"""Socket options of connections: bounded buffers, and detection of peers that vanished without closing."""

from __future__ import annotations

import contextlib
import socket

from pychat.model.limits import Limits


def set_options(sock: socket.socket, limits: Limits) -> None:
    """Set the options of an accepted connection."""
    with contextlib.suppress(OSError):  # the peer is already gone; the reader will notice
        # The system would let this buffer grow to megabytes: a member that does not read would cost that memory, and
        # the writer could not see if the member reads.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * limits.send_queue_bytes)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            keep_alive(sock, limits)


def keep_alive(sock: socket.socket, limits: Limits) -> None:
    """
    Enable TCP keepalive on a connection.

    Raises:
        OSError: If the connection is already over, or the system rejects these values.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", limits.keepalive_seconds),
        ("TCP_KEEPINTVL", limits.keepalive_interval_seconds),
        ("TCP_KEEPCNT", limits.keepalive_probes),
    ):
        if hasattr(socket, name):  # not every system has all of them
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
