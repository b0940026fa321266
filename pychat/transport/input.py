"""Input from a connection's socket, through TLS if there is any. Used by its connection only."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

from pychat.core.waiting import before_wait
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
        self._size = LEAST_READ
        self._count = 0
        self.ended = False
        """True if the peer will send nothing more."""
        self.at_end = False
        """True if nothing more will arrive; after the end of TLS, bytes may still arrive."""
        self.broken = False
        """True if the peer did not end the stream itself: unfinished input was then cut off."""

    def take_count(self) -> int:
        """Return how many bytes were read since the last call, whatever they were."""
        count, self._count = self._count, 0
        return count

    def has_more(self) -> bool:
        """Return whether `receive` has something to do at once."""
        if self.ended:
            return True
        try:
            self._socket.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True

    def receive(self, size: int | None = None) -> bytes:
        """
        Return bytes that have arrived, decrypted: nothing if the peer has ended, or if they were for TLS itself.

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

    def secure(self, tls: TlsLayer, data: bytes) -> bytes:
        """
        Start TLS, which from then on applies in both directions; return the peer's first decrypted bytes.

        Args:
            data: The peer's handshake bytes so far. The handshake goes on in `receive` until `TlsLayer.established`.
        """
        self._link.tls = tls
        return self._decrypt(tls, data)

    def throw_away(self) -> None:
        """Read and discard input."""
        self._read(_MOST_READ)

    def _read(self, size: int) -> bytes:
        try:
            data = self._socket.recv(size, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return b""
        except OSError:
            data, self.broken = b"", True
        self._count += len(data)
        if not data:
            self.ended = self.at_end = True
            # A TLS peer announces the end; otherwise anybody on the network path may have caused it.
            self.broken |= self._link.tls is not None
        return data

    def _decrypt(self, tls: TlsLayer, data: bytes) -> bytes:
        if not tls.established:
            before_wait()  # a handshake takes milliseconds of computing
        plain = tls.receive(data)
        if tls.pending:
            self._write_queue.submit(Flush(self._link))
        if tls.ended:
            self.ended = True
            self.broken |= tls.error is not None
        return plain
