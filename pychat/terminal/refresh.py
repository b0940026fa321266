"""When the conversation looks at what is new: at once after a quiet time, then every 50 ms, and when it wants to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

BATCH_SECONDS: Final = 0.05
"""What is new within this time is shown at once: the line is drawn again each time."""


class Pulse:
    """Calls `look` on the thread of the loop that `start` was called in."""

    def __init__(self, look: Callable[[], None]) -> None:
        self._look = look
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looked = 0.0
        self._woken = False
        """Whether a look is under way because of a `notify`."""
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin; before, `notify` does nothing."""
        self._loop = asyncio.get_running_loop()

    def notify(self) -> None:
        """Look soon. From any thread."""
        if self._loop is not None and not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # it was closed just now: the person has left
                self._loop.call_soon_threadsafe(self._look_soon)

    def again_in(self, seconds: float | None) -> None:
        """Look again then, whatever is new; None: only if something is. What was said before does not count."""
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
        self._woken = False  # before the look: what comes during it may need another one
        self._look()
