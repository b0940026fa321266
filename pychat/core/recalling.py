"""What was said: what the verbs do that ask for history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from pychat.core import queries
from pychat.core.catching_up import fitting, visible
from pychat.core.errors import Refused
from pychat.core.events import Event, Message
from pychat.core.log import Page, milliseconds
from pychat.core.membership import own_room
from pychat.core.replies import HistoryPage, HistoryTarget, HistoryTargets
from pychat.core.rings import EVER
from pychat.core.room import Room
from pychat.core.searching import Terms
from pychat.core.session import Session

if TYPE_CHECKING:
    from pychat.core.chat import Chat

_LEAST_READ: Final = 100
"""Events to look at, at once, where few of them may be wanted."""
_MOST_READ: Final = 20_000
"""Events to look at in all: where none of so many is wanted, one question shall not read a whole disk."""

_FOUND: Final = 50
"""Messages that a search finds which does not say how many: more is what a better search is for."""


class Reading(NamedTuple):
    """
    What of a room's record is wanted by whom. Only events between the two ids, which are excluded.

    Raises what the log raises that is read: `NotReadable`.
    """

    chat: Chat
    session: Session
    room: Room
    messages_only: bool = False
    after: int | None = None
    before: int | None = None
    terms: Terms | None = None
    """Only messages with these; then there is no `after`."""

    def first(self, limit: int) -> tuple[list[Event], bool]:
        """Return the first events behind `after`, and whether there are more."""
        events: list[Event] = []
        after, more, left = self.after or 0, True, _MOST_READ
        while more and left > 0 and len(events) <= limit:
            page, more = self.chat.log.read_after((self.room.key,), after, max(limit + 1, _LEAST_READ))
            if not page:
                break
            left -= len(page)
            after = page[-1].id
            events += [event for event in page if self._wants(event)]
            more = more and (self.before is None or after < self.before)
        return events[:limit], len(events) > limit or (more and left <= 0)

    def last(self, limit: int) -> tuple[list[Event], bool]:
        """Return the last events ahead of `before`, oldest first, and whether there are more ahead of them."""
        events: list[Event] = []
        before, more, left = self.before, True, _MOST_READ
        while more and left > 0 and len(events) <= limit:
            page, more = self._page_before(before, max(limit + 1, _LEAST_READ))
            if not page:
                break
            left -= len(page)
            before = page[0].id
            events = [event for event in page if self._wants(event)] + events
            more = more and (self.after is None or before > self.after)
        return events[max(0, len(events) - limit) :], len(events) > limit or (more and left <= 0)

    def _page_before(self, before: int | None, limit: int) -> Page:
        if self.terms is not None:
            return self.chat.log.search(self.room.key, self.terms, before, limit)
        return self.chat.log.read_before(self.room.key, before, limit)

    def _wants(self, event: Event) -> bool:
        return (
            (self.after is None or event.id > self.after)
            and (self.before is None or event.id < self.before)
            and (not self.messages_only or isinstance(event, Message))
            and visible(event, self.session)
        )


def read_history(chat: Chat, session: Session, verb: queries.ReadHistory) -> None:
    room = own_room(session, verb.room)
    limit = _checked_limit(chat, verb.limit, "events", None if verb.search is None else _FOUND)
    _check_places(verb)
    queue_bytes = chat.limits.send_queue_bytes
    terms = None if verb.search is None else Terms(verb.search)
    after, before, backwards = _bounds(chat, room, verb)
    reading = Reading(chat, session, room, verb.messages_only, after, before, terms)
    if verb.around is not None:
        events, more = _read_around(reading, _id_at(chat, room, verb.around), limit, queue_bytes)
    elif backwards:
        events, more = _fit(*reading.last(limit), queue_bytes, last=True)
    else:
        events, more = _fit(*reading.first(limit), queue_bytes)
    chat.send(session, HistoryPage(verb.ref, room.name, tuple(events), more, verb.search or ""))


def _check_places(verb: queries.ReadHistory) -> None:
    bounded = verb.before is not None or verb.after is not None
    if sum((bounded, verb.around is not None, verb.between is not None)) > 1:
        raise Refused("history takes around, or before and after, not all of them", code="bad_request")
    if verb.search is not None and (verb.around, verb.between, verb.after) != (None, None, None):
        raise Refused("a search takes before, not after or around", code="bad_request")


def _bounds(chat: Chat, room: Room, verb: queries.ReadHistory) -> tuple[int | None, int | None, bool]:
    """Return the ids that are the bounds of a `Reading`, and whether the limit counts from the later one."""
    after, before, backwards = verb.after, verb.before, verb.after is None
    if verb.between is not None:
        after, before = verb.between
        backwards = _id_at(chat, room, after) > _id_at(chat, room, before)
        if backwards:
            after, before = before, after
    return (
        None if after is None else _id_at(chat, room, after, behind=True) - 1,
        None if before is None else _id_at(chat, room, before),
        backwards,
    )


def _read_around(reading: Reading, middle: int, limit: int, queue_bytes: int) -> tuple[list[Event], bool]:
    """Return as many events before the id as from it on, and whether there are more on either side."""
    ahead, more_ahead = reading._replace(before=middle).last(limit // 2)
    ahead, more_ahead = _fit(ahead, more_ahead, queue_bytes // 2, last=True)
    behind, more_behind = reading._replace(after=middle - 1).first(limit - limit // 2)
    behind, more_behind = _fit(behind, more_behind, queue_bytes // 2)
    return ahead + behind, more_ahead or more_behind


def _fit(events: Sequence[Event], more: bool, queue_bytes: int, *, last: bool = False) -> tuple[list[Event], bool]:
    part = list(fitting(events, queue_bytes, last=last))
    return part, more or len(part) < len(events)


def _id_at(chat: Chat, room: Room, position: queries.Position, *, behind: bool = False) -> int:
    """
    Return the id that parts the record at a position: what is before it has a smaller one.

    An id parts it at itself, so it belongs to what comes from it on, or, if `behind`, to what is before. There is one
    order of ids for the whole server, so it may be that of an event in another room, or of one that is no longer kept.

    Raises:
        Refused: No event has had this id yet.
    """
    if isinstance(position, queries.Moment):
        return chat.log.id_at(room.key, position.time, behind=behind)
    if chat.log.last_id() < position < EVER:
        raise Refused(f"there is no event {position:016x} yet", code="no_such_event", room=room.name)
    return min(position + 1 if behind else position, EVER)


def list_history(chat: Chat, session: Session, verb: queries.ListHistory) -> None:
    """Those whose last message is the oldest come first, as in IRCv3 chathistory."""
    limit = _checked_limit(chat, verb.limit, "rooms")
    first, second = (round(moment.time * 1000) for moment in verb.between)
    targets = []
    for room in list(session.rooms.values()):
        events, _ = Reading(chat, session, room, messages_only=True).last(1)
        if events and min(first, second) < milliseconds(events[0].time) < max(first, second):
            targets.append(HistoryTarget(room.name, events[0].time))
    targets.sort(key=lambda target: target.time)
    nearest = targets[:limit] if first <= second else targets[-limit:]
    chat.send(session, HistoryTargets(verb.ref, tuple(nearest)))


def _checked_limit(chat: Chat, limit: int | None, unit: str, default: int | None = None) -> int:
    most = chat.limits.history_page
    if limit is None:
        return most if default is None else min(default, most)
    if not 1 <= limit <= most:
        raise Refused(f"history limit {limit}: use 1 to {most} {unit}", code="bad_request")
    return limit
