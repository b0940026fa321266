"""The moderation verbs of a room: kicks, invitations, modes and lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from pychat.core.moderation.bans import add_locked
from pychat.core.people.addressing import find_person, require_same
from pychat.core.people.ignore import ignores
from pychat.core.permissions import is_operator, is_server_operator, may_be_heard, may_invite, require_operator
from pychat.core.rooms.membership import known_room
from pychat.core.rooms.room import Room
from pychat.core.scan import Scan
from pychat.core.session import Session
from pychat.model import masks, modes, queries, verbs
from pychat.model.durations import as_of_now
from pychat.model.errors import NoSuchNickname, Refused, UserNotInRoom, refusal
from pychat.model.events import Invited, ModesChanged
from pychat.model.modes import MaskEntry, ModeChange
from pychat.model.names import fold
from pychat.model.replies import Failure, Invitations, Inviting, Masks, Modes, Ok, PersonAway
from pychat.model.text import because, checked_short_text

if TYPE_CHECKING:
    from pychat.core.chat import Chat


def kick(chat: Chat, session: Session, verb: verbs.Kick) -> None:
    room = known_room(session, verb.room)
    require_operator(session, room)
    reason = checked_short_text("reason", verb.reason, chat.limits)
    member = find_person(chat, session, verb.nickname)
    chat.membership.kick(session, room, member, reason)
    what = f"removed {member.nickname}!{member.userhost} from {room.name}{because(reason)}"
    chat.audit.note(session, what)
    chat.send(session, Ok(verb.ref))


def invite(chat: Chat, session: Session, verb: verbs.Invite) -> None:
    room = known_room(session, verb.room)
    may_invite(session, room)
    person = find_person(chat, session, verb.nickname)
    ignores(person, session.hostmask)  # match both now, so that nothing is matched under the lock
    may_be_heard(session, room)
    with chat.order.change(session):
        may_invite(session, room)
        nickname = person.nickname or ""
        if person in room.occupants:
            text = f"{nickname!r} is in room {room.name!r} already"
            raise refusal(text, code="already_in_room", room=room.name, subject=(nickname,))
        room.rules.invite(person.identity, by_operator=is_operator(session, room))
        event = Invited(0, 0.0, room.name, session.nickname or "", nickname, *session.origin)
        if may_be_heard(session, room):
            placed = chat.order.append_locked(event, room.as_tuple)
        else:  # only those two are told
            placed = event._replace(time=chat.clock.time())
        chat.persistence.save_room_locked(room)
        if not ignores(person, session.hostmask):
            chat.order.send_locked(person, placed)
        chat.order.send_locked(session, Inviting(verb.ref, room.name, nickname), confirms=True)
        if person.away is not None:
            chat.order.send_locked(session, PersonAway(None, nickname, person.away))


def list_invitations(chat: Chat, session: Session, verb: queries.ListInvitations) -> None:
    rooms = [room.name for room in Scan(session, chat.rooms()) if session.identity in room.rules.invited]
    chat.send(session, Invitations(verb.ref, tuple(rooms)))


def get_modes(chat: Chat, session: Session, verb: queries.GetModes) -> None:
    room = known_room(session, verb.room)
    rules = room.rules
    values = dict(rules.values)
    knows = session in room.occupants or is_server_operator(session)
    arguments = [
        values[letter] if knows or not mode.secret else "*" for letter, mode in modes.VALUES.items() if letter in values
    ]
    chat.send(session, Modes(verb.ref, room.name, rules.letters, tuple(arguments), rules.created))


def list_masks(chat: Chat, session: Session, verb: queries.ListMasks) -> None:
    room = known_room(session, verb.room)
    if verb.mode not in tuple(modes.LISTS):
        raise _unknown_mode(room, verb.mode)
    if verb.mode != "b":  # anybody may look up bans, to see why they cannot join
        require_operator(session, room)
    entries = [as_of_now(entry, chat.clock) for entry in room.rules.lists[verb.mode]]
    chat.send(session, Masks(verb.ref, room.name, verb.mode, tuple(entries)))


def set_modes(chat: Chat, session: Session, verb: verbs.SetModes) -> None:
    """
    Make the possible changes, as one event; report a failure for each of the others, or else reply `Ok`.

    Raises:
        Refused: If there are too many changes, or the session is not an operator of the room; nothing is changed.
    """
    room = known_room(session, verb.room)
    modes.require_few(verb.changes, room.name)
    require_operator(session, room)
    for change in verb.changes:
        if change.mode in modes.LISTS and change.argument is not None:
            masks.prepare(change.argument)
    with chat.order.change(session):
        require_operator(session, room)  # check again: it may have changed meanwhile
        made: list[ModeChange] = []
        failures: list[Failure] = []
        for change in verb.changes:
            try:
                real = _change_locked(chat, session, room, change)
            except Refused as error:
                failures.append(Failure.of(error, verb.ref))
            else:
                made += [real] if real is not None else []
        position = None
        if made:
            event = ModesChanged(0, 0.0, room.name, session.nickname or "", tuple(made), *session.origin)
            position = chat.order.append_locked(event, room.as_tuple).id
            letters, arguments = modes.write(map(_without_secret, made))
            chat.audit.note_locked(session, f"set mode {' '.join([letters, *arguments])} in {room.name}")
            chat.persistence.save_room_locked(room)
        answers: list[Failure] | list[Ok] = failures or [Ok(verb.ref, position)]
        chat.order.send_locked(session, *answers, confirms=not failures)


def _change_locked(chat: Chat, session: Session, room: Room, change: ModeChange) -> ModeChange | None:
    """Make one change; return it as others see it, or None if it makes no difference."""
    make = _CHANGES.get(change.mode)
    if make is None:
        raise _unknown_mode(room, change.mode)
    return make(chat, session, room, change)


def _set_flag(chat: Chat, session: Session, room: Room, change: ModeChange) -> ModeChange | None:
    letter = change.mode
    return ModeChange(change.adding, letter) if room.rules.set_flag(letter, change.adding) else None


def _set_value(chat: Chat, session: Session, room: Room, change: ModeChange) -> ModeChange | None:
    letter, mode = change.mode, modes.VALUES[change.mode]
    if not change.adding:
        removed = ModeChange(False, letter, "*" if mode.secret else None)
        return removed if room.rules.set_value(letter, None) else None
    value = mode.parse(change.argument or "")
    if value is None:
        raise _bad_argument(room, change, mode.allowed)
    return ModeChange(True, letter, value) if room.rules.set_value(letter, value) else None


def _set_role(chat: Chat, session: Session, room: Room, change: ModeChange) -> ModeChange | None:
    if not change.argument:
        raise _bad_argument(room, change, "it needs a nickname")
    member = chat.nicknames.find(change.argument)
    if member is None or member.nickname is None:
        raise NoSuchNickname(change.argument)
    require_same(session, member)
    if member not in room.occupants:
        raise UserNotInRoom(member.nickname, room.name)
    changed = room.rules.set_role(member.identity, change.mode, change.adding)
    if member.account is not None:
        room.rules.set_account_role(fold(member.account), change.mode, change.adding)
    return change._replace(argument=member.nickname) if changed else None


def _set_mask(chat: Chat, session: Session, room: Room, change: ModeChange) -> ModeChange | None:
    entries = room.rules.lists[change.mode]
    if not change.argument:
        raise _bad_argument(room, change, "which mask?")
    try:
        mask = masks.normal_mask(change.argument)
    except Refused as error:
        raise _bad_argument(room, change, str(error)) from None
    if change.mode == "I" and mask.startswith(masks.MUTE):
        raise _bad_argument(room, change, "who may come in is not a question of mutes")
    if not change.adding:
        removed = entries.remove(mask)
        room.rules.update_may_silence()
        return ModeChange(False, change.mode, removed) if removed is not None else None
    if mask in entries:
        return None
    entry = MaskEntry(mask, session.nickname or "", chat.clock.time(), session.userhost)
    add_locked(chat, room, change.mode, entry)
    return ModeChange(True, change.mode, mask)


_Change: TypeAlias = Callable[["Chat", Session, Room, ModeChange], "ModeChange | None"]

_CHANGES: Final[dict[str, _Change]] = {
    **dict.fromkeys(modes.FLAGS, _set_flag),
    **dict.fromkeys(modes.VALUES, _set_value),
    **dict.fromkeys(modes.LISTS, _set_mask),
    **dict.fromkeys(modes.ROLES, _set_role),
}


def _without_secret(change: ModeChange) -> ModeChange:
    mode = modes.VALUES.get(change.mode)
    return change._replace(argument="*") if mode is not None and mode.secret else change


def _unknown_mode(room: Room, letter: str) -> Refused:
    text = f"{letter[:16]!r} is not a mode of a room; the modes are: {', '.join(modes.ALL)}"
    return refusal(text, code="unknown_mode", room=room.name, subject=(letter,))


def _bad_argument(room: Room, change: ModeChange, problem: str) -> Refused:
    sign, argument = "-+"[change.adding], change.argument or ""
    text = f"mode {sign}{change.mode}: {problem}"
    return refusal(text, code="bad_mode_argument", room=room.name, subject=(change.mode, argument))
