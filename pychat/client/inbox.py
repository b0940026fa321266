"""The inbox of a client: items that were received and not taken yet."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeAlias, TypeVar

from pychat.client.backlog import Backlog, Memory
from pychat.model.errors import ChatError, ConnectionLost, LocalProtocolError
from pychat.model.events import Event
from pychat.model.replies import Members, Reply
from pychat.model.verb_types import kind_name
from pychat.model.verbs import Verb


class Reconnecting(NamedTuple):
    """The connection is lost; the client will try to reconnect in `delay` seconds. Until then, verbs raise."""

    attempt: int
    """1 for the first attempt since the connection was lost."""
    delay: float
    reason: str


class Reconnected(NamedTuple):
    """The client is connected again. The missed messages, this many, were received before this."""

    missed: int
    gaps: int = 0
    """In how many rooms messages are missing for good; an earlier `Gap` names each room."""


class Dropped(NamedTuple):
    """This many of the oldest items in the inbox were dropped, because nobody took them."""

    number: int


class LateAnswer(NamedTuple):
    """The answer to a verb that arrived after the call had raised `AckTimeout`."""

    verb: Verb
    """As it was requested."""
    answer: Reply


Heard: TypeAlias = Event | Reply | Reconnecting | Reconnected | Dropped | LateAnswer
"""
Everything that a client receives: events; unrequested items from the server (`Members` of the rooms joined on
connecting, `Replay`, `Gap`, `Lines`, `Failure`, `Bye`); and changes of the connection.
"""

H = TypeVar("H", bound=Heard)

INBOX_ITEMS: Final = 10_000
INBOX_BYTES: Final = 64 * 2**20
"""Bytes of memory; 10,000 messages reach it only if each is longer than a page of a book."""


class Inbox:
    """
    Bounded in number and bytes: when it is full, the oldest items are dropped and reported by `Dropped`. Thread-safe.

    Blocking instead would make the server disconnect a program that only sends and never receives.
    """

    def __init__(
        self,
        most: int = INBOX_ITEMS,
        most_bytes: int = INBOX_BYTES,
        done: Callable[[int], object] | None = None,
    ) -> None:
        """
        Args:
            done: Called with the id up to which everything is done: an item is done when the next one is taken. Called
                with no lock held, on the thread that takes.
        """
        # Guards what follows; nothing is called under it.
        self._arrived = threading.Condition()
        self._heard: Backlog[Heard] = Backlog(most, Memory(most_bytes))
        self._dropped = 0
        self._interrupted = False
        self._told = done
        self._seen = self._taken = 0
        """The greatest id that was received, including items not put here; and the greatest that was taken."""
        self._ending: str | None = None
        self._asked_to = False
        self._disowned: str | None = None

    def put(self, heard: Heard, seen: int = 0) -> None:
        """Add an item. `seen` is the greatest id received so far."""
        with self._arrived:
            self._seen = max(self._seen, seen)
            self._dropped += self._heard.append(heard)
            self._arrived.notify_all()

    def pass_by(self, seen: int) -> None:
        """Record that an item was received that need not be taken; `seen` is the greatest id so far."""
        with self._arrived:
            self._seen = max(self._seen, seen)

    def settle(self) -> None:
        """Mark the last item taken as done, although no other is taken."""
        if self._told is None:
            return
        with self._arrived:
            if not (self._heard or self._dropped):
                self._taken = max(self._taken, self._seen)
            place = self._taken
        if place:
            self._told(place)

    def end(self, reason: str, *, asked_to: bool) -> None:
        """Record that nothing will arrive any more: because the user closed the client, or the connection is lost."""
        with self._arrived:
            self._ending, self._asked_to = reason, asked_to
            self._arrived.notify_all()

    def disown(self, reason: str) -> None:
        """Make it unusable, in the child of a fork."""
        # Guards the same; the old lock may be held by a thread that does not exist here.
        self._arrived = threading.Condition()
        self._heard.take_all()
        self._dropped = 0
        self._ending, self._disowned = reason, reason

    def error(self) -> ChatError | None:
        """Return the error to raise when nothing will arrive any more; None while something may."""
        if self._disowned is not None:
            return LocalProtocolError(self._disowned)
        if self._ending is None:
            return None
        return LocalProtocolError("the client is closed") if self._asked_to else ConnectionLost(self._ending)

    def interrupt(self) -> None:
        """Wake the thread that waits in `take`, or the next one that would wait there."""
        with self._arrived:
            self._interrupted = True
            self._arrived.notify_all()

    def take(self, timeout: float | None) -> Heard | None:
        """
        Wait for the next item and return it; None after `timeout` seconds, or if `interrupt` was called.

        Raises:
            ConnectionLost: If the connection is lost for good, and everything was taken.
            LocalProtocolError: If the client is closed, and everything was taken.
        """
        self.settle()
        with self._arrived:
            self._arrived.wait_for(self._has_news_locked, timeout)
            self._interrupted = False
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                return Dropped(dropped)
            if self._heard:
                heard = self._heard.popleft()
                if isinstance(heard, Event):
                    self._taken = max(self._taken, heard.id)
                elif isinstance(heard, Members) and heard.place is not None:
                    self._taken = max(self._taken, heard.place)
                return heard
            error = self.error()
            if error is not None:
                raise error
            return None

    def _has_news_locked(self) -> bool:
        return bool(self._heard or self._dropped or self._interrupted) or self._ending is not None

    def next(self, kind: type[H], timeout: float | None) -> H:
        """
        Take items until one of this type arrives, and return it.

        Raises:
            TimeoutError: If none arrived in time.
            ConnectionLost: See `take`.
            LocalProtocolError: See `take`.
        """
        name = kind_name(kind)
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            heard = self.take(None if deadline is None else max(0.0, deadline - time.monotonic()))
            if heard is None:
                raise TimeoutError(f"no {name} within {timeout} s")
            if isinstance(heard, kind):
                return heard

    def each(self, timeout: float | None) -> Iterator[Heard]:
        """Yield items, until none arrives for `timeout` seconds or the client is closed."""
        while True:
            try:
                heard = self.take(timeout)
            except LocalProtocolError:
                if self._disowned is not None:
                    raise
                return
            if heard is None:
                return
            yield heard
