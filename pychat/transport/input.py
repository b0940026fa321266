"""Input from a connection's socket, through TLS if there is any. Used by its reader only."""

from __future__ import annotations

import select
import socket
import time
from typing import TYPE_CHECKING, Final

from pychat.transport.jobs import Flush
from pychat.transport.link import Link
from pychat.transport.write_queue import WriteQueue

if TYPE_CHECKING:
    from pychat.transport.tls import TlsLayer

LEAST_READ: Final = 1024
"""
Maximum per read from a peer that sends little, has no nickname, or was delayed. The resulting verbs take many times as
much memory; the rest waits in the system's buffers.
"""
_MOST_READ: Final = 65_536


class Incoming:
    """Reads, and never sends: for output of TLS itself it asks the writer."""

    def __init__(self, sock: socket.socket, link: Link, write_queue: WriteQueue) -> None:
        self._socket = sock
        self._link = link
        self._write_queue = write_queue
        self._poller = select.poll()
        self._poller.register(sock, select.POLLIN)
        self._size = LEAST_READ
        self._count = 0
        self.ended = False
        """True if the peer will send nothing more."""
        self._at_end = False
        """True if nothing more will arrive; after the end of TLS, bytes may still arrive."""
        self.broken = False
        """True if the peer did not end the stream itself: unfinished input was then cut off."""

    def take_count(self) -> int:
        """Return how many bytes were read since the last call, whatever they were."""
        count, self._count = self._count, 0
        return count

    def wait(self, seconds: float | None) -> bool:
        """Wait until `receive` has something to do; return False on timeout."""
        return self.ended or bool(self._poller.poll(None if seconds is None else seconds * 1000))

    def receive(self, size: int | None = None) -> bytes:
        """
        Wait for bytes and return them decrypted: nothing if the peer has ended, or if they were for TLS itself.

        Args:
            size: Maximum bytes; None adapts to the peer: small reads for a quiet one, large reads for a busy one.
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
        Start TLS and perform the handshake. From then on it applies in both directions.

        Args:
            data: The peer's handshake bytes so far.
            deadline: By `time.monotonic`.

        Returns:
            The peer's first decrypted bytes; None if the handshake failed, and nothing can be sent to the peer.
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
        """Read and discard input until the deadline; return False when there is nothing more to wait for."""
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
            # A TLS peer announces the end; otherwise anybody on the network path may have caused it.
            self.broken |= self._link.tls is not None
        return data

    def _decrypt(self, tls: TlsLayer, data: bytes) -> bytes:
        plain = tls.receive(data)
        if tls.pending:
            self._write_queue.submit(Flush(self._link))
        if tls.ended:
            self.ended = True
            self.broken |= tls.error is not None
        return plain
