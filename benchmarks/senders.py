"""The talking members: a closed loop that keeps at most a window of bytes in flight."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

from benchmarks.check import MARK, numbered_lines
from benchmarks.errors import LoadError, ServerStuck
from benchmarks.languages import Language, Lines, pongs
from benchmarks.receivers import PROGRESS, Heard, Receivers
from benchmarks.wire import BUFFER_BYTES, Address, enter

_FIRST_WINDOW = 16_384
_CHUNK_BYTES = 32_768
_STALLED_SECONDS = 10.0


@dataclass(frozen=True)
class Load:
    """The load of one round: until `seconds` are over or `messages` are sent, whichever comes first."""

    messages: int
    seconds: float
    text_bytes: int
    window: int
    """Bytes, as members receive them, that may be in flight to the slowest member."""
    at_least: int = 0
    """Messages that are sent even if that takes longer."""


@dataclass(frozen=True)
class Sent:
    """One round, complete at every member."""

    messages: int
    seconds: float
    """From the first byte sent to the last byte received."""
    heard: list[Heard]
    heard_by_senders: int


class _Sender:
    """A talking member, whose input must also be read: it receives the others' messages."""

    def __init__(self, name: str, sock: socket.socket) -> None:
        self.name, self.socket = name, sock
        self.lines = Lines()
        self.answers = b""
        """Answers to pings; until they are sent, only the rest of a line may be sent."""
        self.begin()

    def begin(self) -> None:
        self.offset = 0
        self.heard = 0
        self.blocked = False

    def send(self, chunk: memoryview) -> int:
        """Send as many of the next bytes of the round as the socket accepts."""
        size = self._send(chunk)
        self.offset += size
        return size

    def answer(self, rest: memoryview) -> None:
        """Send the rest of an unfinished line, and then the answers."""
        if self.send(rest) == len(rest):
            self.answers = self.answers[self._send(self.answers) :]

    def _send(self, chunk: bytes | memoryview) -> int:
        try:
            size = self.socket.send(chunk)
        except BlockingIOError:
            size = 0
        self.blocked = size < len(chunk)
        return size


