"""What a client of the tests may talk to: a server, or one that follows a script."""

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
from pychat.model.limits import Limits
from pychat.model.replies import PongReply, Welcome
from pychat.protocols.base import Item
from pychat.protocols.jsonl.protocol import JsonDialect

MakeServer = Callable[..., ChatServer]
MakeClient = Callable[..., ChatClient]


@pytest.fixture
def join(server: MakeServer) -> Iterator[MakeClient]:
    """Return a function that connects clients; it takes what `ChatClient` takes, but for the host."""
    with ExitStack() as stack:

        def connect(port: int, nick: str, **options: Any) -> ChatClient:
            return stack.enter_context(ChatClient(port=port, nick=nick, **options))

        yield connect


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
        with suppress(OSError):  # a client that had no time for the answer is gone
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
