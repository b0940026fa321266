"""
The threads that run the loop in turn: whichever is about to wait passes it on to the next one.

One thread runs the loop at a time, and another one rests. When something on the loop may block (`core/waiting.py`), the
loop goes on on the thread that rested, and only then this one blocks. So a thread is needed for each client that waits,
and for no other.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final

from pychat.core.waiting import on_wait

logger = logging.getLogger("pychat")

NAME: Final = "pychat-loop"
"""The name of the threads while they run the loop, or rest."""
_REST_SECONDS: Final = 10.0
"""How long a thread without work rests before it ends; the last one stays."""
_AGAIN_SECONDS: Final = 0.1
"""How long after a thread could not be started the next one is tried."""


class Relay:
    """The loop's threads. `has_spare` and `pass_on` are called by the loop, everything else on any thread."""

    def __init__(self, run: Callable[[], None]) -> None:
        """
        Args:
            run: Runs the loop until this thread has passed it on, or the loop has ended.
        """
        self._run = run
        self._batons: SimpleQueue[bool] = SimpleQueue()
        """Each wakes one resting thread: to run the loop, or, if False, to end."""
        # Guards what follows; nothing is called under it but the start of a thread.
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._resting = 0
        """The threads that rest, and have not been given a baton yet."""
        self._start_again_at = 0.0
        self._ended = False

    def start(self) -> None:
        """
        Let a thread run the loop.

        Raises:
            RuntimeError: If no thread can be started.
        """
        with self._lock:
            self._start_locked()
        self.pass_on()

    def has_spare(self) -> bool:
        """Return whether a thread rests that the loop can be passed on to; start one if there is none."""
        if self._resting:
            return True
        now = time.monotonic()
        with self._lock:
            if not self._resting and now >= self._start_again_at:
                try:
                    self._start_locked()
                except RuntimeError:
                    logger.warning("no thread could be started; input waits until one is free")
                    self._start_again_at = now + _AGAIN_SECONDS
            return self._resting > 0

    def pass_on(self) -> None:
        """Let a resting thread run the loop from here on. There must be one."""
        on_wait(None)
        with self._lock:
            self._resting -= 1
            self._batons.put(True)

    def end(self) -> None:
        """Let the resting threads end: the loop has ended."""
        with self._lock:
            self._ended = True
            for _ in range(self._resting):
                self._batons.put(False)
            self._resting = 0

    def disown(self) -> None:
        """Let the calling thread end, if it is one of these: it is the only one in the child of a fork."""
        # Guards the same; the old lock may be held by a thread that does not exist here.
        self._lock = threading.Lock()
        self._ended = True

    def join(self, deadline: float) -> None:
        """Wait for the threads to end, until a time of `time.monotonic`; some may be inside a handler for longer."""
        with self._lock:
            threads = [thread for thread in self._threads if thread is not threading.current_thread()]
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _start_locked(self) -> None:
        thread = threading.Thread(target=self._live, name=NAME, daemon=True)
        self._threads.add(thread)
        self._resting += 1
        try:
            thread.start()
        except BaseException:
            self._threads.discard(thread)
            self._resting -= 1
            raise

    def _live(self) -> None:
        try:
            while self._rest():
                self._run()
                with self._lock:
                    if self._ended:
                        return
                    self._resting += 1
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _rest(self) -> bool:
        """Rest, being counted, until the loop is passed on to this thread; return False if the thread should end."""
        while True:
            try:
                return self._batons.get(timeout=_REST_SECONDS)
            except Empty:
                with self._lock:
                    if self._resting > 1:
                        self._resting -= 1
                        return False
