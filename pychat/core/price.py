"""
The price of work: what a verb costs its session that keeps a processor busy, beyond the ordinary price of a verb.

It is measured and not estimated, so a question is as cheap or as dear as what it looked at. Flood control collects it
(`Session.owes`): the session has to wait, and nothing is refused for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from pychat.core.session import Session

if TYPE_CHECKING:
    from pychat.core.chat import Chat

_UNITS_PER_SECOND: Final = 40.0
"""
What a second of a processor costs, in messages. A session that may send two messages a second takes a twentieth of a
processor in the long run.
"""
_INCLUDED_SECONDS: Final = 0.25 / _UNITS_PER_SECOND
"""What flood control takes for any question anyway: 6 ms of a processor."""
MOST_SECONDS: Final = 0.2
"""Of a processor, for one question; what was found by then is the answer, and the next question goes on from there."""

JOIN_UNITS: Final = 0.5
"""What coming into a room costs."""


def charge(session: Session, seconds: float) -> None:
    """Let a session pay for so much time of a processor, but for what its verb costs anyway. On its own thread."""
    charge_fully(session, max(0.0, seconds - _INCLUDED_SECONDS))


def charge_fully(session: Session, seconds: float) -> None:
    """Let a session pay for so much time of a processor, that of another thread, say. On its own thread."""
    session.owes += seconds * _UNITS_PER_SECOND


def charged(action: Callable[[Chat, Session, Any], None]) -> Callable[[Chat, Session, Any], None]:
    """Return what a verb does so that its session pays for the work, also if it is refused in the end."""

    @wraps(action)
    def perform(chat: Chat, session: Session, verb: Any) -> None:
        began = time.thread_time()
        try:
            action(chat, session, verb)
        finally:
            charge(session, time.thread_time() - began)

    return perform


class Effort:
    """
    How much work one question may cause. It may go on on another thread, but is on one at a time.

    Each thread begins with `begin` and ends with `end`, which returns what it has worked.
    """

    def __init__(self, seconds: float = MOST_SECONDS) -> None:
        self._left = seconds
        self._began = self._began_at = 0.0

    def begin(self) -> None:
        """What this thread does from now on counts."""
        self._began, self._began_at = time.thread_time(), time.perf_counter()

    def end(self) -> float:
        """It counts no more; return the seconds that it took of a processor."""
        worked = time.thread_time() - self._began
        self._left -= worked
        return worked

    def is_spent(self) -> bool:
        """Whether the question has to end here."""
        # The time of a thread costs a call of the system, that of the world does not, and is never less.
        if time.perf_counter() - self._began_at < self._left:
            return False
        return time.thread_time() - self._began >= self._left
