"""
Reading the log of a room for a query, within the work that one query may cause.

Events in memory are scanned on the session's own thread. The rest is read by a few threads for all sessions
(`Log.run_slow`), where addresses take turns, so that many queries at once use only a few CPUs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from pychat.core.attempts import address_key
from pychat.core.log.log import Portion
from pychat.core.log.ring_buffer import EVER
from pychat.core.price import Effort, charge_fully
from pychat.core.rooms.catch_up import visible
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.core.waiting import before_wait
from pychat.model.events import Event, Message
from pychat.model.search import Terms

if TYPE_CHECKING:
    from pychat.core.chat import Chat


class Found(NamedTuple):
    """The events found, in order."""

    events: list[Event]
    more: bool
    """True if there may be more in the direction of reading."""
    end: int
    """The id to continue from: before it, or after it."""


class Reading(NamedTuple):
    """
    A query for events of a room, on behalf of a session. Only events between the two ids, both exclusive.

    Raises the errors of the log (`NotReadable`) and of `Workers` (`Busy`).
    """

    chat: Chat
    session: Session
    room: Room
    effort: Effort
    """The work allowed for all readings of one query. When it is spent, the events found so far are the reply."""
    messages_only: bool = False
    after: int | None = None
    before: int | None = None
    terms: Terms | None = None
    """Only messages that match these; there is no `after` then."""
    without: tuple[type[Event], ...] = ()
    """See `ReadHistory.without`."""

    def first(self, limit: int) -> Found:
        """Return the first events after `after`."""
        after = self.after or 0
        way = self.chat.log.forth(self.room.key, after, messages_only=self.messages_only)
        walk = self._walk(way, limit, after, lambda end: self.before is not None and end >= self.before - 1)
        events = [event for part in walk.parts for event in part]
        if len(events) > limit:
            return Found(events[:limit], True, events[limit - 1].id)
        return Found(events, walk.is_cut_off, walk.end)

    def last(self, limit: int) -> Found:
        """Return the last events before `before`."""
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
        """Return whether an event belongs to the result."""
        return (
            (self.after is None or event.id > self.after)
            and (self.before is None or event.id < self.before)
            and (not self.messages_only or isinstance(event, Message))
            and not isinstance(event, self.without)
            and visible(event, self.session)
        )


class _Walk:
    """Iterates over portions until it has more than enough, passes a bound, or has spent its effort."""

    def __init__(self, reading: Reading, limit: int, start: int, is_over: Callable[[int], bool]) -> None:
        self._reading, self._limit, self._is_over = reading, limit, is_over
        self._count, self._start = 0, start
        self.parts: list[list[Event]] = []
        """The events found, by portion."""
        self.end = start
        """The position up to which all events were seen."""
        self.is_slow = False
        """True if the rest must be read on another thread."""
        self.is_cut_off = False
        """True if the effort was spent before the iteration ended otherwise."""

    def go(self, way: Iterator[Portion], *, slow: bool = False) -> float:
        """
        Continue; unless `slow`, stop before a portion that is slow to read.

        Returns:
            The CPU seconds that this thread used.
        """
        effort = self._reading.effort
        effort.begin()
        self.is_slow = False
        for portion in way:
            if effort.is_long():
                before_wait()  # not on the thread that others wait for
            self._take(portion)
            if self._count > self._limit or self._is_over(self.end):
                break
            if effort.is_spent() and self.end != self._start:  # else a repeated query would end here again
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
        if part:  # a search may have thousands of portions without a match
            self.parts.append(part)
