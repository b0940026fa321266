"""
Measure traffic in many rooms at once, whose members are in several of them, beside as many deliveries in one room.

All members and senders are in this process, and speak IRC. Members who are in the same rooms receive the same bytes, so
each such group has a record (`check.py`). The loop is closed: at most a window is on the way to the slowest member.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import Final

from benchmarks.check import MARK, Follower, Record, numbered_lines
from benchmarks.errors import LoadError, ServerStuck
from benchmarks.languages import Irc, Language, Lines, pongs
from benchmarks.load import Throughput, difference
from benchmarks.senders import Load
from benchmarks.servers import Server
from benchmarks.wire import BUFFER_BYTES, QUIET_SECONDS, Address, Listeners, enter

_STUCK_SECONDS: Final = 10.0
_CHUNK_BYTES: Final = 32_768


@dataclass(frozen=True)
class Layout:
    """Who is where: members in some rooms each, evenly, and further members who each talk in one room."""

    members: int
    rooms: int
    each: int
    """The number of rooms that a member is in."""
    senders: int

    def __str__(self) -> str:
        rooms = "1 room" if self.rooms == 1 else f"{self.rooms} rooms"
        return f"{rooms}, {self.each} each"

    def rooms_of(self, member: int) -> tuple[int, ...]:
        """Return the rooms of a member: neighbours, so that every room has equally many members."""
        return tuple(sorted((member + step) % self.rooms for step in range(self.each)))

    def room_of(self, sender: int) -> int:
        """Return the room in which a sender talks."""
        return sender % self.rooms

    @property
    def deliveries(self) -> int:
        """Deliveries if every sender sends one message, those to the other senders included."""
        there = [sum(room in self.rooms_of(member) for member in range(self.members)) for room in range(self.rooms)]
        talking = [self.room_of(sender) for sender in range(self.senders)]
        return sum(there[room] + talking.count(room) - 1 for room in talking)


def rooms(server: Server, layout: Layout, load: Load) -> Throughput:
    """
    Load all rooms once.

    Raises:
        LoadError: If a message is missing, repeated, damaged or out of order, or went to somebody who is not there.
    """
    with ExitStack() as stack:
        senders = [
            _Sender(stack, server.address, number, layout.room_of(number), load) for number in range(layout.senders)
        ]
        groups: dict[tuple[int, ...], list[int]] = {}
        for member in range(layout.members):
            groups.setdefault(layout.rooms_of(member), []).append(member)
        heard = [
            _Group(stack, server.address, members, places, [one for one in senders if one.room in places], load)
            for places, members in groups.items()
        ]
        everybody = [sock for sender in senders for sock in sender.sockets]
        everybody += [sock for group in heard for sock in group.sockets]
        Listeners(everybody, _language(0)).drain(QUIET_SECONDS)
        return _Round(server, senders, heard, load).run()


def _language(*places: int) -> Language:
    return Irc(*(b"#room%03d" % place for place in places))


class _Sender:
    """A member who talks in one room, and hears what others say there."""

    def __init__(self, stack: ExitStack, address: Address, number: int, room: int, load: Load) -> None:
        self.name, self.room = f"s{number:03d}", room
        language = _language(room)
        self.sockets = enter(address, [self.name], language=language)
        stack.callback(self.sockets[0].close)
        self.line_bytes = len(language.line(b"")) + load.text_bytes
        self.payload = memoryview(numbered_lines(load.messages, load.text_bytes, language))
        self.offset = 0
        self.heard = 0
        self._language = language
        self._lines = Lines()

    @property
    def said(self) -> int:
        """Messages of which at least a part is sent."""
        return -(-self.offset // self.line_bytes)

    def send(self, size: int) -> None:
        """Send as many of the next bytes as the socket accepts, at most `size`."""
        try:
            self.offset += self.sockets[0].send(self.payload[self.offset : self.offset + size])
        except BlockingIOError:
            return

    def finish_line(self) -> bool:
        """Send the rest of an unfinished line; return whether none is left."""
        self.send(self.said * self.line_bytes - self.offset)
        return self.offset == self.said * self.line_bytes

    def read(self, sock: socket.socket, buffer: memoryview) -> None:
        size = _receive(sock, buffer, self.name)
        self.heard += bytes(buffer[:size]).count(MARK)
        if answers := pongs(self._language, self._lines.whole(buffer[:size])):
            if not self.finish_line():
                raise LoadError(f"{self.name}: a ping could not be answered in the middle of a line")
            sock.sendall(answers)


class _Group:
    """Members who are in the same rooms."""

    def __init__(
        self,
        stack: ExitStack,
        address: Address,
        members: Sequence[int],
        places: Sequence[int],
        senders: Sequence[_Sender],
        load: Load,
    ) -> None:
        names = [f"m{member:04d}" for member in members]
        language = _language(*places)
        self.sockets = enter(address, names, language=language)
        for sock in self.sockets:
            stack.callback(sock.close)
        self.senders = senders
        self._text_bytes = load.text_bytes
        self._record = Record(language)
        self._followers = [Follower(name, language) for name in names]
        self._by_socket = dict(zip(self.sockets, self._followers, strict=True))

    @property
    def on_the_way(self) -> int:
        """Bytes, as they were sent, that the slowest member has not received yet."""
        sent = sum(sender.offset for sender in self.senders)
        if not self._record.messages:
            return sent
        line_bytes = len(self._record.data) / self._record.messages
        slowest = min(follower.position for follower in self._followers)
        return sent - int(slowest / line_bytes * self.senders[0].line_bytes)

    def read(self, sock: socket.socket, buffer: memoryview) -> None:
        follower = self._by_socket[sock]
        size = _receive(sock, buffer, follower.name)
        if size:
            follower.hear(buffer[:size], self._record, self._text_bytes)
        if follower.answers:
            sock.sendall(follower.answers)
            follower.answers = b""

    def is_complete(self) -> bool:
        messages = sum(sender.said for sender in self.senders)
        return all(follower.is_complete(self._record, messages) for follower in self._followers)

    def check(self) -> tuple[int, list[str]]:
        """Check every line; return how many members heard the senders in another order, and the notices."""
        totals = {sender.name: sender.said for sender in self.senders}
        differing = [follower.checker for follower in self._followers if follower.checker is not None]
        for checker in differing:
            checker.finish(totals)
        return len(differing), self._record.check("a group of members", self._text_bytes, totals)


class _Round:
    """Everybody in one loop."""

    def __init__(self, server: Server, senders: Sequence[_Sender], groups: Sequence[_Group], load: Load) -> None:
        self._server, self._senders, self._groups, self._load = server, senders, groups, load
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        parts: list[_Sender | _Group] = [*senders, *groups]
        self._readers = {sock.fileno(): (part, sock) for part in parts for sock in part.sockets}
        self._moved = time.monotonic()

    def run(self) -> Throughput:
        """Send until everything or the time is over, wait until everybody has everything, and check it."""
        cpu, own_cpu, started = self._server.cpu(), time.process_time(), time.monotonic()
        with select.epoll() as epoll:
            for descriptor in self._readers:
                epoll.register(descriptor, select.EPOLLIN)
            while time.monotonic() < started + self._load.seconds and not all(
                sender.offset == len(sender.payload) for sender in self._senders
            ):
                self._send()
                self._read(epoll, 0.001)
            while not all(sender.finish_line() for sender in self._senders) or not self._is_complete():
                self._read(epoll, 0.001)
        seconds = self._moved - started
        spent, own = difference(self._server.cpu(), cpu), time.process_time() - own_cpu
        checked = [group.check() for group in self._groups]
        said = sum(sender.said for sender in self._senders)
        deliveries = sum(sender.heard for sender in self._senders) + sum(
            len(group.sockets) * sum(sender.said for sender in group.senders) for group in self._groups
        )
        notices = list(chain.from_iterable(notices for _, notices in checked))
        return Throughput(said, deliveries, seconds, spent, own, sum(differing for differing, _ in checked), notices)

    def _send(self) -> None:
        """Let every sender send its part of the room that the slowest of its listeners leaves in the window."""
        left = {id(group): (self._load.window - group.on_the_way) // len(group.senders) for group in self._groups}
        for sender in self._senders:
            size = min([left[id(group)] for group in self._groups if sender in group.senders], default=_CHUNK_BYTES)
            if size > 0:
                sender.send(min(size, _CHUNK_BYTES))

    def _is_complete(self) -> bool:
        for sender in self._senders:
            others = sum(one.said for one in self._senders if one.room == sender.room and one is not sender)
            if sender.heard > others:
                raise LoadError(f"{sender.name} heard {sender.heard} messages, the others sent {others}")
            if sender.heard < others:
                return False
        return all(group.is_complete() for group in self._groups)

    def _read(self, epoll: select.epoll, timeout: float) -> None:
        """Read once from everybody for whom there is something."""
        ready = epoll.poll(timeout, len(self._readers))
        for descriptor, _ in ready:
            part, sock = self._readers[descriptor]
            part.read(sock, self._buffer)
        if ready:
            self._moved = time.monotonic()
        elif time.monotonic() > self._moved + _STUCK_SECONDS:
            raise ServerStuck(_STUCK_SECONDS)


def _receive(sock: socket.socket, buffer: memoryview, name: str) -> int:
    try:
        size = sock.recv_into(buffer)
    except BlockingIOError:
        return 0
    except OSError as error:
        raise LoadError(f"{name}: {error}") from error
    if not size:
        raise LoadError(f"{name}: the server closed the connection")
    return size
