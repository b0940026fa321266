"""What is between a client and its server, for the tests: a network that breaks, a server that follows a script."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from chat_clients import DEADLINE

from pychat import ChatServer
from pychat.client import ChatClient
from pychat.core.limits import Limits
from pychat.core.replies import PongReply, Welcome
from pychat.protocols.base import Item
from pychat.protocols.jsonlines import JsonDialect

MakeServer = Callable[..., ChatServer]
MakeClient = Callable[..., ChatClient]


@pytest.fixture
def join(server: MakeServer) -> Iterator[MakeClient]:
    """Return a function that connects clients; it takes what `ChatClient` takes, but for the host."""
    with ExitStack() as stack:

        def connect(port: int, nick: str, **options: Any) -> ChatClient:
            return stack.enter_context(ChatClient(port=port, nick=nick, **options))

        yield connect


@pytest.fixture
def proxy() -> Iterator[Callable[[int], Proxy]]:
    """Return a function that makes a proxy before a port."""
    with ExitStack() as stack:

        def make(port: int) -> Proxy:
            made = Proxy(port)
            stack.callback(made.close)
            return made

        yield make


class Proxy:
    """Stands between clients and a server, and can cut what it has joined, as a bad network does."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._pairs += [near, far]
            for source, sink in ((near, far), (far, near)):
                self._threads.append(threading.Thread(target=self._copy, args=(source, sink), daemon=True))
                self._threads[-1].start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self) -> None:
        """Break every connection, so that both sides see it."""
        pairs, self._pairs = self._pairs, []
        for end in pairs:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        """Cut everything, and take no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(DEADLINE)


class Script:
    """A server that says what a test wants: once a client has said hello, the items; then what `say` is given."""

    def __init__(self, *items: Item, raw: bytes | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._answer = JsonDialect().encode(items) if raw is None else raw
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.socket, _ = self._listener.accept()
        self.socket.settimeout(DEADLINE)
        self.lines = self.socket.makefile("rb")
        self.lines.readline()
        self.socket.sendall(self._answer)
        for line in self.lines:
            request = json.loads(line)
            if request["type"] == "ping":
                self.say(PongReply(request["ref"], ""))
                return

    def say(self, *items: Item, raw: bytes = b"") -> None:
        """Send more."""
        self.socket.sendall(JsonDialect().encode(items) + raw)

    def close(self) -> None:
        """End the connection."""
        self._thread.join(DEADLINE)
        self.lines.close()
        self.socket.close()
        self._listener.close()


@pytest.fixture
def script() -> Iterator[Callable[..., Script]]:
    """Return a function that starts scripted servers."""
    with ExitStack() as stack:

        def start(*items: Item, raw: bytes | None = None) -> Script:
            started = Script(*items, raw=raw)
            stack.callback(started.close)
            return started

        yield start


WELCOME = Welcome(1, "fake", "ann", "secret", Limits())
