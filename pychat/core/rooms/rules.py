"""
How the state of a room changes: its rules, its members, and the state that was saved.

These functions are for `changes.py`, which applies proposals, for the end of a session, and for restoring rooms. They
run under the chat's order lock; the time is given to them.
"""

from __future__ import annotations

from typing import Final, TypeVar

from pychat.core.log.snapshots import RoomSnapshot
from pychat.core.people.state import Person
from pychat.core.rooms.state import RoomRecord, RoomState
from pychat.model.clock import Clock
from pychat.model.durations import as_of_now, deadline_of
from pychat.model.masks import MaskList
from pychat.model.modes import ROLES, SILENCING

K = TypeVar("K", int, str)

_MOST_INVITED: Final = 100
_MOST_ACCOUNTS: Final = 100

# Rules; `set_` functions of modes and roles return whether they made a difference


def set_flag(state: RoomState, letter: str, adding: bool) -> bool:
    flags = state.flags | {letter} if adding else state.flags - {letter}
    changed, state.flags = flags != state.flags, flags
    update_may_silence(state)
    return changed


def set_value(state: RoomState, letter: str, value: str | None) -> bool:
    """Set a mode with a value, or remove it with None."""
    changed = value != state.values.get(letter)
    if value is None:
        state.values.pop(letter, None)
    else:
        state.values[letter] = value
    update_may_silence(state)
    return changed


def set_role(state: RoomState, identity: int, letter: str, adding: bool) -> bool:
    return _set_role(state.roles, identity, letter, adding)


def set_account_role(state: RoomState, account: str, letter: str, adding: bool) -> bool:
    """Set or remove a role that the account, by folded name, gets on its next visit; ignored above the maximum."""
    if adding and not state.accounts.get(account) and len(state.accounts) >= _MOST_ACCOUNTS:
        return False
    return _set_role(state.accounts, account, letter, adding)


def _set_role(holders: dict[K, str], holder: K, letter: str, adding: bool) -> bool:
    has = holders.get(holder, "")
    roles = "".join([role for role in ROLES if (adding if role == letter else role in has)])
    if roles:
        holders[holder] = roles
    else:
        holders.pop(holder, None)
    return roles != has


def update_may_silence(state: RoomState) -> None:
    """Update `may_silence` after a change of flags, bans or the slow mode."""
    state.may_silence = len(state.lists["b"]) > 0 or not {*state.flags, *state.values}.isdisjoint(SILENCING)


def set_topic(state: RoomState, topic: str, by: str, userhost: str, time: float) -> None:
    """Set the topic; with an empty one, nothing is known of who set it."""
    state.topic = topic
    state.topic_by, state.topic_time, state.topic_userhost = (by, time, userhost) if topic else ("", 0.0, "")


def begin_anew(state: RoomState, time: float) -> None:
    """Give a room that is abandoned the state of a new one; the topic of an open room stays, as does its history."""
    new = RoomState(time)
    if state.closed:
        new.drops_history = True
    else:
        set_topic(new, state.topic, state.topic_by, state.topic_userhost, state.topic_time)
    for attribute in RoomState.__slots__:
        setattr(state, attribute, getattr(new, attribute))


def found(state: RoomState, founder: int | None, time: float) -> None:
    """Begin a room that had no members. The founder becomes its operator; None if it is not its first member."""
    state.drops_history = False
    if founder is not None:
        state.created = time
        set_role(state, founder, "o", True)


def forget_account(state: RoomState, account: str) -> bool:
    """Remove the roles of an account, by folded name."""
    return state.accounts.pop(account, None) is not None


# Members that join and leave


def add_member(room: RoomRecord, person: Person, newest: int) -> None:
    """Add a member; `newest` is the newest event id when it has joined."""
    room.state.members[person.identity] = newest
    person.rooms[room.key] = room


def remove_member(room: RoomRecord, person: Person) -> None:
    """Remove a member."""
    room.state.members.pop(person.identity, None)
    person.rooms.pop(room.key, None)


def remove_ended(room: RoomRecord, person: Person) -> None:
    """Remove a member whose session has ended; `Person.rooms` still lists the room."""
    room.state.members.pop(person.identity, None)


def expect_members(state: RoomState, until: float) -> None:
    """Wait for the members of the last run of the server."""
    state.waits_until = until
    state.expected = dict.fromkeys(state.roles, until)


def expect(state: RoomState, identity: int, until: float) -> None:
    """Expect a member back."""
    state.expected[identity] = until


def end_wait(state: RoomState) -> None:
    """Wait for nobody."""
    state.waits_until = 0.0


def invite(state: RoomState, identity: int, *, by_operator: bool = False) -> None:
    """Store an invitation; above the maximum, the oldest one is dropped."""
    state.invited[identity] = state.invited.pop(identity, False) or by_operator
    if len(state.invited) > _MOST_INVITED:
        del state.invited[next(iter(state.invited))]


def arrive(state: RoomState, identity: int, now: float) -> bool:
    """
    Use up the invitation of a new member, and drop its roles unless it was expected back.

    Returns:
        True if that changes the room's snapshot.
    """
    changed = identity in state.invited
    state.invited.pop(identity, None)
    if not state.expects(identity, now):
        changed |= state.roles.pop(identity, None) is not None
    state.expected.pop(identity, None)
    return changed


def depart(state: RoomState, identity: int, now: float, keep_seconds: float = 0.0) -> bool:
    """
    Remove a member, and keep its roles and its right to return for `keep_seconds`.

    Returns:
        True if that changes the room's snapshot.
    """
    before = len(state.roles)
    while state.expected:
        oldest, until = next(iter(state.expected.items()))
        if until > now:
            break
        del state.expected[oldest]
        state.roles.pop(oldest, None)
    if keep_seconds > 0:
        state.expected[identity] = now + keep_seconds
    else:
        state.roles.pop(identity, None)
    return len(state.roles) < before


def await_expected(state: RoomState, now: float) -> bool:
    """Let an empty room wait for its expected members; return whether there are any."""
    if state.expected:
        state.waits_until = max(state.waits_until, *state.expected.values())
    return state.awaits(now)


# Saving


def set_ends(state: RoomState, clock: Clock) -> bool:
    """Let masks end by the clock as it is now, which may have been set; return whether that changes anything."""
    changed = False
    for masks in state.lists.values():
        for entry in tuple(masks):
            if as_of_now(entry, clock) is not entry:
                masks.add(as_of_now(entry, clock))
                changed = True
    return changed


def restored(snapshot: RoomSnapshot, clock: Clock) -> RoomState:
    """Return the state of a snapshot; the clock says how long bans last from now."""
    state = RoomState(snapshot.created)
    set_topic(state, snapshot.topic, snapshot.topic_by, snapshot.topic_userhost, snapshot.topic_time)
    state.flags, state.values = frozenset(snapshot.flags), dict(snapshot.values)
    for letter, masks in snapshot.lists.items():
        entries = [entry._replace(deadline=deadline_of(entry.until, clock)) for entry in masks]
        state.lists[letter] = MaskList(entries, lasts=True)
    state.roles, state.accounts = dict(snapshot.roles), dict(snapshot.accounts)
    state.invited = {identity: identity in snapshot.welcome for identity in snapshot.invited}
    state.drops_history = snapshot.forgets
    update_may_silence(state)
    return state
