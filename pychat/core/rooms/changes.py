"""
Changes of rooms: joining, leaving, kicks, the topic, and what time does to a room.

Each proposal has a function that applies it, or raises `Refused` before it changes anything. They run under the chat's
order lock; the time is given to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pychat.core.outcome import (
    AddMember,
    AwaitMembers,
    CountForOther,
    DropMember,
    Effect,
    ForgetHistory,
    Outcome,
    Position,
    Publish,
    Release,
    ResetRoom,
    SaveRoom,
    SaveSession,
    SendTo,
    Uncount,
    Unsubscribe,
    WatchMasks,
)
from pychat.core.people.rules import leave
from pychat.core.permissions import may_be_heard, may_join, may_set_topic, require_operator
from pychat.core.rooms import rules
from pychat.model.clock import Clock
from pychat.model.errors import NoSuchRoom, NotAMember, UserNotInRoom
from pychat.model.events import Joined, Kicked, Left, ModesChanged, TopicChanged
from pychat.model.modes import ROLES, ModeChange
from pychat.model.names import fold

if TYPE_CHECKING:
    from pychat.core.people.state import Person
    from pychat.core.rooms.state import RoomRecord
    from pychat.core.state import State


class NewTopic(NamedTuple):
    """Set the topic of a room."""

    room: str
    by: int
    """The identity of the member."""
    topic: str


def apply_topic(state: State, change: NewTopic, position: Position) -> Outcome:
    room, person = state.room(change.room), state.person(change.by)
    may_set_topic(person, room, position)
    nickname = person.nickname or ""
    rules.set_topic(room.state, change.topic, nickname, person.userhost, position.stamp())
    event = TopicChanged(0, 0.0, room.name, nickname, change.topic, *person.origin)
    return Outcome((Publish(event, (room.key,)), SaveRoom(room.key)))


class Arrival(NamedTuple):
    """Join a room; somebody who is in it already changes nothing."""

    room: str
    name: str
    """The name of the room, for a server that does not know it."""
    created: float
    """When it was made, for such a server (POSIX seconds)."""
    person: int
    """The identity."""
    key: str | None
    create: bool
    """True if the room need not exist."""
    asked: bool
    """True if hooks and rules were asked; False if the person was in the room when the verb came."""
    announced: bool
    """True if the other members are told."""
    server: str
    """The name of the server, which gives roles by account."""


def apply_arrival(state: State, change: Arrival, position: Position) -> Outcome:
    room, session = state.room(change.room), state.person(change.person)
    if not change.create and not room.exists(position.monotonic()):
        raise NoSuchRoom(room.name)
    if session in room:
        return Outcome()
    if not change.asked:  # kicked out just now
        raise NotAMember(room.name)
    may_join(session, room, change.key, position)
    state.rooms.use_locked(room, change.person)
    now, first = position.monotonic(), not room.state.members
    changed = rules.arrive(room.state, change.person, now)
    forgets = room.state.drops_history
    founds = first or (not session.visits and _has_visitors_only(state, room, now))
    if founds:
        # A visitor does not become an operator, because members would have one they were not told of.
        kept = room.pinned or room.state.awaits(now) or room.state.owned or session.visits
        rules.found(room.state, None if kept else change.person, position.time())
    event = _joined(session, room, position)
    met = meet(room, session, change.server)
    published = change.announced + sum([type(effect) is Publish for effect in met])
    rules.add_member(room, session, position.newest + published)
    told: tuple[Effect, ...] = (Publish(event, (room.key,)),) if change.announced else ()
    return Outcome(
        (
            *((ForgetHistory(room.key),) if founds and forgets else ()),  # its last leaves are newer than its end
            AddMember(change.person, room.key, first),
            *told,
            *met,
            SaveSession(change.person),
            *((SaveRoom(room.key),) if founds or changed else ()),
        ),
        event=None if change.announced else event,
    )


def _joined(session: Person, room: RoomRecord, position: Position) -> Joined:
    nickname, (userhost, account, bot) = session.nickname or "", session.origin
    away, realname = session.away, session.realname
    if not may_be_heard(session, room, position):
        away, realname = away and "away", ""
    return Joined(0, position.time(), room.name, nickname, userhost, away, account, realname, bot)


def _has_visitors_only(state: State, room: RoomRecord, now: float) -> bool:
    """Return whether all members are visitors, and no member with a lost connection is expected back."""
    people = map(state.somebody, room.state.members)
    return all(member is None or member.visits for member in people) and not rules.await_expected(room.state, now)


def meet(room: RoomRecord, session: Person, server: str) -> list[Effect]:
    """Merge the roles of a logged-in member and its account: each gets those of the other; new ones are announced."""
    if session.account is None:
        return []
    state, account, identity = room.state, fold(session.account), session.identity
    has, kept = state.roles.get(identity, ""), state.accounts.get(account, "")
    new = [role for role in ROLES if role in kept and role not in has]
    for role in new:
        rules.set_role(state, identity, role, True)
    changed = [rules.set_account_role(state, account, role, True) for role in has]
    news = tuple([ModeChange(True, role, session.nickname or "") for role in new])
    told: list[Effect] = [Publish(ModesChanged(0, 0.0, room.name, server, news), (room.key,))] if new else []
    return [*told, SaveRoom(room.key)] if new or any(changed) else told


class Departure(NamedTuple):
    """Leave a room; somebody who is not in it changes nothing."""

    room: str
    person: int
    """The identity."""
    reason: str
    announced: bool
    """True if all members are told; else only the person."""
    stopping: bool
    """True if the server stops: after the restart, the person finds the room unchanged."""


def apply_departure(state: State, change: Departure, position: Position) -> Outcome:
    room, person = state.rooms.known(change.room), state.somebody(change.person)
    if room is None or person is None or person not in room:
        return Outcome()
    event = Left(0, position.time(), room.name, person.nickname or "", change.reason, *person.origin)
    return Outcome(_remove(room, person, event, (), position, change))


class Removal(NamedTuple):
    """Remove a member from a room."""

    room: str
    by: int
    """The identity of an operator."""
    person: int
    """The identity of the member."""
    nickname: str
    """The nickname by which the operator named the member."""
    reason: str
    announced: bool
    """True if all members are told; else only those two."""
    stopping: bool
    """See `Departure`."""


def apply_removal(state: State, change: Removal, position: Position) -> Outcome:
    room, author, member = state.room(change.room), state.person(change.by), state.somebody(change.person)
    require_operator(author, room)
    if member is None or member not in room:
        raise UserNotInRoom(change.nickname, room.name)
    nickname, by = member.nickname or "", author.nickname or ""
    event = Kicked(0, position.time(), room.name, nickname, by, change.reason, *author.origin)
    others = () if author is member else (author,)
    return Outcome(_remove(room, member, event, others, position, change))


def _remove(
    room: RoomRecord,
    member: Person,
    event: Left | Kicked,
    others: tuple[Person, ...],
    position: Position,
    change: Departure | Removal,
) -> list[Effect]:
    """Remove a member; tell all members, or only that one and those others."""
    identity = change.person
    rules.remove_member(room, member)
    if change.announced:
        told: list[Effect] = [Publish(event, (room.key,), extra=identity)]
    else:
        told = [SendTo(person.identity, (event,)) for person in (member, *others)]
    unsubscribed, dropped = Unsubscribe(identity, room.key), DropMember(identity, room.key)
    departed = [] if change.stopping else depart_from(room, identity, position)
    return [unsubscribed, *told, dropped, *departed, SaveSession(identity)]


class Disconnection(NamedTuple):
    """End a session in all of its rooms. It keeps its nickname until the others are told (`NicknameRelease`)."""

    person: int
    """The identity."""
    keep_seconds: float
    """For so long, it may come back and has the same roles."""
    stopping: bool
    """See `Departure`."""


def apply_disconnection(state: State, change: Disconnection, position: Position) -> Outcome:
    person, identity = state.somebody(change.person), change.person
    if person is None or person.has_left:
        return Outcome()
    leave(person)
    effects: list[Effect] = []
    for room in person.rooms.values():
        rules.remove_ended(room, person)
        effects.append(Unsubscribe(identity, room.key))
        if not change.stopping:
            effects.append(CountForOther(identity, room.key))
            effects += depart_from(room, identity, position, change.keep_seconds)
    return Outcome(effects)


def depart_from(room: RoomRecord, identity: int, clock: Clock, keep_seconds: float = 0.0) -> list[Effect]:
    """
    Update the rules of a room that somebody has left, or who is gone; an empty room is abandoned, or waits.

    Args:
        keep_seconds: For so long, the person may come back and has the same roles.
    """
    state = room.state
    changed = rules.depart(state, identity, clock.monotonic(), keep_seconds)
    if state.members or room.pinned:
        return [SaveRoom(room.key)] if changed or not state.members else []
    if rules.await_expected(state, clock.monotonic()):
        return [AwaitMembers(room.key), SaveRoom(room.key)]
    return abandon(room, clock)


def abandon(room: RoomRecord, clock: Clock) -> list[Effect]:
    """Reset an empty room: unless an account owns it, its rules are dropped, and a private history is deleted."""
    if room.state.owned:
        rules.end_wait(room.state)
        return [SaveRoom(room.key), Release(room.key)]
    rules.begin_anew(room.state, clock.time())
    return [ResetRoom(room.key), SaveRoom(room.key), Release(room.key)]


class EmptyRoomExpiry(NamedTuple):
    """Abandon a room that has waited for its members for long enough."""

    room: str


def apply_empty_room_expiry(state: State, change: EmptyRoomExpiry, position: Position) -> Outcome:
    room = state.rooms.known(change.room)
    if room is None or room.state.members or room.pinned or not room.state.waits_until:
        return Outcome()
    if room.state.awaits(position.monotonic()):
        return Outcome((AwaitMembers(room.key),))
    return Outcome(tuple(abandon(room, position)))


class PinnedRoom(NamedTuple):
    """Let a room be there from now on, even when it is empty."""

    room: str
    name: str
    """See `Arrival`."""
    created: float
    """See `Arrival`."""


def apply_pinned_room(state: State, change: PinnedRoom, position: Position) -> Outcome:
    room = state.room(change.room)
    state.rooms.use_locked(room)
    room.pinned = True
    return Outcome((Uncount(room.key),))


class RoomRemoval(NamedTuple):
    """Delete a room and its history, if it is empty."""

    room: str


def apply_room_removal(state: State, change: RoomRemoval, position: Position) -> Outcome:
    room = state.rooms.known(change.room)
    if room is None or room.state.members:
        return Outcome()
    rules.end_wait(room.state)
    state.rooms.remove_locked(room)
    return Outcome((ForgetHistory(room.key),))


class AccountForgotten(NamedTuple):
    """Remove the roles of a deleted account from a room, which is abandoned if that was all it had."""

    room: str
    account: str
    """The folded name."""


def apply_account_forgotten(state: State, change: AccountForgotten, position: Position) -> Outcome:
    room = state.rooms.known(change.room)
    if room is None or not rules.forget_account(room.state, change.account):
        return Outcome()
    return Outcome((SaveRoom(room.key), *(() if room.exists(position.monotonic()) else abandon(room, position))))


class MaskExpiry(NamedTuple):
    """Remove the masks of a room that have expired."""

    room: str
    server: str
    """The name of the server, which the members see as the author."""


def apply_mask_expiry(state: State, change: MaskExpiry, position: Position) -> Outcome:
    room = state.rooms.known(change.room)
    if room is None:
        return Outcome()
    changes: list[ModeChange] = []
    for letter, masks in room.state.lists.items():
        for entry in masks.ended(position.monotonic()):
            masks.remove(entry.mask)
            changes.append(ModeChange(False, letter, entry.mask))
    if not changes:
        return Outcome((WatchMasks(room.key),))
    rules.update_may_silence(room.state)
    event = ModesChanged(0, 0.0, room.name, change.server, tuple(changes))
    return Outcome((Publish(event, (room.key,)), SaveRoom(room.key), WatchMasks(room.key)))
