"""The functions that a bot calls at intervals: which are due, and how long until the next one. It has no clock."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any


class _Task:
    """A function and the time when it is due next."""

    __slots__ = ("at", "function", "seconds")

    def __init__(self, seconds: float, function: Callable[[], Any], at: float) -> None:
        self.seconds = seconds
        self.function = function
        self.at = at


class Schedule:
    """
    Functions with their intervals. Any thread may add or remove one; a single thread calls `begin` and then `due`.

    A late call does not shift those after it, and missed calls are not repeated.
    """

    def __init__(self) -> None:
        self._tasks: list[_Task] = []  # single operations need no lock; iteration uses a copy

    def add(self, seconds: float, function: Callable[[], Any], now: float) -> None:
        """
        Schedule a function at an interval.

        Raises:
            ValueError: If the interval is not positive, or longer than a thread can wait.
        """
        if not 0 < seconds <= threading.TIMEOUT_MAX:
            raise ValueError(f"every {seconds!r} seconds: use a number over 0")
        self._tasks.append(_Task(seconds, function, now + seconds))

    def remove(self, function: Callable[[], Any]) -> bool:
        """Remove a function; return whether it was scheduled."""
        tasks = [task for task in list(self._tasks) if task.function == function]
        for task in tasks:
            with contextlib.suppress(ValueError):  # another thread has just removed it
                self._tasks.remove(task)
        return bool(tasks)

    def begin(self, now: float) -> None:
        """Restart all intervals."""
        for task in list(self._tasks):
            task.at = now + task.seconds

    def due(self, now: float) -> list[Callable[[], Any]]:
        """Return the functions to call now."""
        functions = []
        for task in list(self._tasks):
            if task.at <= now:
                functions.append(task.function)
                task.at += ((now - task.at) // task.seconds + 1) * task.seconds
        return functions

    def remaining(self, now: float) -> float | None:
        """Return the seconds until a function is due; None if there is none."""
        times = [task.at for task in list(self._tasks)]
        return max(0.0, min(times) - now) if times else None
