"""
Measure a long paste into a room with readers of different speed: who is disconnected, and how long the paste takes.

All clients are in this process. A reader of limited speed has a small receive buffer and reads what it may by then, so
the server notices its pace and not that of the kernel's buffers. When the server ends its connection, that reader would
only see it after everything that the kernel still has for it; so the state of the connection is read from /proc.
"""

from __future__ import annotations

import select
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.check import MARK, numbered_lines
from benchmarks.errors import LoadError
from benchmarks.languages import Lines, pongs
from benchmarks.load import difference
from benchmarks.servers import Server
from benchmarks.wire import BUFFER_BYTES, QUIET_SECONDS, Listeners, enter

_RECEIVE_BUFFER: Final = 32_768
_TURN_SECONDS: Final = 0.02
_LOOK_SECONDS: Final = 0.2
_LAST_WORDS_SECONDS: Final = 2.0
_ESTABLISHED: Final = "01"
_CHUNK_BYTES: Final = 65_536

READERS: Final[Mapping[str, int | None]] = {"50 KB/s": 50_000, "1 MB/s": 1_000_000, "full speed": None}
"""Bytes per second of each reader; None for as fast as it can."""


@dataclass(frozen=True)
class Reader:
    """What became of a reader."""

    messages: int
    received: int
    """Bytes."""
    seconds: float
    """From the beginning of the paste to the last byte, or until the server ended the connection."""
    cut_off: bool
    last_words: str
    """The last line that the server sent to a reader whom it cut off, if that was no message."""


@dataclass(frozen=True)
class Pace:
    """A paste."""

    messages: int
    sent: int
    """Messages that were sent completely; fewer if time was over."""
    paste_seconds: float
    """Until the server's kernel had the last byte."""
    server_cpu: float | None
    readers: dict[str, Reader]


