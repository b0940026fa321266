"""A socket that misbehaves on command, and a client that consists only of such a socket."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import threading
from typing import Any, Final

from pychat.testing.waiting import DEADLINE

_READ_BYTES: Final = 65_536
_NO_LINGER: Final = struct.pack("ii", 1, 0)
"""For SO_LINGER: closing does not wait until everything was sent, and resets the connection."""


def set_reset(sock: socket.socket) -> None:
    """Make a connected socket reset its connection when it is closed; a thread that receives from it wakes."""
    with contextlib.suppress(OSError):  # the other side was faster
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        sock.shutdown(socket.SHUT_RD)


def check_piece(size: int) -> None:
    """
    Check that a piece has at least one byte.

    Raises:
        ValueError: If it has not, so that nothing would ever go through.
    """
    if size < 1:
        raise ValueError(f"pieces of {size} bytes: use stall() to let nothing through")


class FaultySocket:
    """
    A connected socket whose `send`, `sendall`, `recv` and `recv_into` obey the commands of a test.

    It can replace any socket: in a client, to test a server, or in the code under test. Everything else is delegated to
    the socket itself. Commands may be called from any thread.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._most = _READ_BYTES
        self._reset = False
        self._flowing = threading.Event()
        self._flowing.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    # Commands

    def trickle(self, size: int = 1) -> None:
        """Limit `send` and `recv` to `size` bytes from now on: short writes, and messages in small pieces."""
        check_piece(size)
        self._most = size

    def stall(self) -> None:
        """Let nothing through from now on: sending and receiving block, or fail as a non-blocking socket does."""
        self._flowing.clear()

    def resume(self) -> None:
        """Work normally again."""
        self._most = _READ_BYTES
        self._flowing.set()

    def cut(self) -> None:
        """End the connection, so that both sides read its end."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._flowing.set()

    def reset(self) -> None:
        """Vanish and close: the other side gets a reset, and so does the user of this socket."""
        self._reset = True
        set_reset(self._socket)
        self._socket.close()
        self._flowing.set()

    # Socket methods

    def send(self, data: bytes | memoryview, flags: int = 0) -> int:
        """Send some of the bytes; return how many."""
        self._wait(flags)
        return self._socket.send(memoryview(data)[: self._most], flags)

    def sendall(self, data: bytes | memoryview, flags: int = 0) -> None:
        """Send all bytes, in as many pieces as necessary."""
        view = memoryview(data)
        while view:
            view = view[self.send(view, flags) :]

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Receive some bytes; none at the end."""
        self._wait(flags)
        return self._socket.recv(min(size, self._most), flags)

    def recv_into(self, buffer: bytearray | memoryview, size: int = 0, flags: int = 0) -> int:
        """Receive some bytes into the buffer; return how many, 0 at the end."""
        self._wait(flags)
        return self._socket.recv_into(buffer, min(size or len(buffer), self._most), flags)

    def _wait(self, flags: int) -> None:
        """
        Wait while the socket is stalled.

        Raises:
            BlockingIOError: If the socket is non-blocking.
            TimeoutError: If the socket's timeout is over.
            ConnectionResetError: If it was reset.
        """
        timeout = 0.0 if flags & socket.MSG_DONTWAIT else self._socket.gettimeout()
        if not self._flowing.wait(timeout):
            raise TimeoutError("timed out") if timeout else BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        if self._reset:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))


class Peer:
    """A client without any knowledge of chats: bytes and lines, over a socket that can be made to misbehave."""

    def __init__(
        self, host: str, port: int | None, *, deadline: float = DEADLINE, receive_buffer: int | None = None
    ) -> None:
        """
        Connect.

        Args:
            port: None if `host` is the path of a Unix socket.
            deadline: Seconds after which reading raises `TimeoutError`.
            receive_buffer: Size of the system's receive buffer (SO_RCVBUF); a small one makes a slow reader.
        """
        internet = socket.AF_INET6 if ":" in host else socket.AF_INET
        wire = socket.socket(socket.AF_UNIX if port is None else internet)
        if receive_buffer is not None:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        wire.settimeout(deadline)
        wire.connect(host if port is None else (host, port))
        if port is not None:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # otherwise small pieces arrive as one, later
        self.socket = FaultySocket(wire)
        """With its commands `trickle`, `stall`, `resume`, `cut` and `reset`."""
        self.buffer = b""
        """Bytes that were received and not returned yet."""

    def send(self, data: bytes | str) -> None:
        """Send all of it."""
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def read_exactly(self, size: int) -> bytes:
        """Return exactly `size` further bytes."""
        while len(self.buffer) < size:
            self._read_more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def read_line(self) -> str:
        """Return the next line without its newline."""
        while b"\n" not in self.buffer:
            self._read_more()
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.decode()

    def read_until(self, last: str) -> list[str]:
        """Return the next lines, up to and including the first that contains this text."""
        lines = [self.read_line()]
        while last not in lines[-1]:
            lines.append(self.read_line())
        return lines

    def read_rest(self) -> bytes:
        """Return everything up to the end of the stream, even if that is a reset."""
        with contextlib.suppress(EOFError, ConnectionResetError):
            while True:
                self._read_more()
        data, self.buffer = self.buffer, b""
        return data

    def end_sending(self) -> None:
        """Let the server read the end of the stream; its output can still be read."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Vanish: the server's side gets a reset."""
        self.socket.reset()

    def close(self) -> None:
        """Close as any program does that ends."""
        self.socket.close()

    def _read_more(self) -> None:
        data = self.socket.recv(_READ_BYTES)
        if not data:
            raise EOFError(f"the server closed the connection after {self.buffer!r}")
        self.buffer += data
