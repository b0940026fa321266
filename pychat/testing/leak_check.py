"""Detect what a test must not leave behind: unchecked errors, and threads."""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from types import TracebackType

from pychat.testing.waiting import DEADLINE

_logger = logging.getLogger("pychat")


class Aftermath:
    """Collects errors from the logger `pychat` inside a `with` block, and then waits for threads to end."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        """Messages with tracebacks; any that are still in here at the end are raised."""
        self.deadline = DEADLINE
        """Seconds that threads have to end."""
        self._before: frozenset[threading.Thread] = frozenset()
        self._collector = _Collector(self.errors)

    def __enter__(self) -> Aftermath:
        self._before = frozenset(threading.enumerate())
        _logger.addHandler(self._collector)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """
        Stop collecting and check for leaks.

        Raises:
            AssertionError: If there are errors or threads. If the test has already failed, they become notes of its
                error.
        """
        __tracebackhide__ = True
        left = self._wait_for_threads()
        _logger.removeHandler(self._collector)
        found = [f"pychat has logged an error:\n{text}" for text in self.errors]
        found += [f"a thread of pychat is left: {_where(thread)}" for thread in left]
        if error is not None:
            for text in found:
                error.add_note(text)
        elif found:
            raise AssertionError("\n\n".join(found))

    def _wait_for_threads(self) -> list[threading.Thread]:
        """Return the threads that were started meanwhile and do not end in time."""
        until = time.monotonic() + self.deadline
        started = [thread for thread in threading.enumerate() if thread not in self._before]
        ours = [thread for thread in started if thread.name.startswith("pychat-")]
        for thread in ours:
            thread.join(max(0.0, until - time.monotonic()))
        return [thread for thread in ours if thread.is_alive()]


class _Collector(logging.Handler):
    """Collects errors as text."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        self._errors.append(self.format(record))


def _where(thread: threading.Thread) -> str:
    """Return the name of a thread and its current stack."""
    frame = sys._current_frames().get(thread.ident or 0)
    stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
    return f"{thread.name}\n{stack}".rstrip()