def pace(server: Server, megabytes: int, text_bytes: int, seconds: float) -> Pace:
    """Paste so many megabytes of lines, and read them for at most so many seconds."""
    language = server.language
    line_bytes = len(language.line(b"")) + text_bytes
    messages = max(1, megabytes * 1_000_000 // line_bytes)
    payload = memoryview(numbered_lines(messages, text_bytes, language))
    with ExitStack() as stack:
        readers = {name: _Reader(stack, server, f"r{n}", speed) for n, (name, speed) in enumerate(READERS.items())}
        paste = _Paste(stack, server, payload, line_bytes)
        Listeners([paste.socket, *(reader.socket for reader in readers.values())], language).drain(QUIET_SECONDS)
        cpu, started = server.cpu(), time.monotonic()
        sent = _run(paste, list(readers.values()), started + seconds, messages)
        spent = difference(server.cpu(), cpu)
        for reader in readers.values():
            reader.hear_last_words()
    results = {name: reader.result(started) for name, reader in readers.items()}
    return Pace(messages, paste.offset // line_bytes, sent - started, spent, results)


class _Paste:
    """The member who pastes; it answers pings between two lines only, so none of them is torn."""

    def __init__(self, stack: ExitStack, server: Server, payload: memoryview, line_bytes: int) -> None:
        (self.socket,) = enter(server.address, ["paster"], language=server.language)
        stack.callback(self.socket.close)
        self.offset = 0
        self._payload, self._line_bytes = payload, line_bytes
        self._language, self._lines = server.language, Lines()
        self._answers = b""

    @property
    def done(self) -> bool:
        return self.offset == len(self._payload)

    def send(self) -> None:
        """Send as much as the socket accepts, and no more than the line that an answer waits for."""
        rest = -self.offset % self._line_bytes
        if self._answers and not rest:
            self._answers = self._answers[self._send(self._answers) :]
        else:
            size = rest if self._answers else _CHUNK_BYTES
            self.offset += self._send(self._payload[self.offset : self.offset + size])

    def read(self) -> None:
        """Read what the server says to it."""
        try:
            data = self.socket.recv(BUFFER_BYTES)
        except BlockingIOError:
            return
        if not data:
            raise LoadError(f"the server disconnected the member who pastes after {self.offset} bytes")
        self._answers += pongs(self._language, self._lines.whole(data))

    def _send(self, data: bytes | memoryview) -> int:
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0


def _run(paste: _Paste, readers: Sequence[_Reader], give_up: float, messages: int) -> float:
    """Send, and read until every reader has everything or is gone; return the time when everything was sent."""
    sent: float | None = None
    look = time.monotonic()
    fast = {reader.socket.fileno(): reader for reader in readers if not reader.limited}
    with select.epoll() as epoll:
        epoll.register(paste.socket, select.EPOLLIN | select.EPOLLOUT)
        for descriptor in fast:
            epoll.register(descriptor, select.EPOLLIN)
        while time.monotonic() < give_up and not all(reader.is_done(messages) for reader in readers):
            for descriptor, event in epoll.poll(_TURN_SECONDS, len(fast) + 1):
                if descriptor in fast:
                    if not fast[descriptor].read():
                        epoll.unregister(descriptor)
                    continue
                if event & ~select.EPOLLOUT:
                    paste.read()
                if event & select.EPOLLOUT:
                    paste.send()
            if paste.done and sent is None:
                sent = time.monotonic()
                epoll.modify(paste.socket, select.EPOLLIN)
            for reader in readers:
                if reader.limited and not reader.gone:
                    reader.read()
            if time.monotonic() > look:
                look = time.monotonic() + _LOOK_SECONDS
                open_ports = _open_ports(paste.socket.getpeername()[1])
                for reader in readers:
                    reader.note_end(open_ports)
    return time.monotonic() if sent is None else sent


def _open_ports(port: int) -> set[int]:
    """Return the ports of the clients whose connections the server at this port has not ended (proc_pid_net(5))."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, here, there, state, *_ = line.split()
        if int(here.rpartition(":")[2], 16) == port and state == _ESTABLISHED:
            found.add(int(there.rpartition(":")[2], 16))
    return found


class _Reader:
    """A member who reads at most so many bytes per second."""

    def __init__(self, stack: ExitStack, server: Server, name: str, speed: int | None) -> None:
        buffer = None if speed is None else _RECEIVE_BUFFER
        (self.socket,) = enter(server.address, [name], buffer, server.language)
        stack.callback(self.socket.close)
        self.limited = speed is not None
        self.gone = False
        self._speed = speed or 0
        self._received = self._messages = 0
        self._started: float | None = None
        self._last = 0.0
        self._language, self._lines = server.language, Lines()
        self._words = b""

    def _allowed(self) -> int:
        """Return how many bytes may be read now: the share of the time since the first read, less what was read."""
        if not self.limited:
            return BUFFER_BYTES
        now = time.monotonic()
        self._started = now if self._started is None else self._started
        share = int((now - self._started) * self._speed) - self._received
        return min(BUFFER_BYTES, share) if share >= self._speed * _TURN_SECONDS else 0

    def note_end(self, open_ports: set[int]) -> None:
        """Note whether the server has ended the connection."""
        if not self.gone and self.socket.getsockname()[1] not in open_ports:
            self.gone = True
            self._last = time.monotonic()

    def hear_last_words(self) -> None:
        """Read what is left for a reader whom the server has cut off, without counting it."""
        self.socket.settimeout(_LAST_WORDS_SECONDS)
        if self.gone:
            with suppress(OSError):
                while data := self.socket.recv(BUFFER_BYTES):
                    self._words = self._lines.whole(data).rstrip().rpartition(b"\n")[2] or self._words

    def read(self) -> bool:
        """Read what may be read; return False if the server has ended the connection."""
        allowed = self._allowed()
        if not allowed:
            return True
        try:
            data = self.socket.recv(allowed)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        self._last = time.monotonic()
        self.gone = not data
        self._received += len(data)
        self._messages += data.count(MARK)
        whole = self._lines.whole(data)
        self._words = whole.rstrip().rpartition(b"\n")[2] or self._words
        if answers := pongs(self._language, whole):
            self.socket.sendall(answers)
        return not self.gone

    def is_done(self, messages: int) -> bool:
        return self.gone or self._messages >= messages

    def result(self, started: float) -> Reader:
        words = self._words.decode(errors="replace") if self.gone and MARK not in self._words else ""
        return Reader(self._messages, self._received, max(0.0, self._last - started), self.gone, words)
