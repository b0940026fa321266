"""Bans and mutes with a duration and a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pychat.core.people.addressing import require_same
from pychat.core.permissions import always_talks, banned_by, muted_by, require_operator
from pychat.core.rooms.ban_expiry import watch_locked
from pychat.core.rooms.membership import known_room
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.model import masks, verbs
from pychat.model.durations import deadline_of, end_of, until_when
from pychat.model.errors import refusal
from pychat.model.events import ModesChanged, Notice
from pychat.model.masks import MUTE
from pychat.model.modes import MaskEntry, ModeChange
from pychat.model.replies import Ok
from pychat.model.text import because, checked_short_text, shorten

if TYPE_CHECKING:
    from pychat.core.chat import Chat

_MOST_FOLLOWED: Final = 100
"""The maximum number of sessions of one account that one ban follows."""


def ban(chat: Chat, session: Session, verb: verbs.Ban) -> None:
    room = known_room(session, verb.room)
    require_operator(session, room)
    reason = checked_short_text("reason", verb.reason, chat.limits)
    now = chat.clock.time()
    until = end_of(verb.seconds, now)
    target = MUTE + verb.target if verb.mute else verb.target
    masks.prepare(target)
    with chat.order.change(session):
        require_operator(session, room)
        person = chat.nicknames.find(verb.target)
        if person is not None:
            require_same(session, person)
        mask = _mask_for_locked(chat, session, room, target, person)
        new = mask not in room.rules.lists["b"]
        follows = () if person is None else (person.identity,)
        deadline = deadline_of(until, chat.clock)
        entry = MaskEntry(mask, session.nickname or "", now, session.userhost, until, reason, follows, deadline)
        words = _reach_locked(chat, session, room, verb.target, mask, person)
        add_locked(chat, room, "b", entry)
        chat.audit.note_locked(session, f"{_said_of(mask)} {room.name}{until_when(entry)}")
        position = None
        if new:
            change = ModeChange(True, "b", mask)
            event = ModesChanged(0, 0.0, room.name, session.nickname or "", (change,), *session.origin)
            position = chat.order.append_locked(event, room.as_tuple).id
        chat.persistence.save_room_locked(room)
        told = [] if words is None else [Notice(0, now, None, words)]
        if person is not None and person in room.occupants and not verb.kick:
            talks = always_talks(person, room)
            if talks or not verb.mute:
                can = "can talk all the same, by a role" if talks else "cannot talk"
                still = f"{person.nickname} is still in {room.name} and {can}: /kick {person.nickname} removes them"
                told.append(Notice(0, now, None, still))
        chat.order.send_locked(session, *told, Ok(verb.ref, position), confirms=True)
    if verb.kick and person is not None and person in room.occupants:
        chat.membership.kick(session, room, person, reason)
        chat.audit.note(session, f"removed {person.nickname}!{person.userhost} from {room.name}{because(reason)}")
    _tell(chat, session, room, entry)


def unban(chat: Chat, session: Session, verb: verbs.Unban) -> None:
    room = known_room(session, verb.room)
    require_operator(session, room)
    meant = _meant(chat, room, MUTE + verb.target if verb.mute else verb.target)
    with chat.order.change(session):
        require_operator(session, room)
        bans = room.rules.lists["b"]
        found = [mask for mask in meant if mask in bans]
        if not found:
            text = f"{verb.target[:64]!r} is not {'muted' if verb.mute else 'banned'} in room {room.name!r}"
            raise refusal(text, code="not_banned", room=room.name, subject=(verb.target,))
        for mask in found:
            bans.remove(mask)
        room.rules.update_may_silence()
        changes = tuple([ModeChange(False, "b", mask) for mask in found])
        event = ModesChanged(0, 0.0, room.name, session.nickname or "", changes, *session.origin)
        position = chat.order.append_locked(event, room.as_tuple).id
        for mask in found:
            chat.audit.note_locked(session, f"ended: {_said_of(mask)} {room.name}")
        chat.persistence.save_room_locked(room)
        chat.order.send_locked(session, Ok(verb.ref, position), confirms=True)


def _said_of(mask: str) -> str:
    """Return the audit text of a ban or a mute, up to the name of the room."""
    return f"muted {mask.removeprefix(MUTE)} in" if mask.startswith(MUTE) else f"banned {mask} from"


def add_locked(chat: Chat, room: Room, letter: str, entry: MaskEntry) -> None:
    """
    Add an entry to a list of a room, replacing the one with the same mask.

    Raises:
        Refused: If the lists of the room are full.
    """
    lists, most = room.rules.lists, chat.limits.max_masks
    entries = lists[letter]
    if entry.mask not in entries and sum(map(len, lists.values())) >= most:
        text = f"the lists of room {room.name!r} are full: at most {most} masks in all of them together"
        raise refusal(text, code="list_full", room=room.name, subject=(entry.mask, letter))
    if letter == "b":
        follows = dict.fromkeys(entry.follows + _followed_locked(chat, room, entry.mask))
        entry = entry._replace(follows=tuple(follows))
    entries.add(entry)
    room.rules.update_may_silence()
    watch_locked(chat, room)


def _mask_for_locked(chat: Chat, session: Session, room: Room, target: str, person: Session | None) -> str:
    """
    Return the mask to ban for a target, which may be the nickname of a person.

    A person's host does not change with the nickname; but a ban of the host must not hit others who share it.
    """
    if person is None:
        return masks.normal_mask(target)
    prefix = MUTE if target.startswith(MUTE) else ""
    host = person.host
    shared = {chat.cloaks.server, chat.cloaks.operator, session.host}
    if host in shared or any(other in room.occupants for other in _neighbours_locked(chat, person)):
        return masks.normal_mask(prefix + (person.nickname or target))
    return f"{prefix}*!*@{host}"


def _neighbours_locked(chat: Chat, person: Session) -> list[Session]:
    """Return the other people who have the host of a person."""
    return [other for other in chat.census.directory.find(person.hostmask.host) if other is not person]


def _reach_locked(
    chat: Chat, session: Session, room: Room, target: str, mask: str, person: Session | None
) -> str | None:
    """Return a hint for the operator who named a person: whom the mask misses, and whom else it matches."""
    what = "mute" if mask.startswith(MUTE) else "ban"
    if person is None:
        if "!" in target or "@" in target or target.startswith(masks.ACCOUNT):
            address = masks.means_address(mask)  # else the mask itself says whom it matches
            return f"{mask} catches nobody, as no address is shown: name somebody who is here" if address else None
        return f"nobody here is called {shorten(target)}: the {what} is for that nickname only"
    if person.host in (chat.cloaks.server, chat.cloaks.operator):
        return None  # not the address of a person
    name, others = person.nickname, len(_neighbours_locked(chat, person))
    account = "" if person.account is None else f", a:{person.account} the account"
    if mask.endswith(f"@{person.host}"):
        text = f"the {what} is for the address of {name}: whoever else comes from there is meant, too"
        return f"{text}{f' ({_others(others)} it now)' if others else ''}{account and f'; {account[2:]} only'}"
    sharing = "you share the address" if person.host == session.host else f"{_others(others)} the address"
    return (
        f"the {what} is for the nickname {name} only, as {sharing}: another nickname does not end it, connecting anew "
        f"as somebody else does; *!*@{person.host} means the whole address{account}"
    )


def _others(number: int) -> str:
    return "1 other shares" if number == 1 else f"{number} others share"


def _followed_locked(chat: Chat, room: Room, mask: str) -> tuple[int, ...]:
    """
    Return the identities of banned people who could evade a ban by another nickname or a logout.

    A ban of a host or a pattern only applies to whoever matches it at the moment.
    """
    nickname, account = masks.one_nickname(mask), masks.one_account(mask)
    person = None if nickname is None else chat.nicknames.find(nickname)
    if person is not None and masks.describes(mask, person.hostmask):
        return (person.identity,)
    if account is None:
        return ()
    logged_in = [member.identity for member in room.occupants if member.hostmask.account == account]
    return tuple(logged_in[:_MOST_FOLLOWED])


def _meant(chat: Chat, room: Room, target: str) -> list[str]:
    """Return the masks that an `Unban` means. Call this without the lock, because masks may have to be matched."""
    bans, mask = room.rules.lists["b"], masks.normal_mask(target)
    if mask in bans:
        return [mask]
    person = chat.find(target.removeprefix(MUTE))
    entries = [] if person is None else bans.all_about(person.hostmask, person.identity)
    return [entry.mask for entry in entries if entry.mask.startswith(MUTE) == target.startswith(MUTE)]


def _tell(chat: Chat, session: Session, room: Room, entry: MaskEntry) -> None:
    """Tell the members who cannot speak any more until when, and why. Call this without the lock."""
    for member in room.members:
        if member is session or not (masks.describes(entry.mask, member.hostmask) or member.identity in entry.follows):
            continue
        ban = muted_by(member, room)
        if ban is None or always_talks(member, room):
            continue
        what = "banned from" if banned_by(member, room) is not None else "muted in"
        text = f"you are {what} room {room.name!r}{until_when(ban)}"
        chat.send(member, Notice(0, chat.clock.time(), None, text))
