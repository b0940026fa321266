"""
The fixtures of pychat. pytest loads this module, by its entry point, wherever pychat is installed.

So it lies beside the package, not in it: importing any part of pychat imports the chat server, which test suites that
have none shall not pay for. The fixtures import it when they are used. docs/testing.md tells how to use them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pychat.testing import ChatHarness, FakeClock, MakeChat


@pytest.fixture
def chat_server() -> Iterator[MakeChat]:
    """Return a function that starts chat servers, with handlers, limits and whatever else `ChatServer` takes."""
    from pychat.testing import chat_servers

    with chat_servers() as make:
        yield make


@pytest.fixture
def chat(chat_server: MakeChat) -> ChatHarness:
    """Run a chat server with the default handlers."""
    return chat_server()


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that stands still until it is moved, for `chat_server(clock=clock)`."""
    from pychat.testing import FakeClock

    return FakeClock()
