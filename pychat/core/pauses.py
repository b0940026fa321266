"""Pauses of sessions in their hooks, and their early end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pychat.core.waiting import before_wait
from pychat.model.clock import Clock

if TYPE_CHECKING:
    from pychat.core.session import Session


class Pauses:
    """The pauses of one chat. Methods may be called from any thread; single changes of a dict need no lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[threading.Event, Session] = {}
        self._over = False

    def wait(self, session: Session, seconds: float) -> None:
        """Block the session's own thread, until the session is disconnected or ends, or the chat ends."""
        before_wait()
        event = threading.Event()
        self._waiting[event] = session
        try:
            if session.is_here and not self._over:
                self._clock.wait(event, seconds)
        finally:
            del self._waiting[event]

    def end(self, session: Session) -> None:
        """End the pauses of a session that is disconnected."""
        for event, waiting in self._waiting.copy().items():
            if waiting is session:
                event.set()

    def end_all(self) -> None:
        """End all pauses, because the chat ends."""
        self._over = True
        for event in self._waiting.copy():
            event.set()
