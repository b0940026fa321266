"""A socket that misbehaves on command, and a client that is nothing but such a socket."""

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
"""For SO_LINGER: whoever closes does not wait until everything was sent, and the connection is reset."""


def set_reset(sock: socket.socket) -> None:
    """Let a connected socket be one that resets its connection when it is closed; whoever receives from it wakes."""
    with contextlib.suppress(OSError):  # the other side was faster
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        sock.shutdown(socket.SHUT_RD)


def check_piece(size: int) -> None:
    """
    Raises:
        ValueError: Nothing would ever come through in pieces of this size.
    """
    if size < 1:
        raise ValueError(f"pieces of {size} bytes: use stall() to let nothing through")


class FaultySocket:
    """
    A connected socket whose `send`, `sendall`, `recv` and `recv_into` do what a test commands.

    It can stand wherever a socket is expected: in a client, to see what a server makes of it, or in the code that is
    tested. Everything else is done by the socket itself. Commands may come from any thread.
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
        """From now on, `send` and `recv` take at most so many bytes: short writes, and messages in small pieces."""
        check_piece(size)
        self._most = size

    def stall(self) -> None:
        """From now on, nothing goes through: who sends or receives waits, or is told that it would have to."""
        self._flowing.clear()

    def resume(self) -> None:
        """Be well again."""
        self._most = _READ_BYTES
        self._flowing.set()

    def cut(self) -> None:
        """End the connection, so that both sides read its end."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._flowing.set()

    def reset(self) -> None:
        """Vanish: the other side gets a reset, and so does whoever uses this socket. It is closed then."""
        self._reset = True
        set_reset(self._socket)
        self._socket.close()
        self._flowing.set()

    # What a socket does

    def send(self, data: bytes | memoryview, flags: int = 0) -> int:
        """Send some of it; return how many bytes that were."""
        self._wait(flags)
        return self._socket.send(memoryview(data)[: self._most], flags)

    def sendall(self, data: bytes | memoryview, flags: int = 0) -> None:
        """Send all of it, in as many pieces as it takes."""
        view = memoryview(data)
        while view:
            view = view[self.send(view, flags) :]

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Receive some bytes; none at the end."""
        self._wait(flags)
        return self._socket.recv(min(size, self._most), flags)

    def recv_into(self, buffer: bytearray | memoryview, size: int = 0, flags: int = 0) -> int:
        """Receive some bytes into the buffer; return how many that were, 0 at the end."""
        self._wait(flags)
        return self._socket.recv_into(buffer, min(size or len(buffer), self._most), flags)

    def _wait(self, flags: int) -> None:
        """
        Wait while the socket is stalled.

        Raises:
            BlockingIOError: It may not wait.
            TimeoutError: It may not wait so long.
            ConnectionResetError: It was reset.
        """
        timeout = 0.0 if flags & socket.MSG_DONTWAIT else self._socket.gettimeout()
        if not self._flowing.wait(timeout):
            raise TimeoutError("timed out") if timeout else BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        if self._reset:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))


class Peer:
    """A client that knows nothing of chats: bytes and lines, over a socket that can be made to misbehave."""

    def __init__(
        self, host: str, port: int | None, *, deadline: float = DEADLINE, receive_buffer: int | None = None
    ) -> None:
        """
        Connect.

        Args:
            port: None: `host` is the path of a Unix socket.
            deadline: Seconds that reading waits for something to come; then it raises `TimeoutError`.
            receive_buffer: Bytes that the system keeps of what is not read yet (SO_RCVBUF); few make a slow reader.
        """
        internet = socket.AF_INET6 if ":" in host else socket.AF_INET
        wire = socket.socket(socket.AF_UNIX if port is None else internet)
        if receive_buffer is not None:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        wire.settimeout(deadline)
        wire.connect(host if port is None else (host, port))
        if port is not None:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else what trickles arrives at once, but later
        self.socket = FaultySocket(wire)
        """With its commands `trickle`, `stall`, `resume`, `cut` and `reset`."""
        self.buffer = b""
        """What was received and not read yet."""

    def send(self, data: bytes | str) -> None:
        """Send all of it."""
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def read_exactly(self, size: int) -> bytes:
        """Return the next bytes, that many."""
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
        """Return the next lines, up to and with the first that has this in it."""
        lines = [self.read_line()]
        while last not in lines[-1]:
            lines.append(self.read_line())
        return lines

    def read_rest(self) -> bytes:
        """Return everything up to the end of the stream, also if that is a reset."""
        with contextlib.suppress(EOFError, ConnectionResetError):
            while True:
                self._read_more()
        data, self.buffer = self.buffer, b""
        return data

    def end_sending(self) -> None:
        """Let the server see the end of the stream; what it says can still be read."""
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
