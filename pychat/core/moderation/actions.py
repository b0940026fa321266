"""The moderation verbs of a room: kicks, invitations, modes and lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pychat.core.moderation.audit import author_of
from pychat.core.moderation.changes import NewInvitation, NewModes, unknown_mode
from pychat.core.people.addressing import find_person
from pychat.core.people.ignore import ignores
from pychat.core.permissions import is_server_operator, may_be_heard, may_invite, require_operator
from pychat.core.rooms.membership import known_room
from pychat.core.scan import Scan
from pychat.core.session import Session
from pychat.model import masks, modes, queries, verbs
from pychat.model.durations import as_of_now
from pychat.model.errors import HasLeft, NoSuchNickname
from pychat.model.modes import ModeChange
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
    may_be_heard(session, room, chat.clock)
    chat.propose(NewInvitation(room.key, author_of(session), person.identity, verb.nickname), session)
    nickname = person.nickname or verb.nickname
    away = () if person.away is None else (PersonAway(None, nickname, person.away),)
    chat.send(session, Inviting(verb.ref, room.name, nickname), *away, confirms=True)


def list_invitations(chat: Chat, session: Session, verb: queries.ListInvitations) -> None:
    rooms = [room.name for room in Scan(session, chat.rooms()) if session.identity in room.state.invited]
    chat.send(session, Invitations(verb.ref, tuple(rooms)))


def get_modes(chat: Chat, session: Session, verb: queries.GetModes) -> None:
    room = known_room(session, verb.room)
    state = room.state
    values = dict(state.values)
    knows = session in room or is_server_operator(session)
    arguments = [
        values[letter] if knows or not mode.secret else "*" for letter, mode in modes.VALUES.items() if letter in values
    ]
    chat.send(session, Modes(verb.ref, room.name, state.letters, tuple(arguments), state.created))


def list_masks(chat: Chat, session: Session, verb: queries.ListMasks) -> None:
    room = known_room(session, verb.room)
    if verb.mode not in tuple(modes.LISTS):
        raise unknown_mode(room, verb.mode)
    if verb.mode != "b":  # anybody may look up bans, to see why they cannot join
        require_operator(session, room)
    entries = [as_of_now(entry, chat.clock) for entry in room.state.lists[verb.mode]]
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
    members, most = _members(chat, session, verb.changes), chat.limits.max_masks
    outcome = chat.propose(NewModes(room.key, author_of(session), verb.changes, members, most), session)
    if outcome.refusals:
        chat.send(session, *[Failure.of(error, verb.ref) for error in outcome.refusals])
    else:
        chat.send(session, Ok(verb.ref, outcome.id), confirms=True)


def _members(chat: Chat, session: Session, changes: Iterable[ModeChange]) -> tuple[tuple[str, int | None], ...]:
    """Return the people whose roles change, by the nickname in the argument; see `NewModes.members`."""
    members: dict[str, int | None] = {}
    for change in changes:
        if change.mode in modes.ROLES and change.argument:
            try:
                members[change.argument] = find_person(chat, session, change.argument).identity
            except HasLeft:
                members[change.argument] = None
            except NoSuchNickname:
                pass  # it is refused in its turn
    return tuple(members.items())
