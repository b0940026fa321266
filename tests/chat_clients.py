"""Small clients over raw sockets, for the tests: every read has a deadline, and nothing sleeps."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack
from typing import Any, TypeVar

from pychat import ChatServer, testing
from pychat.core.handler import Handler
from pychat.handlers import Broadcast, Commands, History, JoinLeaveNotices, NicknameValidator
from pychat.testing import DEADLINE, wait_until

__all__ = ["DEADLINE", "Clients", "JsonPeer", "Peer", "full_chain", "pychat_threads", "wait_until"]


def pychat_threads() -> list[threading.Thread]:
    """The threads of servers and sessions that are alive."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("pychat")]


def full_chain() -> list[Handler]:
    """The handlers that `pychat serve` uses, but for flood control."""
    return [NicknameValidator(), JoinLeaveNotices(), History(), Broadcast(), Commands()]


class Peer(testing.Peer):
    """A socket that knows nothing of chats, connected to a server of these tests."""

    def __init__(self, server: ChatServer | tuple[str, int], *, receive_buffer: int | None = None) -> None:
        address: Any = server if isinstance(server, tuple) else server.server_address
        if isinstance(address, str):
            address = (address, None)  # a Unix socket
        super().__init__(*address[:2], receive_buffer=receive_buffer)


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
