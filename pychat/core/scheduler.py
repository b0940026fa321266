"""Scheduled work of the chat: one thread calls functions when they are due. It runs only while there are any."""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Callable
from itertools import count
from typing import Any

from pychat.model.clock import Clock

logger = logging.getLogger("pychat")

_LONGEST_WAIT = 3600.0
"""In seconds; a thread cannot wait for a year."""
_LAST_SECONDS = 0.5
"""The seconds that `stop` waits for a function that is running."""


class Alarms:
    """The scheduled calls of a chat. May be used from any thread, even under the chat's order lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # Guards the heap and the thread. Nothing is called under it; it comes after the order lock.
        self._lock = threading.Lock()
        self._heap: list[tuple[float, int, Callable[[], Any]]] = []
        self._numbers = count()
        self._changed = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def after(self, seconds: float, function: Callable[[], Any]) -> None:
        """Schedule a call of a function, on the scheduler's thread and without a lock. It must not take long."""
        with self._lock:
            if self._stopped:
                return
            heapq.heappush(self._heap, (self._clock.monotonic() + seconds, next(self._numbers), function))
            if self._thread is None:
                self._start_locked()
        self._changed.set()

    def _start_locked(self) -> None:
        thread = threading.Thread(target=self._run, name="pychat-alarms", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            logger.warning("no thread could be started for delayed calls; they wait for the next one")
        else:
            self._thread = thread

    def stop(self) -> None:
        """Cancel all calls, and let the thread end."""
        with self._lock:
            self._stopped = True
            self._heap.clear()
            thread = self._thread
        self._changed.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(_LAST_SECONDS)

    def _run(self) -> None:
        while True:
            self._changed.clear()
            with self._lock:
                if not self._heap:
                    self._thread = None
                    return
                at, _, function = self._heap[0]
                left = at - self._clock.monotonic()
                if left <= 0:
                    heapq.heappop(self._heap)
            if left > 0:
                self._clock.wait(self._changed, min(left, _LONGEST_WAIT))
                continue
            try:
                function()
            except Exception:
                logger.exception("a delayed call failed")
