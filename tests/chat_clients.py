"""Small clients over raw sockets, for the tests: every read has a deadline, and nothing sleeps."""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final, TypeVar

from pychat import ChatServer, StoredAccounts, testing
from pychat.core.accounts.password_hash import Cost
from pychat.core.handler import Handler
from pychat.handlers import Broadcast, Commands, History, JoinLeaveNotices, NicknameValidator
from pychat.protocols.detect import behind_prompt

__all__ = [
    "CHEAP",
    "DEADLINE",
    "Clients",
    "JsonPeer",
    "Peer",
    "free_port",
    "full_chain",
    "ignore_other_threads",
    "make_accounts",
    "pychat_threads",
    "refusing_port",
    "wait_until",
]

DEADLINE: Final = 30.0
"""As `pychat.testing.DEADLINE`, for whole programs on a machine that is busy with other things."""


def wait_until(holds: Callable[[], object], what: str, timeout: float = DEADLINE) -> None:
    """As `pychat.testing.wait_until`."""
    __tracebackhide__ = True
    testing.wait_until(holds, what, timeout)


def free_port() -> int:
    """
    Return a port on which nobody listens, and which the system gives to nobody who wants any.

    So it stays free while a server that was there is started anew, whatever other tests start meanwhile, those of
    another Python included: the same port of UDP is taken for a while, as a sign for them.
    """
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        sign = socket.socket(type=socket.SOCK_DGRAM)
        try:
            sign.bind(("127.0.0.1", port))
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            sign.close()
            continue
        _signs.append(sign.detach())  # for the rest of the tests
        if len(_signs) > _MOST_SIGNS:
            os.close(_signs.popleft())
        return port


_signs: deque[int] = deque()
_MOST_SIGNS: Final = 20
"""No test needs more ports than this."""


@contextmanager
def refusing_port() -> Iterator[int]:
    """Yield a port on which nobody listens; it is taken meanwhile, so that nobody else can begin to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


_others: set[threading.Thread] = set()


def ignore_other_threads() -> None:
    """The threads that there are belong to tests before this one: a chat without a server ends when nobody has it."""
    _others.clear()
    _others.update(threading.enumerate())


def pychat_threads() -> list[threading.Thread]:
    """The threads of servers and sessions that have begun in this test and are alive."""
    return [one for one in threading.enumerate() if one.name.startswith("pychat") and one not in _others]


CHEAP: Final = Cost(2, 1, 1)


def make_accounts(**options: Any) -> StoredAccounts:
    """Accounts whose passwords are hashed at once; by default, each takes 0.1 s of a processor."""
    return StoredAccounts(**{"cost": CHEAP, "iterations": 1, **options})


def full_chain() -> list[Handler]:
    """The handlers that `pychat serve` uses, but for flood control."""
    return [NicknameValidator(), JoinLeaveNotices(), History(), Broadcast(), Commands()]


class Peer(testing.Peer):
    """A socket that knows nothing of chats, connected to a server of these tests."""

    def __init__(self, server: ChatServer | tuple[str, int], *, receive_buffer: int | None = None) -> None:
        address: Any = server if isinstance(server, tuple) else server.server_address
        if isinstance(address, str):
            address = (address, None)  # a Unix socket
        super().__init__(*address[:2], deadline=DEADLINE, receive_buffer=receive_buffer)

    # Whoever says nothing for 0.3 s is asked for a nickname, which on a busy machine may be anybody. What is read by
    # its lines, or up to the end, is without that; `read_exactly` reads it.

    def read_line(self) -> str:
        """Return the next line without its newline."""
        line = super().read_line()
        if line.startswith(("NICKNAME wanted: ", "NAME wanted: ")):  # the second one if NICK was read before
            line = super().read_line()
        return line.removeprefix("NICK")

    def read_rest(self) -> bytes:
        """Return everything up to the end of the stream, also if that is a reset."""
        return behind_prompt(super().read_rest())


class JsonPeer(Peer):
    """One that speaks JSON lines."""

    def ask(self, type: str, **fields: Any) -> None:
        """Send a request."""
        self.send(json.dumps({"type": type, **fields}) + "\n")

    def read(self) -> dict[str, Any]:
        """Return the next object."""
        item: dict[str, Any] = json.loads(self.read_line())
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