class Senders:
    """The talking members of a benchmark; use as a context manager."""

    def __init__(self, language: Language, address: Address, count: int) -> None:
        names = [f"s{number:03d}" for number in range(count)]
        sockets = enter(address, names, language=language)
        self._senders = [_Sender(*pair) for pair in zip(names, sockets, strict=True)]
        self._language = language
        self.added_bytes = 0
        """How much longer a received line is: by the name of its sender."""
        self._by_descriptor = {sender.socket.fileno(): sender for sender in self._senders}
        self._buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._payload = memoryview(b"")
        self._line_bytes = 1
        self._last_heard = 0

    def __enter__(self) -> Senders:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sender in self._senders:
            sender.socket.close()

    @property
    def names(self) -> list[str]:
        return [sender.name for sender in self._senders]

    @property
    def sockets(self) -> list[socket.socket]:
        return [sender.socket for sender in self._senders]

    def say(self, text: bytes) -> None:
        """Send one line from the first sender."""
        self._senders[0].socket.sendall(self._language.line(text))

    def prepare(self, load: Load) -> None:
        """Create the lines of a round, which takes a second or two for a million."""
        each = max(1, load.messages // len(self._senders))
        self._line_bytes = len(self._language.line(b"")) + load.text_bytes
        self._payload = memoryview(numbered_lines(each, load.text_bytes, self._language))

    def send_round(self, load: Load, receivers: Receivers) -> Sent:
        """
        Send the prepared round and return when every member has received all of it.

        Raises:
            LoadError: If nothing moved for 10 seconds, or a member's input is wrong.
        """
        for sender in self._senders:
            sender.begin()
        with _Progress(receivers, self._by_descriptor) as progress:
            started = time.monotonic_ns()
            self._send(load, started / 1e9 + load.seconds, progress)
            totals = self._complete_lines(progress)
            receivers.announce(totals)
            messages = sum(totals.values())
            while not (receivers.poll() and all(s.heard >= messages - totals[s.name] for s in self._senders)):
                self._read(progress.wait(0.2))
        heard = receivers.results(60.0)
        receivers.forget_progress()
        for sender in self._senders:
            expected = messages - totals[sender.name]
            if sender.heard > expected:
                raise LoadError(f"{sender.name} heard {sender.heard} messages, the others sent {expected}")
        finished = max(self._last_heard, *(one.finished for one in heard))
        return Sent(messages, (finished - started) / 1e9, heard, sum(sender.heard for sender in self._senders))

    def _send(self, load: Load, deadline: float, progress: _Progress) -> None:
        growth = (self._line_bytes + self.added_bytes) / self._line_bytes
        size = len(self._payload)
        least = load.at_least * self._line_bytes
        while time.monotonic() < deadline or sum(sender.offset for sender in self._senders) < least:
            unfinished = [sender for sender in self._senders if sender.offset < size]
            if not unfinished:
                return
            # The window grows with deliveries; otherwise a slow server would have seconds of work left at the end.
            on_the_way = sum(sender.offset for sender in self._senders) * growth - progress.delivered
            room = int((min(load.window, _FIRST_WINDOW + progress.delivered // 4) - on_the_way) / growth)
            for sender in unfinished:
                if room <= 0:
                    break
                if sender.answers:
                    self._answer(sender)
                if not sender.blocked:
                    end = min(sender.offset + min(_CHUNK_BYTES, room), size)
                    room -= sender.send(self._payload[sender.offset : end])
            progress.want_to_write(unfinished)
            may_go_on = room > 0 and not all(sender.blocked for sender in unfinished)
            self._read(progress.wait(0.0 if may_go_on else 0.05))

    def _complete_lines(self, progress: _Progress) -> dict[str, int]:
        """Send the rest of each unfinished line, and return how many messages each sender has sent."""
        totals = {}
        for sender in self._senders:
            count = -(-sender.offset // self._line_bytes)
            while sender.offset < count * self._line_bytes:
                sender.send(self._payload[sender.offset : count * self._line_bytes])
                if sender.blocked:
                    progress.want_to_write([sender])
                    self._read(progress.wait(0.05))
            totals[sender.name] = count
        progress.want_to_write([])
        return totals

    def _read(self, descriptors: Sequence[int]) -> None:
        """Read and count the messages that these senders receive from the others."""
        for descriptor in descriptors:
            sender = self._by_descriptor[descriptor]
            try:
                size = sender.socket.recv_into(self._buffer)
            except BlockingIOError:
                continue
            except OSError as error:
                raise LoadError(f"{sender.name}: {error}") from error
            if not size:
                raise LoadError(f"{sender.name}: the server closed the connection")
            sender.heard += self._buffer.count(MARK, 0, size)
            self._last_heard = time.monotonic_ns()
            if self._language.pings:
                sender.answers += pongs(self._language, sender.lines.whole(self._view[:size]))
                if sender.answers:
                    self._answer(sender)

    def _answer(self, sender: _Sender) -> None:
        end = -(-sender.offset // self._line_bytes) * self._line_bytes
        sender.answer(self._payload[sender.offset : end])


class _Progress:
    """Waits for progress of the receivers, and for the controller's own sockets."""

    def __init__(self, receivers: Receivers, senders: dict[int, _Sender]) -> None:
        self._receivers = receivers
        self._delivered = {connection.fileno(): 0 for connection in receivers.progress}
        self._connections = {connection.fileno(): connection for connection in receivers.progress}
        self._senders = senders
        self._writing: set[int] = set()
        self._moved = time.monotonic()
        self._epoll = select.epoll()
        for descriptor in (*self._connections, *senders):
            self._epoll.register(descriptor, select.EPOLLIN)

    def __enter__(self) -> _Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._epoll.close()

    @property
    def delivered(self) -> int:
        """Bytes of this round that every receiver has."""
        return min(self._delivered.values())

    def want_to_write(self, senders: Sequence[_Sender]) -> None:
        """Also wait until the blocked ones of these senders are writable."""
        wanted = {sender.socket.fileno() for sender in senders if sender.blocked}
        for descriptor in wanted ^ self._writing:
            self._epoll.modify(descriptor, select.EPOLLIN | (select.EPOLLOUT if descriptor in wanted else 0))
        self._writing = wanted

    def wait(self, timeout: float) -> list[int]:
        """
        Wait for any event; return the descriptors of senders with input.

        Raises:
            LoadError: If a process of receivers failed, or nothing arrived for 10 seconds.
        """
        readable = []
        events = self._epoll.poll(timeout)
        for descriptor, event in events:
            if descriptor in self._connections:
                self._take(descriptor)
                continue
            if event & select.EPOLLOUT:
                self._senders[descriptor].blocked = False
            if event & ~select.EPOLLOUT:
                readable.append(descriptor)
        now = time.monotonic()
        if events:
            self._moved = now
        elif now - self._moved > _STALLED_SECONDS:
            raise ServerStuck(_STALLED_SECONDS)
        return readable

    def _take(self, descriptor: int) -> None:
        connection = self._connections[descriptor]
        while connection.poll():
            try:
                self._delivered[descriptor] = PROGRESS.unpack(connection.recv_bytes())[0]
            except EOFError:
                self._receivers.raise_failure()
