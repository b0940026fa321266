"""Workers: a few threads, and addresses that take turns."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator

import pytest
from chat_clients import DEADLINE

from pychat.core import worker_pool as module
from pychat.core.worker_pool import Workers, caller, on_behalf_of
from pychat.model.errors import Busy, Refused
from pychat.testing.waiting import wait_until


class Crowd:
    """Threads that wait for workers, which do nothing before `go` is set."""

    def __init__(self, workers: Workers) -> None:
        self.workers = workers
        self.go = threading.Event()
        self.begun = threading.Semaphore(0)
        self.performed: list[str] = []
        self.refused: list[Refused] = []
        self._threads: list[threading.Thread] = []

    def occupy(self) -> None:
        """Let one thread of the workers be at work."""

        def work() -> None:
            self.begun.release()
            self.go.wait(DEADLINE)

        self._start(None, work)
        assert self.begun.acquire(timeout=DEADLINE)

    def wait_for(self, address: Hashable, name: str) -> None:
        """Let somebody of an address wait; returns when it is in the queue."""
        before = self.workers._jobs
        self._start(address, lambda: self.performed.append(name))
        with self.workers._changed:
            assert self.workers._changed.wait_for(lambda: self.workers._jobs > before, DEADLINE)

    def _start(self, address: Hashable, function: Callable[[], object]) -> None:
        def run() -> None:
            try:
                self.workers.run(address, function)
            except Refused as error:
                self.refused.append(error)

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def finish(self) -> None:
        """Wait for all of them."""
        self.go.set()
        self.join()

    def join(self) -> None:
        """Wait for those whose turn is over."""
        for thread in self._threads:
            thread.join(DEADLINE)
            assert not thread.is_alive()


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    """One thread works; it is occupied."""
    crowd = Crowd(Workers(1, "test-workers"))
    crowd.occupy()
    yield crowd
    crowd.finish()
    crowd.workers.cancel()


def test_what_is_returned_and_what_is_raised() -> None:
    """As if the function had been called; on another thread."""
    workers = Workers(1, "test-workers")

    assert workers.run("a", lambda: threading.current_thread().name) == "test-workers"
    with pytest.raises(ZeroDivisionError):
        workers.run("a", lambda: 1 // 0)
    with pytest.raises(SystemExit):
        workers.run("a", lambda: exec("raise SystemExit"))
    assert workers.run("a", int) == 0
    workers.cancel()


def test_addresses_take_turns(crowd: Crowd) -> None:
    """Whoever comes from an address of their own is the next, however many of another one wait."""
    for number in range(4):
        crowd.wait_for("strangers", f"stranger {number}")
    crowd.wait_for("home", "ann")
    crowd.wait_for(None, "bot")

    crowd.finish()

    assert crowd.performed == ["stranger 0", "ann", "bot", "stranger 1", "stranger 2", "stranger 3"]


def test_the_queue_is_bounded_by_address_and_in_all(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    """One address never takes the room of all."""
    monkeypatch.setattr(module, "MOST_OF_ADDRESS", 2)
    monkeypatch.setattr(module, "MOST_WAITING", 4)
    crowd.wait_for("a", "a1")
    crowd.wait_for("a", "a2")

    with pytest.raises(Busy, match=r"^the server is busy; try again in a few seconds$"):
        crowd.workers.run("a", int)
    crowd.wait_for(None, "n1")
    crowd.wait_for(None, "n2")
    with pytest.raises(Busy):
        crowd.workers.run("b", int)


def test_a_turn_that_does_not_come_in_time() -> None:
    """Nobody waits for ever, and nothing of theirs stays in the queue."""
    crowd = Crowd(Workers(1, "test-workers", patience=DEADLINE))
    crowd.occupy()
    crowd.workers._patience = 0.01  # only now, because whoever occupies it waits for its turn, too

    with pytest.raises(Busy):
        crowd.workers.run("a", int)

    assert not crowd.workers._waiting
    assert not crowd.workers._jobs
    crowd.finish()
    crowd.workers._patience = DEADLINE
    assert crowd.workers.run("a", int) == 0
    crowd.workers.cancel()


def test_at_the_end_nobody_waits(crowd: Crowd) -> None:
    """Those whose turn has not come are refused at once; what has begun is finished, and the threads end."""
    crowd.wait_for("a", "late")

    canceller = threading.Thread(target=crowd.workers.cancel)
    canceller.start()
    crowd._threads[1].join(DEADLINE)

    assert [(error.code, str(error)) for error in crowd.refused] == [("shutting_down", "the server is shutting down")]
    crowd.finish()
    canceller.join(DEADLINE)
    with crowd.workers._changed:
        assert crowd.workers._changed.wait_for(lambda: not crowd.workers._threads, DEADLINE)
    assert crowd.performed == []
    assert crowd.workers.run("a", int) == 0


def test_threads_come_when_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One is enough for those who come one after the other; there are never more than allowed."""
    monkeypatch.setattr(module, "_REST_SECONDS", DEADLINE)  # it does not end because the machine is slow
    workers = Workers(2, "test-workers")
    for _ in range(3):
        workers.run("a", int)
        wait_until(lambda: workers._resting, "the thread rests")  # of which it tells nobody
    assert workers._threads == 1
    crowd = Crowd(workers)
    crowd.occupy()
    crowd.occupy()
    crowd.wait_for("a", "third")
    assert workers._threads == 2
    crowd.finish()
    workers.cancel()


def test_threads_end_when_they_have_rested(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server where nobody logs in has none of them."""
    monkeypatch.setattr(module, "_REST_SECONDS", 0.0)
    workers = Workers(2, "test-workers")

    assert workers.run("a", int) == 0

    with workers._changed:
        assert workers._changed.wait_for(lambda: not workers._threads, DEADLINE)


def test_no_thread_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any thread nobody is let wait; with one the others do without."""

    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    workers = Workers(2, "test-workers")
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        with pytest.raises(Busy):
            workers.run("a", int)
    assert not workers._jobs
    assert workers.run("a", int) == 0
    workers.cancel()


def test_on_whose_behalf() -> None:
    """What is said for a thread is over with its block, and is nothing for other threads."""
    seen: list[Hashable] = []
    with on_behalf_of("a"):
        with on_behalf_of("b"):
            assert caller() == "b"
        thread = threading.Thread(target=lambda: seen.append(caller()))
        thread.start()
        thread.join(DEADLINE)
        assert caller() == "a"
    assert (caller(), seen) == (None, [None])
