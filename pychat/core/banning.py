"""Bans and mutes with an end and a reason: what these verbs do, and what happens when the time is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pychat.core import masks
from pychat.core import moderation_verbs as verbs
from pychat.core.authority import banned_by, is_server_operator, muted_by, require_operator
from pychat.core.durations import end_of, until_when
from pychat.core.errors import Refused
from pychat.core.events import ModesChanged, Notice
from pychat.core.masks import MUTE
from pychat.core.membership import known_room
from pychat.core.modes import LISTS, MaskEntry, ModeChange
from pychat.core.replies import Ok
from pychat.core.room import Room
from pychat.core.session import Session

if TYPE_CHECKING:
    from pychat.core.chat import Chat

_LONGEST_LOOK: Final = 3600.0
"""Seconds after which it is looked again, so that there are never many alarms, and a clock that was set is noticed."""


def ban(chat: Chat, session: Session, verb: verbs.Ban) -> None:
    room = known_room(session, verb.room)
    require_operator(session, room)
    reason = chat.checked_short_text("reason", verb.reason)
    now = chat.clock.time()
    until = end_of(verb.seconds, now)
    target = MUTE + verb.target if verb.mute else verb.target
    masks.prepare(target)
    chat.order.flush()
    with chat.order.lock:
        require_operator(session, room)
        mask = _mask_for_locked(chat, session, room, target)
        new = mask not in room.rules.lists["b"]
        entry = MaskEntry(mask, session.nickname or "", now, session.userhost, until, reason)
        add_locked(chat, room, "b", entry)
        chat.audit.note_locked(session, f"{_said_of(mask)} {room.name}{until_when(entry)}")
        position = None
        if new:
            change = ModeChange(True, "b", mask)
            event = ModesChanged(0, 0.0, room.name, session.nickname or "", (change,), *session.origin)
            position = chat.order.append_locked(event, room.alone).id
        chat.lasting.keep_room_locked(room)
        _tell_locked(chat, session, room, mask)
        chat.order.send_locked(session, Ok(verb.ref, position))
    chat.order.wake()


def unban(chat: Chat, session: Session, verb: verbs.Unban) -> None:
    room = known_room(session, verb.room)
    require_operator(session, room)
    target = MUTE + verb.target if verb.mute else verb.target
    chat.order.flush()
    with chat.order.lock:
        require_operator(session, room)
        bans = room.rules.lists["b"]
        found = [entry.mask for entry in _meant_locked(chat, room, target)]
        if not found:
            text = f"{verb.target[:64]!r} is not {'muted' if verb.mute else 'banned'} in room {room.name!r}"
            raise Refused(text, code="not_banned", room=room.name, subject=(verb.target,))
        for mask in found:
            bans.remove(mask)
        room.rules.update_hushes()
        changes = tuple([ModeChange(False, "b", mask) for mask in found])
        event = ModesChanged(0, 0.0, room.name, session.nickname or "", changes, *session.origin)
        position = chat.order.append_locked(event, room.alone).id
        for mask in found:
            chat.audit.note_locked(session, f"ended: {_said_of(mask)} {room.name}")
        chat.lasting.keep_room_locked(room)
        chat.order.send_locked(session, Ok(verb.ref, position))
    chat.order.wake()


def _said_of(mask: str) -> str:
    """What the audit record says of a ban or a mute, in front of the room."""
    return f"muted {mask.removeprefix(MUTE)} in" if mask.startswith(MUTE) else f"banned {mask} from"


def add_locked(chat: Chat, room: Room, letter: str, entry: MaskEntry) -> None:
    """
    Put an entry into a list of a room, or in the place of the one that says the same.

    Raises:
        Refused: The list is full.
    """
    entries, most = room.rules.lists[letter], chat.limits.max_masks
    if len(entries) >= most and entry.mask not in entries:
        text = f"list {letter!r} of room {room.name!r} is full: at most {most} masks"
        raise Refused(text, code="list_full", room=room.name, subject=(entry.mask, letter))
    entries.add(entry)
    room.rules.update_hushes()
    watch_locked(chat, room)


def watch_locked(chat: Chat, room: Room) -> None:
    """Let the bans of a room end in time."""
    ends = [entry.until for entries in room.rules.lists.values() for entry in entries if entry.until is not None]
    if not ends:
        return
    seconds = min(max(0.0, min(ends) - chat.clock.time()), _LONGEST_LOOK)
    at = chat.clock.monotonic() + seconds
    if room.rules.looks_at is None or at < room.rules.looks_at:
        room.rules.looks_at = at
        chat.alarms.after(seconds, lambda: _end_in_time(chat, room))


def _end_in_time(chat: Chat, room: Room) -> None:
    """On the thread of the alarms."""
    with chat.order.lock:
        rules = room.rules
        rules.looks_at = None
        if chat.stopping.is_set() or chat.find_room(room.key) is not room:
            return
        changes: list[ModeChange] = []
        for letter in LISTS:
            for entry in rules.lists[letter].ended(chat.clock.time()):
                rules.lists[letter].remove(entry.mask)
                changes.append(ModeChange(False, letter, entry.mask))
        if changes:
            rules.update_hushes()
            event = ModesChanged(0, 0.0, room.name, chat.cloaks.server, tuple(changes))
            chat.order.append_locked(event, room.alone)
            chat.lasting.keep_room_locked(room)
        watch_locked(chat, room)
    chat.order.wake()


def _mask_for_locked(chat: Chat, session: Session, room: Room, target: str) -> str:
    """
    Return what is banned for a target.

    The host of a person stays the same over a change of the nickname; but who shares it should not be banned, too.
    """
    prefix, name = (MUTE, target[len(MUTE) :]) if target.startswith(MUTE) else ("", target)
    person = chat.nicknames.find(name)
    if person is None:
        return masks.normal_mask(target)
    host = person.host
    shared = {chat.cloaks.server, chat.cloaks.operator, session.host}
    if host in shared or any(other.host == host and other is not person for other in room.occupants):
        return masks.normal_mask(prefix + (person.nickname or name))
    return f"{prefix}*!*@{host}"


def _meant_locked(chat: Chat, room: Room, target: str) -> list[MaskEntry]:
    """The bans that are meant by the target of an `Unban`."""
    bans = room.rules.lists["b"]
    exact = bans.get(masks.normal_mask(target))
    person = chat.nicknames.find(target.removeprefix(MUTE))
    if exact is not None or person is None:
        return [] if exact is None else [exact]
    mute = target.startswith(MUTE)
    return [entry for entry in bans if entry.mask.startswith(MUTE) == mute and _describes(entry.mask, person)]


def _describes(mask: str, person: Session) -> bool:
    return masks.describes(mask, f"{person.nickname}!{person.userhost}", person.account)


def _tell_locked(chat: Chat, session: Session, room: Room, mask: str) -> None:
    """Those who are in the room and cannot talk any more hear until when, and why."""
    for member in room.occupants:
        if member is session or not _describes(mask, member):
            continue
        entry = muted_by(member, room)
        if entry is None or room.rules.roles.get(member.identity) or is_server_operator(member):
            continue
        what = "banned from" if banned_by(member, room) is not None else "muted in"
        text = f"you are {what} room {room.name!r}{until_when(entry)}"
        chat.order.send_locked(member, Notice(0, chat.clock.time(), None, text))
