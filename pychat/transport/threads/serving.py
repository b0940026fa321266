"""The threads that run functions of programs at the moment, and may be inside them for long."""

from __future__ import annotations

import logging
import threading
import time

logger = logging.getLogger("pychat")


class Threads:
    """These threads, and whom each serves: a connection or a bot. Thread-safe."""

    def __init__(self) -> None:
        # Guards the dict; nothing is called under it.
        self._changed = threading.Condition(threading.Lock())
        self._served: dict[threading.Thread, object] = {}

    def __len__(self) -> int:
        return len(self._served)

    def add(self, thread: threading.Thread, served: object) -> None:
        """Add a thread."""
        with self._changed:
            self._served[thread] = served

    def remove(self, thread: threading.Thread) -> None:
        """Remove a thread that ends, serves nobody any more, or could not start. It may be gone already."""
        with self._changed:
            self._served.pop(thread, None)
            self._changed.notify_all()

    @property
    def served_here(self) -> object | None:
        """Whom the calling thread serves; None if it is not one of them."""
        return self._served.get(threading.current_thread())

    def wait(self, deadline: float) -> None:
        """Wait until there are no others, until a time of `time.monotonic`."""
        own = int(self.served_here is not None)
        with self._changed:
            self._changed.wait_for(lambda: len(self._served) <= own, max(0.0, deadline - time.monotonic()))

    def name_left(self) -> None:
        """Log a warning about each of the others."""
        for thread, served in list(self._served.items()):
            if thread is not threading.current_thread():
                logger.warning("%s, serving %s, is still inside a handler", thread.name, served)
