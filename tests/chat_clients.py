"""Small clients over raw sockets, for the tests: every read has a deadline, and nothing sleeps."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, TypeVar

from pychat import ChatServer
from pychat.core.handler import Handler
from pychat.handlers import Broadcast, Commands, History, JoinLeaveNotices, NicknameValidator

DEADLINE = 10.0
"""Seconds after which whatever a test waits for is taken for lost: a limit, not a delay."""


def pychat_threads() -> list[threading.Thread]:
    """The threads of servers and sessions that are alive."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("pychat")]


def full_chain() -> list[Handler]:
    """The handlers that `pychat serve` uses, but for flood control."""
    return [NicknameValidator(), JoinLeaveNotices(), History(), Broadcast(), Commands()]


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Wait for something that nobody announces, yielding to other threads meanwhile."""
    deadline = time.monotonic() + DEADLINE
    gate = threading.Event()
    while not holds():
        assert time.monotonic() < deadline, f"not within {DEADLINE} s: {what}"
        gate.wait(0.001)


class Peer:
    """A socket that knows nothing of chats."""

    def __init__(self, server: ChatServer | tuple[str, int], *, receive_buffer: int | None = None) -> None:
        address = server if isinstance(server, tuple) else server.server_address[:2]
        self.socket = socket.socket(socket.AF_INET6 if ":" in str(address[0]) else socket.AF_INET)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(address)
        self.buffer = b""

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
        try:
            while True:
                self._read_more()
        except (EOFError, ConnectionResetError):
            pass
        data, self.buffer = self.buffer, b""
        return data

    def end_sending(self) -> None:
        """Let the server see the end of the stream; what it says can still be read."""
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close as any program does that ends."""
        self.socket.close()

    def reset(self) -> None:
        """Vanish: the server's side gets a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _read_more(self) -> None:
        data = self.socket.recv(65_536)
        if not data:
            raise EOFError(f"the server closed the connection after {self.buffer!r}")
        self.buffer += data


class JsonPeer(Peer):
    """One that speaks JSON lines."""

    def ask(self, type: str, **fields: Any) -> None:
        """Send a request."""
        self.send(json.dumps({"type": type, **fields}) + "\n")

    def read(self) -> dict[str, Any]:
        """Return the next object."""
        item: dict[str, Any] = json.loads(self.read_line().removeprefix("NICK"))
        return item

    def next(self, type: str) -> dict[str, Any]:
        """Return the next object of this type; what comes before it is dropped."""
        return self.until(type)[-1]

    def until(self, type: str, **fields: Any) -> list[dict[str, Any]]:
        """Return the next objects, up to and with the first of this type that has these fields."""
        items = [self.read()]
        while items[-1]["type"] != type or any(items[-1].get(name) != value for name, value in fields.items()):
            items.append(self.read())
        return items

    def answer(self, type: str, **fields: Any) -> dict[str, Any]:
        """Ask, and return what carries the request's `ref`; what comes before it is dropped."""
        self.ask(type, ref="asked", **fields)
        item = self.read()
        while item.get("ref") != "asked":
            item = self.read()
        return item


P = TypeVar("P", bound=Peer)


class Clients:
    """Connects clients, and closes all of them at the end."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Clients:
        return self

    def __exit__(self, *args: object) -> None:
        self._stack.close()

    def raw(self, server: ChatServer | tuple[str, int], *, receive_buffer: int | None = None) -> Peer:
        """One that has sent nothing yet."""
        return self.add(Peer(server, receive_buffer=receive_buffer))

    def add(self, peer: P) -> P:
        """Let a client be closed at the end."""
        self._stack.callback(peer.close)
        return peer

    def text(self, server: ChatServer | tuple[str, int], nickname: str, *, receive_buffer: int | None = None) -> Peer:
        """A member that speaks text, when its join is over, for others too."""
        peer = self.raw(server, receive_buffer=receive_buffer)
        peer.send(f"{nickname}\n/who\n")
        peer.read_until("-- in ")
        return peer

    def new_json(self, server: ChatServer | tuple[str, int], *, receive_buffer: int | None = None) -> JsonPeer:
        """One that will speak JSON."""
        return self.add(JsonPeer(server, receive_buffer=receive_buffer))

    def json(self, server: ChatServer | tuple[str, int], nickname: str, **hello: Any) -> JsonPeer:
        """A member that speaks JSON, when its join is over, for others too."""
        peer = self.new_json(server)
        peer.ask("hello", nick=nickname, **hello)
        peer.answer("who")
        return peer
