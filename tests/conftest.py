"""What all tests share, beside the fixtures of `pytest_pychat.py`: bare servers, and clients that always close."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chat_clients import DEADLINE, Clients, ignore_other_threads
from chat_programs import user_environment
from fork_server import ForkServer
from hypothesis import HealthCheck, settings

from pychat import ChatServer
from pychat.core.waiting import is_on_loop
from pychat.testing import ChatHarness, MakeChat
from pychat.transport import greeting

os.environ["TZ"] = "UTC"  # people read local times, and exact texts are asserted
time.tzset()

# How long an example takes, to be made or to be tried, says more about the machine than about the code.
# Where CI is set, the examples are the same in every run: a change is judged by what it changes.
settings.register_profile(
    "pychat", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("pychat")


def pytest_collection_finish() -> None:
    """
    Keep the garbage collector from walking through thousands of collected tests again and again.

    That takes more CPU time than a session may use for a query, and the server would take it for work of the session
    on whose thread it happens.
    """
    gc.collect()
    gc.freeze()


MakeServer = Callable[..., ChatServer]


@pytest.fixture(autouse=True)
def own_threads() -> None:
    """Threads that a test counts are its own."""
    ignore_other_threads()


@pytest.fixture(autouse=True)
def patient_stop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Let servers with a file end in order, also if the machine is busy for seconds: the file is opened again at once.

    A server that does not end within its two seconds leaves its file to the thread that writes.
    """
    if hasattr(request.module, "SqliteLog"):
        monkeypatch.setattr("pychat.server._STOP_SECONDS", DEADLINE)


@pytest.fixture(autouse=True)
def nobody_waits_on_the_loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The thread that serves everybody passes that on before it blocks (`core/waiting.py`), whatever a test does."""
    waits: list[str] = []
    wait = threading.Condition.wait

    def watched(condition: threading.Condition, timeout: float | None = None) -> bool:
        # A thread that was started has begun in no time.
        if is_on_loop() and timeout != 0 and sys._getframe(2).f_code is not threading.Thread.start.__code__:
            waits.append("".join(traceback.format_stack()))
        return wait(condition, timeout)

    monkeypatch.setattr(threading.Condition, "wait", watched)
    yield
    assert not waits, waits[0]


@pytest.fixture
def unprompted(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Let servers ask nobody for a nickname who is silent at first.

    For tests of first bytes that come in pieces: on a busy machine there may be such a silence before them, and then
    another one between two pieces, and that is what the classic client looks like.
    """
    for seconds in ("PROMPT_SECONDS", "PATIENT_SECONDS"):
        monkeypatch.setattr(greeting, seconds, 3600.0)


@pytest.fixture
def server(chat_server: MakeChat, request: pytest.FixtureRequest) -> Iterator[MakeServer]:
    """Return a function that starts servers, on free ports; takes what `ChatServer` takes."""
    started: list[ChatHarness] = []

    def start(**options: Any) -> ChatServer:
        started.append(chat_server(**options))
        return started[-1].server

    yield start
    if "caplog" in request.fixturenames:  # then the test looks at the log itself
        for chat in reversed(started):
            chat.close()  # at its end, too, it may tell of what the test has broken
            chat.errors.clear()


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer | None]:
    """Return what starts `pychat` without importing it again, if this system and the user let it."""
    if not hasattr(os, "pidfd_open") or "PYCHAT_TESTS_EXEC" in os.environ:
        yield None
        return
    forking = ForkServer(user_environment())
    yield forking
    forking.close()


@pytest.fixture
def clients(server: MakeServer) -> Iterator[Clients]:
    """Return what connects clients; they are closed before the servers are stopped."""
    with Clients() as made:
        yield made
