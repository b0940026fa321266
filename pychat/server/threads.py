"""The threads that run functions of programs: one for each connection, one for each bot."""

from __future__ import annotations

import logging
import threading
import time

logger = logging.getLogger("pychat")


class Threads:
    """These threads, and whom each serves. Thread-safe: single operations on a dict need no lock."""

    def __init__(self) -> None:
        self._served: dict[threading.Thread, object] = {}

    def __len__(self) -> int:
        return len(self._served)

    def add(self, thread: threading.Thread, served: object) -> None:
        """Add a thread that is about to start."""
        self._served[thread] = served

    def remove(self, thread: threading.Thread) -> None:
        """Remove a thread that ends, or could not start. It may be gone already."""
        self._served.pop(thread, None)

    def has_current(self) -> bool:
        """Return whether the calling thread is one of them."""
        return threading.current_thread() in self._served

    def join(self, deadline: float) -> None:
        """Wait for the others to end, until a time of `time.monotonic`."""
        for thread in list(self._served):
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))

    def name_left(self) -> None:
        """Log a warning about each of the others that has not ended."""
        for thread, served in list(self._served.items()):
            if thread is not threading.current_thread():
                logger.warning("%s, serving %s, is still inside a handler", thread.name, served)
