"""What arrives on a connection's socket, through TLS if there is any. Used by its reader only."""

from __future__ import annotations

import select
import socket
import time
from typing import TYPE_CHECKING, Final

from pychat.transport.jobs import Flush
from pychat.transport.link import Link
from pychat.transport.write_queue import Fanout

if TYPE_CHECKING:
    from pychat.transport.tls import TlsLayer

LEAST_READ: Final = 1024
"""
What is read at once of a peer that says little, has no nickname, or was held back. What becomes of it takes many times
as much memory, and the rest waits in buffers of the system.
"""
_MOST_READ: Final = 65_536


class Incoming:
    """Reads, and never sends: what TLS has to send in between it asks the writer for."""

    def __init__(self, sock: socket.socket, link: Link, fanout: Fanout) -> None:
        self._socket = sock
        self._link = link
        self._fanout = fanout
        self._poller = select.poll()
        self._poller.register(sock, select.POLLIN)
        self._size = LEAST_READ
        self._count = 0
        self.ended = False
        """Whether nothing more will be said."""
        self._at_end = False
        """Whether nothing more will come; after TLS has ended something still may."""
        self.broken = False
        """Whether that was not the peer's will: then what is unfinished was cut off."""

    def take_count(self) -> int:
        """Return how many bytes were read since this was asked last, whatever they were for."""
        count, self._count = self._count, 0
        return count

    def wait(self, seconds: float | None) -> bool:
        """Wait until `receive` has something to do; False if that took too long."""
        return self.ended or bool(self._poller.poll(None if seconds is None else seconds * 1000))

    def receive(self, size: int | None = None) -> bytes:
        """
        Wait for bytes, and return what they say: nothing if the peer has ended, or if they were for TLS alone.

        Args:
            size: How many at most; None: few at once from those who say little, and many from the busy.
        """
        if self.ended:
            return b""
        data = self._read(size or self._size)
        if size is None:
            if len(data) == self._size:
                self._size = min(self._size * 8, _MOST_READ)
            elif len(data) < self._size // 16:
                self._size = LEAST_READ
        tls = self._link.tls
        return data if tls is None or not data else self._decrypt(tls, data)

    def secure(self, tls: TlsLayer, data: bytes, deadline: float) -> bytes | None:
        """
        Let TLS begin: shake hands. From then on everything goes through it, both ways.

        Args:
            data: What the peer has sent of it so far.
            deadline: By `time.monotonic`.

        Returns:
            What the peer has said already; None if there is no TLS with it, and nothing can be said to it.
        """
        self._link.tls = tls
        plain = self._decrypt(tls, data)
        while not tls.established and not self.ended:
            left = deadline - time.monotonic()
            if left <= 0 or not self.wait(left):
                return None
            plain = self.receive(LEAST_READ)
        return plain if tls.established else None

    def throw_away(self, deadline: float) -> bool:
        """Read what comes, unheard, until the deadline; False when there is nothing more to wait for."""
        left = deadline - time.monotonic()
        return not self._at_end and left > 0 and bool(self._poller.poll(left * 1000)) and bool(self._read(_MOST_READ))

    def _read(self, size: int) -> bytes:
        try:
            data = self._socket.recv(size)
        except OSError:
            data, self.broken = b"", True
        self._count += len(data)
        if not data:
            self.ended = self._at_end = True
            # Who ends TLS says so; else anybody on the way may have done it.
            self.broken |= self._link.tls is not None
        return data

    def _decrypt(self, tls: TlsLayer, data: bytes) -> bytes:
        plain = tls.receive(data)
        if tls.pending:
            self._fanout.submit(Flush(self._link))
        if tls.ended:
            self.ended = True
            self.broken |= tls.error is not None
        return plain
