"""
A few threads for work that takes much time or memory, with a queue that is fair by address.

A session blocks until its work is done, as if it did that itself. But the work of all sessions together never takes
more processors than there are threads here, and what the system keeps of its memory, it keeps once for each of these
threads and not for each session (the C library keeps freed memory by thread).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final, TypeVar

from pychat.model.errors import Refused

T = TypeVar("T")

logger = logging.getLogger("pychat")

MOST_WAITING: Final = 1000
"""Jobs that may wait for their turn, in all."""
MOST_OF_ADDRESS: Final = 128
"""Jobs of one address that may wait: more than it may have connections by default."""
PATIENCE_SECONDS: Final = 60.0
"""How long a job waits for its turn."""
_REST_SECONDS: Final = 2.0
"""How long a thread without work waits for more before it ends."""
_LAST_SECONDS: Final = 0.5
"""How long the end of the server waits for work that has begun."""


class Busy(Refused):
    """The server has too much work at the moment."""

    code = "busy"

    def __init__(self) -> None:
        super().__init__("the server is busy; try again in a few seconds")


class Stopped(Busy):
    """The server ends before the work is done."""

    code = "shutting_down"

    def __init__(self) -> None:
        Refused.__init__(self, "the server is shutting down")


class _Job:
    """One call of a function, by one of the threads for the one that waits."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self.over = threading.Event()
        """Set when there is a result, or an error."""
        self.result: Any = None
        self.error: BaseException | None = None

    def perform(self) -> None:
        try:
            self.result = self._function()
        except BaseException as error:  # it is raised again where it belongs, whatever it is
            self.error = error
        self.over.set()

    def refuse(self, error: Refused) -> None:
        """Let whoever waits go on: it will not be performed."""
        self.error = error
        self.over.set()


class Workers:
    """
    Performs functions on so many daemon threads, the addresses that wait taking turns.

    The threads start when they are needed and end after a while without work. May be used from any thread without a
    lock held.
    """

    stand_back: ClassVar[Callable[[], None]] = staticmethod(lambda: None)
    """Called on each thread that works in the background, before anything else. A program may set another one."""

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
            name: Of the threads, for those who list them.
            patience: Seconds that a function may wait for its turn.
            pause: How many times as long as it has worked a thread rests before the next function, so that all that is
                asked at the same time leaves most of the interpreter to others.
            background: Whether the threads stand back behind all others of the process, if the program knows how
                (`stand_back`): for what works without the interpreter.
        """
        self._pause, self._background = pause, background
        self._most, self._name, self._patience = threads, name, patience
        # Guards the queue and the numbers of threads; alone: nothing is called under it.
        self._changed = threading.Condition()
        self._waiting: dict[Hashable, deque[_Job]] = {}
        """Jobs by address; the address whose turn it is comes first. None of the queues is empty."""
        self._jobs = self._threads = self._resting = 0
        self._cancelled = False

    def run(self, address: Hashable, function: Callable[[], T]) -> T:
        """
        Return what the function returns, or raise what it raises. Blocks until then.

        Args:
            address: For whom it is (`attempts.address_key`). None is an address as well, without a bound of its own.

        Raises:
            Busy: Too much waits already, or its turn did not come in time.
            Stopped: The server ends (`cancel`).
        """
        job = _Job(function)
        with self._changed:
            self._put_locked(address, job)
        if not job.over.wait(self._patience) and self._withdraw(address, job):
            raise Busy
        job.over.wait()
        if job.error is not None:
            raise job.error
        result: T = job.result
        return result

    def cancel(self) -> None:
        """
        Refuse all that waits for its turn, because the server ends, and wait a moment for the threads to end.

        What has begun is finished. Later calls of `run` start threads anew.
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
            logger.warning("no thread is left for %s", self._name)
            return False
        self._threads += 1
        return True

    def _withdraw(self, address: Hashable, job: _Job) -> bool:
        """Take a job out of the queue; False if it has begun."""
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
            del job  # nothing of it is kept while there is no other
            if self._pause:
                time.sleep((time.perf_counter() - began) * self._pause)

    def _next(self) -> _Job | None:
        """Return the next job; None: this thread is not needed any more."""
        with self._changed:
            self._resting += 1
            self._changed.wait_for(lambda: self._jobs or self._cancelled, _REST_SECONDS)
            self._resting -= 1
            if not self._jobs:
                self._threads -= 1
                self._changed.notify_all()  # whoever cancels waits for this
                return None
            address, queue = next(iter(self._waiting.items()))
            job = queue.popleft()
            del self._waiting[address]
            if queue:
                self._waiting[address] = queue  # behind the others
            self._jobs -= 1
            return job


class _Caller(threading.local):
    address: Hashable = None


_caller = _Caller()


@contextmanager
def on_behalf_of(address: Hashable) -> Iterator[None]:
    """Let all that this thread gives to `Workers` meanwhile be for an address, where no argument can say it."""
    before, _caller.address = _caller.address, address
    try:
        yield
    finally:
        _caller.address = before


def caller() -> Hashable:
    """Return the address of `on_behalf_of`; None: nobody has said any."""
    return _caller.address
