"""What all tests share: servers that always stop, clients that always close, and no thread that is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from chat_clients import DEADLINE, Clients, pychat_threads
from hypothesis import settings

from pychat import ChatServer

# How long an example takes says more about the machine than about the code.
settings.register_profile("pychat", deadline=None)
settings.load_profile("pychat")

MakeServer = Callable[..., ChatServer]


@pytest.fixture
def server() -> Iterator[MakeServer]:
    """Return a function that starts servers, on free ports; takes what `ChatServer` takes."""
    with ExitStack() as stack:

        def start(**options: object) -> ChatServer:
            started = ChatServer(**{"port": 0, **options})  # type: ignore[arg-type]
            stack.callback(started.stop)
            return started.start()

        yield start
    for thread in pychat_threads():
        thread.join(DEADLINE)
    assert pychat_threads() == []


@pytest.fixture
def clients(server: MakeServer) -> Iterator[Clients]:
    """Return what connects clients; they are closed before the servers are stopped."""
    with Clients() as made:
        yield made
