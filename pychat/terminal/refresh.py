"""When the conversation checks for news: at once after a quiet time, then every 50 ms, and on request."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

BATCH_SECONDS: Final = 0.05
"""News within this time is shown at once, because the input line is redrawn each time."""


class Pulse:
    """Calls `look` on the thread of the event loop in which `start` was called."""

    def __init__(self, look: Callable[[], None]) -> None:
        self._look = look
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looked = 0.0
        self._woken = False
        """True if a look is scheduled because of a `notify`."""
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start; until then, `notify` does nothing."""
        self._loop = asyncio.get_running_loop()

    def notify(self) -> None:
        """Schedule a look. May be called from any thread."""
        if self._loop is not None and not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # it was just closed: the person has left
                self._loop.call_soon_threadsafe(self._look_soon)

    def again_in(self, seconds: float | None) -> None:
        """Schedule a look in any case; None for only when there is news. Replaces the earlier schedule."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._loop is not None and seconds is not None:
            self._timer = self._loop.call_later(seconds, self._look_now)

    def _look_soon(self) -> None:
        assert self._loop is not None
        self._loop.call_at(self._looked + BATCH_SECONDS, self._look_now)

    def _look_now(self) -> None:
        assert self._loop is not None
        self._looked = self._loop.time()
        self._woken = False  # before the look: news during it may need another one
        self._look()
