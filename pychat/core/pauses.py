"""Sessions that wait in one of their hooks, and what lets them go on early."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pychat.model.clock import Clock

if TYPE_CHECKING:
    from pychat.core.session import Session


class Pauses:
    """Of one chat. Its methods may be called from any thread; single changes of a dict need no lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[threading.Event, Session] = {}
        self._over = False

    def wait(self, session: Session, seconds: float) -> None:
        """Let the session wait, on its own thread, as long as it is here and the chat does not end."""
        event = threading.Event()
        self._waiting[event] = session
        try:
            if session.is_here and not self._over:
                self._clock.wait(event, seconds)
        finally:
            del self._waiting[event]

    def end(self, session: Session) -> None:
        """The session was put out."""
        for event, waiting in self._waiting.copy().items():
            if waiting is session:
                event.set()

    def end_all(self) -> None:
        """The chat ends: nobody waits any more."""
        self._over = True
        for event in self._waiting.copy():
            event.set()
