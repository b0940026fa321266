"""
Permissions: the one place that decides what a session may do, whatever its protocol.

The row of a verb in `verb_table.py` says who may send it at all. Permissions in a room depend on its rules, and are
checked here, where the room is known.

Server operators may do everything in every room: join despite a ban or a key, change modes and kick, even in rooms they
have not joined (only to speak they must join). Somebody must be able to help when a room has lost its operators, and
pinned rooms have none of their own. Other servers grant the same.
"""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING, TypeAlias

from pychat.model.clock import Clock
from pychat.model.durations import as_of_now, until_when
from pychat.model.errors import NotAMember, NotStored, Refused, refusal
from pychat.model.events import Message
from pychat.model.modes import MaskEntry
from pychat.model.names import fold

if TYPE_CHECKING:
    from pychat.core.people.state import Person
    from pychat.core.rooms.room import Room
    from pychat.core.rooms.state import RoomRecord
    from pychat.core.session import Session

Someone: TypeAlias = "Person | Session"


def require_store(session: Session, what: str, room: str | None = None) -> None:
    """
    Check that events can be stored now.

    Raises:
        NotStored: If they cannot, with the reason.
    """
    trouble = session.chat.log.storage_error
    if trouble is not None:
        raise NotStored(what, trouble, room=room)


def is_server_operator(session: Someone) -> bool:
    """Return whether the session is a server operator."""
    return "o" in session.modes


# Permissions in a room. These functions only read; the order lock may be held or not. The clock tells whether a ban has
# ended.


def may_know(session: Someone, room: RoomRecord) -> bool:
    """Return whether the session may know of the room. An empty room counts as missing, unless it is pinned."""
    if session in room or is_server_operator(session):
        return True
    return not room.state.secret and (room.pinned or bool(room.state.members))


def may_join(session: Someone, room: RoomRecord, key: str | None, clock: Clock) -> None:
    """
    Check that the session may join (modern.ircdocs.horse, "JOIN message").

    Raises:
        Refused: If it is banned, the room is full or invite-only, or the key is wrong. The last three do not apply to a
            member that returns in time after a lost connection, nor to an account that is an operator of the room. An
            operator's invitation overrides all but the key.
    """
    state, name, identity = room.state, room.name, session.identity
    if is_server_operator(session):
        return
    invited = state.invited.get(identity, False)
    ban = None if invited else banned_by(session, room, clock)
    if ban is not None:
        ban = as_of_now(ban, clock)
        raise refusal(f"you are banned from room {name!r}{until_when(ban)}", code="banned", room=name)
    if state.expects(identity, clock.monotonic()) or _owns(session, room):
        return
    if "i" in state.flags and identity not in state.invited and not _listed(session, room, "I", clock):
        raise refusal(f"room {name!r} is invite-only", code="invite_only", room=name)
    if state.join_key is not None and not _same_key(key or "", state.join_key):
        raise refusal(f"room {name!r} requires a key; it is missing or wrong", code="bad_key", room=name)
    if state.limit is not None and len(room.state.members) >= state.limit and not invited:
        raise refusal(f"room {name!r} is full", code="room_full", room=name)


def _owns(session: Someone, room: RoomRecord) -> bool:
    """Return whether the session's account is an operator of the room."""
    account = session.account
    return account is not None and "o" in room.state.accounts.get(fold(account), "")


def may_speak(session: Someone, room: RoomRecord, message: Message, clock: Clock) -> None:
    """
    Check that the session may send this message in the room.

    For a member, this is needed only if `room.state.may_silence`.

    Raises:
        NotAMember: If it is not in the room and may not speak from outside (mode `n`).
        Refused: If the room's rules forbid it.
    """
    state, name = room.state, room.name
    if session not in room and ("n" in state.flags or not may_know(session, room)):
        raise NotAMember(name)
    if is_server_operator(session):
        return
    if "C" in state.flags and not message.action and (message.formatted or "").startswith("\x01"):
        raise _silenced(room, f"room {name!r} blocks CTCP messages")
    require_voice(session, room, clock)


def take_turn(session: Someone, room: Room, clock: Clock) -> None:
    """
    Check the slow mode (`W`) and record a message; call this after all other checks.

    Raises:
        Refused: If the session's last message is too recent.
    """
    state = room.state
    if not state.slow or state.roles.get(session.identity) or is_server_operator(session):
        return
    left = math.ceil(room.pace.take(session.identity, state.slow, clock.monotonic()))
    if left:
        text = f"room {room.name!r} is in slow mode: one message every {state.slow} s; you can talk again in {left} s"
        raise refusal(text, code="slow_mode", room=room.name, subject=(str(left),))


def require_operator(session: Someone, room: RoomRecord) -> None:
    """
    Check that the session is an operator of the room.

    Raises:
        NotAMember: If it is not in the room.
        Refused: If it is not an operator.
    """
    if is_server_operator(session):
        return
    _require_member(session, room)
    if "o" not in room.state.roles.get(session.identity, ""):
        text = f"only operators of room {room.name!r} may do that"
        raise refusal(text, code="not_room_operator", room=room.name)


