"""The verbs that read the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pychat.core.history.reader import Found, Reading
from pychat.core.log.ring_buffer import EVER
from pychat.core.price import Effort
from pychat.core.rooms.catch_up import fitting
from pychat.core.rooms.membership import own_room
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.model import queries
from pychat.model.errors import refusal
from pychat.model.events import Event
from pychat.model.replies import HistoryPage, HistoryTarget, HistoryTargets
from pychat.model.search import Terms
from pychat.model.times import milliseconds

if TYPE_CHECKING:
    from pychat.core.chat import Chat

_FOUND: Final = 50
"""The default maximum of messages that a search returns; a more precise search is better than a longer reply."""


def read_history(chat: Chat, session: Session, verb: queries.ReadHistory) -> None:
    room = own_room(session, verb.room)
    limit = _checked_limit(chat, verb.limit, "events", None if verb.search is None else _FOUND)
    _check_places(verb)
    queue_bytes = chat.limits.send_queue_bytes
    terms = None if verb.search is None else Terms(verb.search)
    after, before, backwards = _bounds(chat, room, verb)
    reading = Reading(chat, session, room, Effort(), verb.messages_only, after, before, terms, verb.without)
    if verb.around is not None:
        events, more = _read_around(reading, _id_at(chat, room, verb.around), limit, queue_bytes)
        end = None
    else:
        found = reading.last(limit) if backwards else reading.first(limit)
        events, more, end = _fit(found, queue_bytes, last=backwards)
    then = end if more else None
    chat.send(session, HistoryPage(verb.ref, room.name, tuple(events), more, verb.search or "", then))


def _check_places(verb: queries.ReadHistory) -> None:
    bounded = verb.before is not None or verb.after is not None
    if sum((bounded, verb.around is not None, verb.between is not None)) > 1:
        raise refusal("history can have either around, or before and after", code="bad_request")
    if verb.search is not None and (verb.around, verb.between, verb.after) != (None, None, None):
        raise refusal("a search can have before, but not after or around", code="bad_request")


def _bounds(chat: Chat, room: Room, verb: queries.ReadHistory) -> tuple[int | None, int | None, bool]:
    """Return the ids that bound a `Reading`, and whether the limit counts from the later one."""
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
    ahead = _fit(reading._replace(before=middle).last(limit // 2), queue_bytes // 2, last=True)
    behind = _fit(reading._replace(after=middle - 1).first(limit - limit // 2), queue_bytes // 2)
    return ahead.events + behind.events, ahead.more or behind.more


def _fit(found: Found, queue_bytes: int, *, last: bool = False) -> Found:
    """Leave out events that do not fit a send queue."""
    part = list(fitting(found.events, queue_bytes, last=last))
    if len(part) == len(found.events):
        return found
    return Found(part, True, part[0].id if last else part[-1].id)


def _id_at(chat: Chat, room: Room, position: queries.Position, *, behind: bool = False) -> int:
    """
    Return the id that splits the log at a position: events before it have smaller ids.

    An id belongs to the later part, or with `behind` to the earlier one. Ids are one sequence for the whole server, so
    it may be that of an event in another room, or of one that is not kept any more.

    Raises:
        Refused: If no event has had this id yet.
    """
    if isinstance(position, queries.Moment):
        return chat.log.id_at(room.key, position.time, behind=behind)
    if chat.log.last_id() < position < EVER:
        raise refusal(f"there is no event {position:016x} yet", code="no_such_event", room=room.name)
    return min(position + 1 if behind else position, EVER)


def list_history(chat: Chat, session: Session, verb: queries.ListHistory) -> None:
    """Reply with the rooms that have the oldest last message first, as in IRCv3 chathistory."""
    limit = _checked_limit(chat, verb.limit, "rooms")
    first, second = (round(moment.time * 1000) for moment in verb.between)
    targets, effort = [], Effort()
    for room in list(session.rooms.values()):
        events = Reading(chat, session, room, effort, messages_only=True).last(1).events
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
        raise refusal(f"history limit {limit}: use 1 to {most} {unit}", code="bad_request")
    return limit
