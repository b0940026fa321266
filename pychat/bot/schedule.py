"""What a bot does again and again: which functions are due, and how long until the next one is. It has no clock."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any


class _Task:
    """A function and when it is due next."""

    __slots__ = ("at", "function", "seconds")

    def __init__(self, seconds: float, function: Callable[[], Any], at: float) -> None:
        self.seconds = seconds
        self.function = function
        self.at = at


class Schedule:
    """
    Functions with their intervals. Any thread may add or remove one; one thread begins, and then asks what is due.

    A call that is late does not move those after it, and what was missed is not made up for.
    """

    def __init__(self) -> None:
        self._tasks: list[_Task] = []  # single operations need no lock; whoever goes through it has a copy

    def add(self, seconds: float, function: Callable[[], Any], now: float) -> None:
        """
        Let a function be due every so many seconds.

        Raises:
            ValueError: The interval is not positive, or longer than any thread can wait.
        """
        if not 0 < seconds <= threading.TIMEOUT_MAX:
            raise ValueError(f"every {seconds!r} seconds: use a number over 0")
        self._tasks.append(_Task(seconds, function, now + seconds))

    def remove(self, function: Callable[[], Any]) -> bool:
        """Let a function never be due any more; whether it ever was."""
        tasks = [task for task in list(self._tasks) if task.function == function]
        for task in tasks:
            with contextlib.suppress(ValueError):  # another thread has just removed it
                self._tasks.remove(task)
        return bool(tasks)

    def begin(self, now: float) -> None:
        """Let all intervals begin anew."""
        for task in list(self._tasks):
            task.at = now + task.seconds

    def due(self, now: float) -> list[Callable[[], Any]]:
        """Return what is to be called now."""
        functions = []
        for task in list(self._tasks):
            if task.at <= now:
                functions.append(task.function)
                task.at += ((now - task.at) // task.seconds + 1) * task.seconds
        return functions

    def remaining(self, now: float) -> float | None:
        """Return the seconds until something is due; None if nothing ever is."""
        times = [task.at for task in list(self._tasks)]
        return max(0.0, min(times) - now) if times else None
