"""What a client has heard and nobody has taken yet."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias, TypeVar

from pychat.core.errors import ChatError, ConnectionLost, LocalProtocolError
from pychat.core.events import Event
from pychat.core.replies import Reply


class Reconnecting(NamedTuple):
    """The connection is lost; the client tries to come back in `delay` seconds. Until then, verbs raise."""

    attempt: int
    """1 for the first try since the connection was lost."""
    delay: float
    reason: str


class Reconnected(NamedTuple):
    """The client is back. What was missed was heard before this: so many messages."""

    missed: int


class Dropped(NamedTuple):
    """So many of the oldest things in the inbox were thrown away, because nobody took them."""

    number: int


Heard: TypeAlias = Event | Reply | Reconnecting | Reconnected | Dropped
"""
What a client hears: events; what the server says unasked (`Members` of the rooms that the connection began with,
`Replay`, `Gap`, `Lines`, `Failure`, `Bye`); and what happens to the connection.
"""

H = TypeVar("H", bound=Heard)

INBOX_ITEMS: Final = 10_000


class Inbox:
    """
    Bounded: when it is full, the oldest things are dropped, and `Dropped` says so. Thread-safe.

    To wait for room instead would let the server cut off a program that only talks and never listens.
    """

    def __init__(self, most: int = INBOX_ITEMS) -> None:
        self._most = most
        # Guards what follows; nothing is called under it.
        self._arrived = threading.Condition()
        self._heard: deque[Heard] = deque()
        self._dropped = 0
        self._interrupted = False
        self._ending: str | None = None
        self._asked_to = False

    def put(self, heard: Heard) -> None:
        """Add something."""
        with self._arrived:
            if len(self._heard) >= self._most:
                self._heard.popleft()
                self._dropped += 1
            self._heard.append(heard)
            self._arrived.notify_all()

    def end(self, reason: str, *, asked_to: bool) -> None:
        """Nothing will come any more: because the user wanted it, or because the connection is lost."""
        with self._arrived:
            self._ending, self._asked_to = reason, asked_to
            self._arrived.notify_all()

    def error(self) -> ChatError | None:
        """Why nothing will come any more, to be raised; None while something may."""
        if self._ending is None:
            return None
        return LocalProtocolError("the client is closed") if self._asked_to else ConnectionLost(self._ending)

    def interrupt(self) -> None:
        """Let the thread that waits in `take` go on, or the next one that would wait there."""
        with self._arrived:
            self._interrupted = True
            self._arrived.notify_all()

    def take(self, timeout: float | None) -> Heard | None:
        """
        Wait for the next thing and return it; None if it did not come in time, or somebody called `interrupt`.

        Raises:
            ConnectionLost: The connection is lost for good, and everything was taken.
            LocalProtocolError: The client is closed, and everything was taken.
        """
        with self._arrived:
            self._arrived.wait_for(lambda: self._heard or self._ending is not None or self._interrupted, timeout)
            self._interrupted = False
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                return Dropped(dropped)
            if self._heard:
                return self._heard.popleft()
            error = self.error()
            if error is not None:
                raise error
            return None

    def next(self, kind: type[H], timeout: float | None) -> H:
        """
        Take until something of this type comes, and return it.

        Raises:
            TimeoutError: It did not come in time.
            ConnectionLost: See `take`.
            LocalProtocolError: See `take`.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            heard = self.take(None if deadline is None else max(0.0, deadline - time.monotonic()))
            if heard is None:
                raise TimeoutError(f"no {kind.__name__} within {timeout} s")
            if isinstance(heard, kind):
                return heard

    def each(self, timeout: float | None) -> Iterator[Heard]:
        """Yield what comes, until nothing came for `timeout` seconds or the client is closed."""
        while True:
            try:
                heard = self.take(timeout)
            except LocalProtocolError:
                return
            if heard is None:
                return
            yield heard