def is_operator(session: Someone, room: RoomRecord) -> bool:
    """Return whether the session has the rights of the room's operators."""
    return is_server_operator(session) or (session in room and "o" in room.state.roles.get(session.identity, ""))


def may_invite(session: Someone, room: RoomRecord) -> None:
    """Check that the session may invite into the room: every member, or with mode `i` only operators."""
    if "i" in room.state.flags:
        require_operator(session, room)
    elif not is_server_operator(session):
        _require_member(session, room)


def may_set_topic(session: Someone, room: RoomRecord, clock: Clock) -> None:
    """
    Check that the session may set the topic: every member who may speak, or with mode `t` only operators.

    A topic is seen like a message, so a member who may not speak must not set one either.
    """
    if "t" in room.state.flags:
        require_operator(session, room)
    elif not is_server_operator(session):
        _require_member(session, room)
        require_voice(session, room, clock)


def reason_to_tell(session: Someone, room: RoomRecord, reason: str, clock: Clock) -> str:
    """Return the part reason shown to others; empty if the member may not speak in the room."""
    return reason if may_be_heard(session, room, clock) else ""


def may_be_heard(session: Someone, room: RoomRecord, clock: Clock) -> bool:
    """
    Return whether members of the room may see texts of the session. Bans, mutes and mode `m` forbid it also for texts
    that are not messages, such as an away text or a real name.
    """
    if not room.state.may_silence:
        return True
    try:
        require_voice(session, room, clock)
    except Refused:
        return False
    return True


def parted(session: Someone, clock: Clock) -> tuple[list[RoomRecord], list[RoomRecord]]:
    """Return the rooms of a session where its texts may be seen, and the others."""
    rooms: tuple[list[RoomRecord], list[RoomRecord]] = [], []
    for room in tuple(session.rooms.values()):
        rooms[not may_be_heard(session, room, clock)].append(room)
    return rooms


def may_rename(session: Someone, clock: Clock) -> None:
    """
    Check that the session may choose another nickname, which all of its rooms would see.

    Raises:
        Refused: If it may not speak in one of them. Otherwise it could also evade a mute of its nickname.
    """
    for room in tuple(session.rooms.values()):
        if not may_be_heard(session, room, clock):
            text = f"you may not talk in room {room.name!r}, so you cannot change your nickname; leave the room first"
            raise refusal(text, code="cannot_speak", room=room.name)


def always_talks(session: Someone, room: RoomRecord) -> bool:
    """Return whether a role lets the session speak in the room despite mode `m`, bans and mutes."""
    state = room.state
    return bool(
        is_server_operator(session)
        or state.roles.get(session.identity)
        or (session.account and state.accounts.get(fold(session.account)))
    )


def require_voice(session: Someone, room: RoomRecord, clock: Clock) -> None:
    """
    Check that mode `m`, bans and mutes let the session speak; a role, also by account, always does.

    Raises:
        Refused: If one of them forbids it.
    """
    name = room.name
    if always_talks(session, room):
        return
    if "m" in room.state.flags:
        raise _silenced(room, f"room {name!r} is moderated: only operators and members with voice can talk")
    ban = muted_by(session, room, clock)
    if ban is not None:
        raise _silenced(room, f"you may not talk in room {name!r}{until_when(as_of_now(ban, clock))}")


def _require_member(session: Someone, room: RoomRecord) -> None:
    if session not in room:
        raise NotAMember(room.name)


def _same_key(key: str, wanted: str) -> bool:
    return secrets.compare_digest(key.encode(errors="backslashreplace"), wanted.encode())


def banned_by(session: Someone, room: RoomRecord, clock: Clock) -> MaskEntry | None:
    """Return the ban that keeps the session out of the room, or None."""
    return _ban(session, room, clock, mutes=False)


def muted_by(session: Someone, room: RoomRecord, clock: Clock) -> MaskEntry | None:
    """Return the ban or the mute that keeps the session from speaking in the room, or None."""
    return _ban(session, room, clock, mutes=False) or _ban(session, room, clock, mutes=True)


def _ban(session: Someone, room: RoomRecord, clock: Clock, *, mutes: bool) -> MaskEntry | None:
    """Return the session's ban unless there is an exception; an exception from mutes is not one from bans."""
    ban = _listed(session, room, "b", clock, mutes=mutes)
    return ban if ban is not None and _listed(session, room, "e", clock, mutes=mutes) is None else None


def _listed(session: Someone, room: RoomRecord, letter: str, clock: Clock, *, mutes: bool = False) -> MaskEntry | None:
    return room.state.lists[letter].find(session.hostmask, clock.monotonic(), mutes=mutes, identity=session.identity)


def _silenced(room: RoomRecord, text: str) -> Refused:
    return refusal(text, code="cannot_speak", room=room.name)
