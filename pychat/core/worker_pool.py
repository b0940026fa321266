"""
A few threads for work that takes much time or memory, with a queue that is fair between addresses.

A session blocks until its work is done, as if it did the work itself. But the work of all sessions together never uses
more CPUs than there are threads here, and freed memory that the C library keeps per thread is kept only for these
threads, not for every session's.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final, TypeVar

from pychat.core.waiting import before_wait
from pychat.model.errors import Busy, Refused, Stopped

T = TypeVar("T")

logger = logging.getLogger("pychat")

MOST_WAITING: Final = 1000
"""The maximum number of waiting jobs."""
MOST_OF_ADDRESS: Final = 128
"""The maximum number of waiting jobs per address: more than the default limit of its connections."""
PATIENCE_SECONDS: Final = 60.0
"""The maximum time that a job waits for its turn."""
_REST_SECONDS: Final = 2.0
"""How long an idle thread waits for more work before it ends."""
_LAST_SECONDS: Final = 0.5
"""How long the end of the server waits for running jobs."""


class _Job:
    """One call of a function, by one of the threads for the one that waits."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self.over = threading.Event()
        """Set when there is a result or an error."""
        self.result: Any = None
        self.error: BaseException | None = None

    def perform(self) -> None:
        try:
            self.result = self._function()
        except BaseException as error:  # it is raised again on the thread that waits, whatever it is
            self.error = error
        self.over.set()

    def refuse(self, error: Refused) -> None:
        """Release the waiting thread with an error: the job will not be performed."""
        self.error = error
        self.over.set()


class Workers:
    """
    Runs functions on a bounded number of daemon threads, with the addresses taking turns.

    Threads start when needed and end after a while without work. May be used from any thread that holds no lock.
    """

    stand_back: ClassVar[Callable[[], None]] = staticmethod(lambda: None)
    """Called on each background thread before anything else. A program may replace it."""

    def __init__(
        self,
        threads: int,
        name: str,
        *,
        patience: float = PATIENCE_SECONDS,
        pause: float = 0.0,
        background: bool = False,
    ) -> None:
        """
        Args:
            name: The name of the threads.
            patience: The seconds that a function may wait for its turn.
            pause: How long a thread rests after a function, as a multiple of the time it took, so that many requests at
                once leave most of the interpreter to other threads.
            background: True if the threads run at a lower priority than all others of the process, if the program
                provides that (`stand_back`); for work that does not hold the interpreter.
        """
        self._pause, self._background = pause, background
        self._most, self._name, self._patience = threads, name, patience
        # Guards the queue and the thread counts; a leaf lock: nothing is called under it.
        self._changed = threading.Condition()
        self._waiting: dict[Hashable, deque[_Job]] = {}
        """Jobs by address, the address whose turn it is first. No queue is empty."""
        self._jobs = self._threads = self._resting = 0
        self._cancelled = False

    def run(self, address: Hashable, function: Callable[[], T]) -> T:
        """
        Return the function's result, or raise its error. Blocks until then.

        Args:
            address: The owner of the job (`attempts.address_key`). None is an address as well, without a limit of its
                own.

        Raises:
            Busy: If too many jobs are waiting, or its turn did not come in time.
            Stopped: If the server stops (`cancel`).
        """
        job = _Job(function)
        with self._changed:
            self._put_locked(address, job)
        before_wait()
        if not job.over.wait(self._patience) and self._withdraw(address, job):
            raise Busy
        job.over.wait()
        if job.error is not None:
            raise job.error
        result: T = job.result
        return result

    def cancel(self) -> None:
        """
        Refuse all waiting jobs, because the server stops, and wait a moment for the threads to end.

        Running jobs are finished. Later calls of `run` start threads again.
        """
        with self._changed:
            waiting = [job for queue in self._waiting.values() for job in queue]
            self._waiting.clear()
            self._jobs, self._cancelled = 0, True
            self._changed.notify_all()
        for job in waiting:
            job.refuse(Stopped())
        with self._changed:
            self._changed.wait_for(lambda: not self._threads, _LAST_SECONDS)

    def _put_locked(self, address: Hashable, job: _Job) -> None:
        queue = self._waiting.get(address)
        if self._jobs >= MOST_WAITING or (address is not None and queue and len(queue) >= MOST_OF_ADDRESS):
            raise Busy
        if self._resting <= self._jobs and self._threads < self._most and not self._start() and not self._threads:
            raise Busy
        self._waiting.setdefault(address, deque()).append(job)
        self._jobs += 1
        self._cancelled = False
        self._changed.notify()

    def _start(self) -> bool:
        try:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        except RuntimeError:
            logger.warning("no thread could be started for %s", self._name)
            return False
        self._threads += 1
        return True

    def _withdraw(self, address: Hashable, job: _Job) -> bool:
        """Remove a job from the queue; return False if it has begun."""
        with self._changed:
            queue = self._waiting.get(address)
            if queue is None or job not in queue:
                return False
            queue.remove(job)
            if not queue:
                del self._waiting[address]
            self._jobs -= 1
            return True

    def _work(self) -> None:
        if self._background:
            type(self).stand_back()
        while (job := self._next()) is not None:
            began = time.perf_counter()
            job.perform()
            del job  # so that its result is not kept while the thread is idle
            if self._pause:
                time.sleep((time.perf_counter() - began) * self._pause)

    def _next(self) -> _Job | None:
        """Return the next job; None if this thread is not needed any more."""
        with self._changed:
            self._resting += 1
            self._changed.wait_for(lambda: self._jobs or self._cancelled, _REST_SECONDS)
            self._resting -= 1
            if not self._jobs:
                self._threads -= 1
                self._changed.notify_all()  # wakes `cancel`
                return None
            address, queue = next(iter(self._waiting.items()))
            job = queue.popleft()
            del self._waiting[address]
            if queue:
                self._waiting[address] = queue  # after the other addresses
            self._jobs -= 1
            return job


class _Caller(threading.local):
    address: Hashable = None


_caller = _Caller()


@contextmanager
def on_behalf_of(address: Hashable) -> Iterator[None]:
    """Attribute the jobs that this thread gives to `Workers` meanwhile to an address, where it cannot be passed on."""
    before, _caller.address = _caller.address, address
    try:
        yield
    finally:
        _caller.address = before


def caller() -> Hashable:
    """Return the address set by `on_behalf_of`, or None."""
    return _caller.address
