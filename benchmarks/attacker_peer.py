"""The tools of an attack: connections of the attacker, and the steps that they wait for."""

from __future__ import annotations

import json
import random
import select
import socket
import struct
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from benchmarks.wire import BUFFER_BYTES

if TYPE_CHECKING:
    from benchmarks.attacker import Actor, Loop

WAITING_BYTES: Final = 65_536
"""Limit of unsent bytes per connection; anything more from an attack is dropped."""
_KEPT_BYTES: Final = 16_384  # of the last bytes received
_READS_IN_A_TURN: Final = 4
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
_REFUSALS: Final = (b"too many connections", b"too many new connections", b"server full")

Step: TypeAlias = "float | Until"
Steps: TypeAlias = Generator[Step, bytes | None, None]
Heard: TypeAlias = Generator[Step, bytes | None, bytes | None]


class AttackFunction(Protocol):
    """The function of an attack."""

    def __call__(self, eve: Attacker) -> Steps:
        """Attack once, or for ever."""


@dataclass(frozen=True)
class Until:
    """Wait for these bytes from a peer, up to `seconds` seconds."""

    peer: Peer
    needle: bytes
    seconds: float


class Peer:
    """One connection of the attacker, from the address in its PROXY line."""

    def __init__(self, loop: Loop, address: str, reads: bool, receive_buffer: int | None) -> None:
        self._loop = loop
        self._reads = reads
        self._waiting = bytearray(f"PROXY TCP4 {address} 127.0.0.1 40000 {loop.task.server[1]}\r\n".encode())
        self.tail = b""
        """The last bytes received."""
        self.heard_bytes = 0
        self.alive = True
        self.refused = False
        self.actor: Actor | None = None
        """The actor that waits for `needle`."""
        self.needle = b""
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setblocking(False)
        self.socket.connect_ex(loop.task.server)
        self._events = select.EPOLLOUT
        loop.add(self)

    def send(self, data: bytes | str) -> None:
        """Send data, unless too much is pending: a server that reads slowly slows down the attacker."""
        if len(self._waiting) < WAITING_BYTES:
            self._waiting += data.encode() if isinstance(data, str) else data
            self._want()

    def say(self, **request: Any) -> None:
        """Send a line of JSON."""
        self.send(json.dumps(request) + "\n")

    def until(self, needle: bytes, seconds: float = 10.0) -> Heard:
        """Wait for these bytes; return the last bytes received, None on timeout or at the end of the connection."""
        return (yield Until(self, needle, seconds))

    def ask(self, data: bytes | str, needle: bytes, seconds: float = 10.0) -> Heard:
        """Send data, and wait for the needle."""
        self.tail = b""
        self.send(data)
        return (yield Until(self, needle, seconds))

    def read_from_now_on(self, reads: bool) -> None:
        """Start or stop reading."""
        self._reads = reads
        self._want()

    def reset(self) -> None:
        """Reset the connection, as a restarting router does."""
        with suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self.alive:
            self.alive = False
            self._loop.remove(self)
            self.socket.close()

    def handle(self, events: int) -> None:
        """Send and read as much as possible."""
        try:
            if events & select.EPOLLOUT and self._waiting:
                self._write()
            if self._reads and events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                self._read()
            elif events & (select.EPOLLHUP | select.EPOLLERR):
                self._end()
        except BlockingIOError:
            pass
        except OSError:
            self._end()
        else:
            self._want()

    def _write(self) -> None:
        allowed = self._loop.allowance()
        if allowed > 0:
            with memoryview(self._waiting)[:allowed] as piece:
                sent = self.socket.send(piece)
            del self._waiting[:sent]
            self._loop.spent.sent += sent

    def _read(self) -> None:
        for _ in range(_READS_IN_A_TURN):
            got = self.socket.recv_into(self._loop.buffer)
            if not got:
                self._end()
                return
            self._loop.spent.received += got
            self.heard_bytes += got
            self.tail = (self.tail + self._loop.buffer[max(0, got - _KEPT_BYTES) : got].tobytes())[-_KEPT_BYTES:]
            if self.actor is not None and self.needle in self.tail:
                self._loop.wake(self.actor, self.tail)
            if got < BUFFER_BYTES:
                return

    def _end(self) -> None:
        if any(refusal in self.tail for refusal in _REFUSALS):
            self.refused = True
            self._loop.spent.refused += 1
        else:
            self._loop.spent.ended += 1
        self.close()
        if self.actor is not None:
            self._loop.wake(self.actor, None)

    def _want(self) -> None:
        if not self.alive:
            return
        events = (select.EPOLLIN if self._reads else 0) | (select.EPOLLOUT if self._waiting else 0)
        if events != self._events:
            self._events = events
            self._loop.epoll.modify(self.socket, events)


class Attacker:
    """The state of an attack: its address, its targets, and its connections, which end with it."""

    def __init__(self, loop: Loop, address: str, chance: random.Random) -> None:
        self._loop = loop
        self.address = address
        self.chance = chance
        self.task = loop.task
        self.peers: list[Peer] = []

    def name(self) -> str:
        """Return an unused nickname or room name."""
        return f"e{next(self._loop.numbers)}"

    def garbage(self, count: int = 8) -> str:
        """Return random hexadecimal digits."""
        return self.chance.randbytes(count).hex()

    def room(self) -> str:
        """Return a room of honest members."""
        return self.chance.choice(self.task.rooms)

    def victim(self) -> str:
        """Return the nickname of an honest member."""
        return self.chance.choice(self.task.victims)

    def won(self, what: str) -> None:
        """Record that the attacker did something that must be impossible."""
        self._loop.spent.won[what] += 1

    def connect(self, reads: bool = True, receive_buffer: int | None = None) -> Peer:
        """Connect, and send nothing."""
        peer = Peer(self._loop, self.address, reads, receive_buffer)
        self.peers = [other for other in self.peers if other.alive or other.refused] + [peer]
        return peer

    def json(self, **hello: Any) -> Generator[Step, bytes | None, Peer]:
        """Register by JSON; if refused, the returned peer has ended."""
        peer = self.connect()
        request = {"type": "hello", "nick": self.name(), "rooms": [self.room()], **hello}
        yield from peer.ask(json.dumps(request) + "\n", b'"limits"')
        return peer

    def irc(self, *capabilities: str, room: str | None = None) -> Generator[Step, bytes | None, Peer]:
        """Register by IRC, and join a room if one is given."""
        peer = self.connect()
        begin, end = (f"CAP REQ :{' '.join(capabilities)}\r\n", "CAP END\r\n") if capabilities else ("", "")
        yield from peer.ask(f"{begin}NICK {self.name()}\r\nUSER eve 0 * :eve\r\n{end}", b" 422 ")
        if room is not None:
            yield from peer.ask(f"JOIN #{room}\r\n", b" 366 ")
        return peer

    def text(self, room: str | None = None) -> Generator[Step, bytes | None, Peer]:
        """Register by plain text, and join a room if one is given."""
        peer = self.connect()
        yield from peer.ask(f"{self.name()}\n", b"welcome")
        if room is not None:
            yield from peer.ask(f"/join {room}\n", b"in " + room.encode())
        return peer
