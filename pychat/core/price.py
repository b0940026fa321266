"""
The price of work: the CPU time that a session's verb takes, beyond the ordinary price of a verb.

It is measured, not estimated, so a query costs what it scans. Flood control collects it (`Session.owes`): the session
is delayed, and nothing is refused.
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
The price of a CPU second, in messages. A session that may send two messages a second can use a twentieth of a CPU in
the long run.
"""
_INCLUDED_SECONDS: Final = 0.25 / _UNITS_PER_SECOND
"""The CPU time included in the flood-control price of any query: 6 ms."""
MOST_SECONDS: Final = 0.2
"""The maximum CPU seconds of one query. What was found by then is the reply; the next query continues from there."""

_LONG_SECONDS: Final = 0.003
"""How long a query may run on the thread that serves everybody."""

JOIN_UNITS: Final = 0.5
"""The price of joining a room."""


def charge(session: Session, seconds: float) -> None:
    """Charge a session for CPU time beyond what the verb's price includes. Call this on its own thread."""
    charge_fully(session, max(0.0, seconds - _INCLUDED_SECONDS))


def charge_fully(session: Session, seconds: float) -> None:
    """Charge a session for CPU time in full, such as that of another thread. Call this on its own thread."""
    session.owes += seconds * _UNITS_PER_SECOND


def charged(action: Callable[[Chat, Session, Any], None]) -> Callable[[Chat, Session, Any], None]:
    """Wrap a verb's function so that its session pays for the work, even if the verb is refused in the end."""

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
    The work that one query may cause. It may move to another thread, but runs on one at a time.

    Each thread begins with `begin` and ends with `end`, which returns the work it did.
    """

    def __init__(self, seconds: float = MOST_SECONDS) -> None:
        self._left = seconds
        self._began = self._began_at = 0.0

    def begin(self) -> None:
        """Start counting the work of this thread."""
        self._began, self._began_at = time.thread_time(), time.perf_counter()

    def end(self) -> float:
        """Stop counting, and return the CPU seconds that were used."""
        worked = time.thread_time() - self._began
        self._left -= worked
        return worked

    def is_long(self) -> bool:
        """Return whether others would notice if they waited for this."""
        return time.perf_counter() - self._began_at > _LONG_SECONDS

    def is_spent(self) -> bool:
        """Return whether the query must stop here."""
        # Reading the CPU time of a thread is a system call; wall time is cheap to read and never less.
        if time.perf_counter() - self._began_at < self._left:
            return False
        return time.thread_time() - self._began >= self._left
