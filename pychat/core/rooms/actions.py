"""The verbs for joining and leaving rooms, their topics, and lists of members and rooms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pychat.core.hooks.chains import change_before
from pychat.core.permissions import is_server_operator, may_know, may_set_topic, reason_to_tell
from pychat.core.rooms.changes import NewTopic
from pychat.core.rooms.member_list import members_of
from pychat.core.rooms.membership import known_room, own_room, shown_room
from pychat.core.rooms.room import Room
from pychat.core.scan import Scan
from pychat.core.session import Session
from pychat.model import queries, verbs
from pychat.model.errors import LimitExceeded
from pychat.model.masks import has_wildcards, matcher
from pychat.model.replies import (
    Ok,
    RoomInfo,
    Rooms,
    Topic,
)
from pychat.model.text import checked_short_text, shorten

if TYPE_CHECKING:
    from pychat.core.chat import Chat

MOST_MASKS_ASKED: Final = 20
"""The maximum number of masks in one room query."""


def join(chat: Chat, session: Session, verb: verbs.Join) -> None:
    chat.membership.join(session, verb.room, verb.ref, verb.key, create=verb.create)


def leave(chat: Chat, session: Session, verb: verbs.Leave) -> None:
    known_room(session, verb.room)  # so that an unknown room is reported first
    room = own_room(session, verb.room)
    reason = checked_short_text("reason", verb.reason, chat.limits)
    chat.membership.leave(session, room, reason_to_tell(session, room, reason, chat.clock))
    chat.send(session, Ok(verb.ref))


def leave_all(chat: Chat, session: Session, verb: verbs.LeaveAll) -> None:
    reason = checked_short_text("reason", verb.reason, chat.limits)
    for room in tuple(session.rooms.values()):
        chat.membership.leave(session, room, reason_to_tell(session, room, reason, chat.clock))
    chat.send(session, Ok(verb.ref))


def set_topic(chat: Chat, session: Session, verb: verbs.SetTopic) -> None:
    room = known_room(session, verb.room)
    may_set_topic(session, room, chat.clock)
    topic = checked_short_text("topic", verb.topic, chat.limits)
    chat.order.flush()
    changed = change_before(chat.chains.before_topic, session, room, value=topic)
    topic = topic if changed == topic else checked_short_text("topic", changed, chat.limits)
    outcome = chat.propose(NewTopic(room.key, session.identity, topic), session)
    chat.run_on(chat.chains.on_topic, session, room, topic)
    chat.send(session, Ok(verb.ref, outcome.id), confirms=True)


def get_topic(chat: Chat, session: Session, verb: queries.GetTopic) -> None:
    room = known_room(session, verb.room)
    state = room.state
    chat.send(session, Topic(verb.ref, room.name, room.topic, state.topic_by, state.topic_time, state.topic_userhost))


def list_members(chat: Chat, session: Session, verb: queries.ListMembers) -> None:
    room = shown_room(session, verb.room)
    invisible = session in room or is_server_operator(session)
    chat.send(session, members_of(room, verb.ref, invisible=invisible))


def list_rooms(chat: Chat, session: Session, verb: queries.ListRooms) -> None:
    wanted, now = verb.filter, chat.clock.time()
    if len(wanted.masks) + len(wanted.not_masks) > MOST_MASKS_ASKED:
        raise LimitExceeded("masks in one request", MOST_MASKS_ASKED, "masks")
    scan = Scan(session, _candidates(chat, wanted), times=max(1, len(wanted.masks) + len(wanted.not_masks)))
    masks, not_masks = list(map(matcher, wanted.masks)), list(map(matcher, wanted.not_masks))
    rooms = [
        _info(room)
        for room in scan
        if may_know(session, room)
        and _is_wanted(room, wanted, now)
        and (not masks or any(match(room.key) for match in masks))
        and not any(match(room.key) for match in not_masks)
    ]
    chat.send(session, Rooms(verb.ref, tuple(rooms), scan.more))


def _candidates(chat: Chat, wanted: queries.RoomFilter) -> Sequence[Room]:
    """Return the rooms that may match, sorted: all of them, or only those named if no mask has wildcards."""
    if not wanted.masks or any(map(has_wildcards, wanted.masks)):
        return chat.rooms()
    named = {room.key: room for room in map(chat.find_room, wanted.masks) if room is not None}
    return [named[key] for key in sorted(named)]


def _info(room: Room) -> RoomInfo:
    state = room.state
    return RoomInfo(room.name, len(room.state.members), shorten(room.topic), state.created, state.topic_time)


def _is_wanted(room: Room, wanted: queries.RoomFilter, now: float) -> bool:
    """Return whether a room meets all conditions but its name; without a topic it fails any on the topic's age."""
    age = now - room.state.created
    topic_age = now - room.state.topic_time if room.topic else None
    return (
        _is_between(len(room.state.members), wanted.more_than, wanted.less_than)
        and _is_between(age, wanted.created_before, wanted.created_since)
        and _is_between(topic_age, wanted.topic_before, wanted.topic_since)
    )


def _is_between(value: float | None, more_than: float | None, less_than: float | None) -> bool:
    """Return whether a value is within optional bounds; without a value, only if there are no bounds."""
    if more_than is None and less_than is None:
        return True
    if value is None:
        return False
    return (more_than is None or value > more_than) and (less_than is None or value < less_than)
