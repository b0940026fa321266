"""
Reading: what a question finds in the record of a room, with the work that one question may cause.

What is in memory is looked at on the session's own thread. The rest is read by a few threads for all sessions
(`Log.run_slow`), where the addresses take turns, so many who ask at once take no more than a few processors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from pychat.core.accounts.rate_limit import address_key
from pychat.core.history.log import Portion
from pychat.core.history.ring_buffer import EVER
from pychat.core.price import Effort, charge_fully
from pychat.core.rooms.catch_up import visible
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.model.events import Event, Message
from pychat.model.search import Terms

if TYPE_CHECKING:
    from pychat.core.chat import Chat


class Found(NamedTuple):
    """What was found, in order."""

    events: list[Event]
    more: bool
    """Whether there may be more in the direction in which it was read."""
    end: int
    """Where to go on then: ahead of this id, or behind it."""


class Reading(NamedTuple):
    """
    What of a room's record is wanted by whom. Only events between the two ids, which are excluded.

    Raises what the log raises that is read (`NotReadable`), or what `Workers` raise (`Busy`).
    """

    chat: Chat
    session: Session
    room: Room
    effort: Effort
    """What all readings for one question may cost. When it is spent, what was found so far is the answer."""
    messages_only: bool = False
    after: int | None = None
    before: int | None = None
    terms: Terms | None = None
    """Only messages with these; then there is no `after`."""
    without: tuple[type[Event], ...] = ()
    """See `ReadHistory.without`."""

    def first(self, limit: int) -> Found:
        """Return the first events behind `after`."""
        after = self.after or 0
        way = self.chat.log.forth(self.room.key, after, messages_only=self.messages_only)
        walk = self._walk(way, limit, after, lambda end: self.before is not None and end >= self.before - 1)
        events = [event for part in walk.parts for event in part]
        if len(events) > limit:
            return Found(events[:limit], True, events[limit - 1].id)
        return Found(events, walk.is_cut_off, walk.end)

    def last(self, limit: int) -> Found:
        """Return the last events ahead of `before`."""
        before = EVER if self.before is None else self.before
        log, room = self.chat.log, self.room.key
        if self.terms is None:
            way = log.back(room, before, messages_only=self.messages_only)
        else:
            way = log.find(room, self.terms, before, reader=self.session.identity)
        walk = self._walk(way, limit, before, lambda end: self.after is not None and end <= self.after + 1)
        events = [event for part in reversed(walk.parts) for event in part]
        if len(events) > limit:
            events = events[len(events) - limit :]
            return Found(events, True, events[0].id if events else before)
        return Found(events, walk.is_cut_off, walk.end)

    def _walk(self, way: Iterator[Portion], limit: int, start: int, is_over: Callable[[int], bool]) -> _Walk:
        walk = _Walk(self, limit, start, is_over)
        with closing(way):  # type: ignore[type-var]  # all of them are generators
            walk.go(way)
            if walk.is_slow:
                address = address_key(self.session.address)
                charge_fully(self.session, self.chat.log.run_slow(address, partial(walk.go, way, slow=True)))
        return walk

    def wants(self, event: Event) -> bool:
        """Whether it is one of those that are looked for."""
        return (
            (self.after is None or event.id > self.after)
            and (self.before is None or event.id < self.before)
            and (not self.messages_only or isinstance(event, Message))
            and not isinstance(event, self.without)
            and visible(event, self.session)
        )


class _Walk:
    """Goes through portions until it has more than enough, is over a bound, or has spent its effort."""

    def __init__(self, reading: Reading, limit: int, start: int, is_over: Callable[[int], bool]) -> None:
        self._reading, self._limit, self._is_over = reading, limit, is_over
        self._count, self._start = 0, start
        self.parts: list[list[Event]] = []
        """What was found, by portions."""
        self.end = start
        """Up to here everything was looked at."""
        self.is_slow = False
        """Whether what follows is for another thread."""
        self.is_cut_off = False
        """Whether the effort was spent before anything else was the end."""

    def go(self, way: Iterator[Portion], *, slow: bool = False) -> float:
        """
        Go on, until what follows is slow, if that is not allowed.

        Returns:
            The seconds that this thread has worked.
        """
        effort = self._reading.effort
        effort.begin()
        self.is_slow = False
        for portion in way:
            self._take(portion)
            if self._count > self._limit or self._is_over(self.end):
                break
            if effort.is_spent() and self.end != self._start:  # else to ask again would end here again
                self.is_cut_off = True
                break
            if portion.slow and not slow:
                self.is_slow = True
                break
        return effort.end()

    def _take(self, portion: Portion) -> None:
        part = [event for event in portion.events if self._reading.wants(event)]
        self.end = portion.end
        self._count += len(part)
        if part:  # of a search, thousands of portions may have nothing
            self.parts.append(part)
