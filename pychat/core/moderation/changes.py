"""
Changes by moderation: modes and lists of rooms, invitations, and bans from the server.

Each proposal has a function that applies it, or raises `Refused` before it changes anything. They run under the chat's
order lock; the time is given to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from pychat.core.moderation.state import ServerBanState
from pychat.core.outcome import (
    Author,
    Effect,
    Note,
    Outcome,
    Position,
    Publish,
    SaveRoom,
    SaveServerBan,
    SendTo,
    WatchMasks,
)
from pychat.core.people.ignore import ignores
from pychat.core.permissions import is_operator, may_be_heard, may_invite, require_operator
from pychat.core.rooms import rules
from pychat.core.rooms.state import RoomRecord
from pychat.model import masks, modes
from pychat.model.clock import Clock
from pychat.model.durations import deadline_of, until_when
from pychat.model.errors import HasLeft, NoSuchNickname, Refused, UserNotInRoom, refusal
from pychat.model.events import Invited, ModesChanged
from pychat.model.masks import MUTE
from pychat.model.modes import MaskEntry, ModeChange
from pychat.model.names import fold
from pychat.model.server_ban import ServerBan, network_of

if TYPE_CHECKING:
    from pychat.core.people.state import Person
    from pychat.core.state import State

_MOST_FOLLOWED: Final = 100
"""The maximum number of sessions of one account that one ban follows."""

# Invitations


class NewInvitation(NamedTuple):
    """Invite a person into a room."""

    room: str
    author: Author
    person: int
    """The identity."""
    nickname: str
    """The nickname by which the author named the person."""


def apply_invitation(state: State, change: NewInvitation, position: Position) -> Outcome:
    room, host, person = state.room(change.room), state.person(change.author.identity), state.somebody(change.person)
    may_invite(host, room)
    if person is None or person.nickname is None:
        raise NoSuchNickname(change.nickname)
    nickname = person.nickname
    if person in room:
        text = f"{nickname!r} is already in room {room.name!r}"
        raise refusal(text, code="already_in_room", room=room.name, subject=(nickname,))
    rules.invite(room.state, person.identity, by_operator=is_operator(host, room))
    event = Invited(0, 0.0, room.name, host.nickname or "", nickname, *host.origin)
    told = not ignores(person, host.hostmask)
    if may_be_heard(host, room, position):
        return Outcome((Publish(event, (room.key,), person.identity if told else None), SaveRoom(room.key)))
    alone = (SendTo(person.identity, (event._replace(time=position.time()),)),) if told else ()
    return Outcome((*alone, SaveRoom(room.key)))


# Modes


class NewModes(NamedTuple):
    """Set modes of a room. Those that are refused are in `Outcome.refusals`; the others are set."""

    room: str
    author: Author
    changes: tuple[ModeChange, ...]
    members: tuple[tuple[str, int | None], ...]
    """
    The identities of the members whose roles change, by the nickname in the argument; None if that may be somebody else
    by now.
    """
    most_masks: int
    """The maximum number of masks in all lists of the room."""


def apply_modes(state: State, change: NewModes, position: Position) -> Outcome:
    room, author = state.room(change.room), state.person(change.author.identity)
    require_operator(author, room)
    made: list[ModeChange] = []
    refusals: list[Refused] = []
    for one in change.changes:
        try:
            real = _CHANGES.get(one.mode, _refuse_mode)(state, change, one, position)
        except Refused as error:
            refusals.append(error)
        else:
            made += [real] if real is not None else []
    if not made:
        return Outcome(refusals=tuple(refusals))
    event = ModesChanged(0, 0.0, room.name, author.nickname or "", tuple(made), *author.origin)
    letters, arguments = modes.write(map(_without_secret, made))
    note = f"set mode {' '.join([letters, *arguments])} in {room.name}"
    watch = (WatchMasks(room.key),) if any(one.mode in modes.LISTS for one in made) else ()
    return Outcome((Publish(event, (room.key,)), Note(note), SaveRoom(room.key), *watch), tuple(refusals), tuple(made))


def _set_flag(state: State, proposal: NewModes, change: ModeChange, position: Position) -> ModeChange | None:
    room, letter = state.room(proposal.room), change.mode
    return ModeChange(change.adding, letter) if rules.set_flag(room.state, letter, change.adding) else None


def _set_value(state: State, proposal: NewModes, change: ModeChange, position: Position) -> ModeChange | None:
    room, letter, mode = state.room(proposal.room), change.mode, modes.VALUES[change.mode]
    if not change.adding:
        removed = ModeChange(False, letter, "*" if mode.secret else None)
        return removed if rules.set_value(room.state, letter, None) else None
    value = mode.parse(change.argument or "")
    if value is None:
        raise _bad_argument(room, change, mode.allowed)
    return ModeChange(True, letter, value) if rules.set_value(room.state, letter, value) else None


def _set_role(state: State, proposal: NewModes, change: ModeChange, position: Position) -> ModeChange | None:
    room = state.room(proposal.room)
    if not change.argument:
        raise _bad_argument(room, change, "it needs a nickname")
    identity = dict(proposal.members).get(change.argument, 0)
    if identity is None:
        raise HasLeft(change.argument)
    member = state.somebody(identity)
    if member is None or member.nickname is None:
        raise NoSuchNickname(change.argument)
    if member not in room:
        raise UserNotInRoom(member.nickname, room.name)
    changed = rules.set_role(room.state, member.identity, change.mode, change.adding)
    if member.account is not None:
        rules.set_account_role(room.state, fold(member.account), change.mode, change.adding)
    return change._replace(argument=member.nickname) if changed else None


def _set_mask(state: State, proposal: NewModes, change: ModeChange, position: Position) -> ModeChange | None:
    room, author = state.room(proposal.room), state.person(proposal.author.identity)
    entries = room.state.lists[change.mode]
    if not change.argument:
        raise _bad_argument(room, change, "it needs a mask")
    try:
        mask = masks.normal_mask(change.argument)
    except Refused as error:
        raise _bad_argument(room, change, str(error)) from None
    if change.mode == "I" and mask.startswith(MUTE):
        raise _bad_argument(room, change, "a mute cannot be an invite exception")
    if not change.adding:
        removed = entries.remove(mask)
        rules.update_may_silence(room.state)
        return ModeChange(False, change.mode, removed) if removed is not None else None
    if mask in entries:
        return None
    entry = MaskEntry(mask, author.nickname or "", position.time(), author.userhost)
    _add_mask(state, room, change.mode, entry, proposal.most_masks)
    return ModeChange(True, change.mode, mask)


def _refuse_mode(state: State, proposal: NewModes, change: ModeChange, position: Position) -> ModeChange | None:
    raise unknown_mode(state.room(proposal.room), change.mode)


_Change: TypeAlias = Callable[["State", NewModes, ModeChange, Position], "ModeChange | None"]

_CHANGES: Final[dict[str, _Change]] = {
    **dict.fromkeys(modes.FLAGS, _set_flag),
    **dict.fromkeys(modes.VALUES, _set_value),
    **dict.fromkeys(modes.LISTS, _set_mask),
    **dict.fromkeys(modes.ROLES, _set_role),
}


def _without_secret(change: ModeChange) -> ModeChange:
    mode = modes.VALUES.get(change.mode)
    return change._replace(argument="*") if mode is not None and mode.secret else change


def unknown_mode(room: RoomRecord, letter: str) -> Refused:
    """Return the refusal of a letter that is not a mode."""
    text = f"{letter[:16]!r} is not a mode of a room; the modes are: {', '.join(modes.ALL)}"
    return refusal(text, code="unknown_mode", room=room.name, subject=(letter,))


def _bad_argument(room: RoomRecord, change: ModeChange, problem: str) -> Refused:
    sign, argument = "-+"[change.adding], change.argument or ""
    text = f"mode {sign}{change.mode}: {problem}"
    return refusal(text, code="bad_mode_argument", room=room.name, subject=(change.mode, argument))


# Bans


class NewBan(NamedTuple):
    """Ban or mute in a room."""

    room: str
    author: Author
    target: str
    """A mask or a nickname, with `m:` before it for a mute."""
    person: int | None
    """The identity of the person whose nickname the target is, if there is one."""
    hosts: tuple[str, ...]
    """Hosts that are not the address of a single person."""
    seconds: float | None
    """None for ever."""
    reason: str
    most_masks: int
    """The maximum number of masks in all lists of the room."""


def apply_ban(state: State, change: NewBan, position: Position) -> Outcome:
    room, author = state.room(change.room), state.person(change.author.identity)
    require_operator(author, room)
    person = state.somebody(change.person)
    mask = _mask_for(state, room, change, person, author)
    now, nickname = position.time(), author.nickname or ""
    until, deadline = _end(change.seconds, position)
    follows = () if person is None else (person.identity,)
    entry = MaskEntry(mask, nickname, now, author.userhost, until, change.reason, follows, deadline)
    note = Note(f"{_said_of(mask)} {room.name}{until_when(entry)}")
    new = mask not in room.state.lists["b"]
    _add_mask(state, room, "b", entry, change.most_masks)
    made = (ModeChange(True, "b", mask),)
    event = ModesChanged(0, 0.0, room.name, nickname, made, *author.origin)
    told = (Publish(event, (room.key,)),) if new else ()
    return Outcome((*told, note, SaveRoom(room.key), WatchMasks(room.key)), made=made)


def _mask_for(state: State, room: RoomRecord, change: NewBan, person: Person | None, author: Person) -> str:
    """
    Return the mask to ban for a target.

    A person's host does not change with the nickname; but a ban of the host must not hit others who share it.
    """
    if person is None:
        return masks.normal_mask(change.target)
    prefix = MUTE if change.target.startswith(MUTE) else ""
    shared = any(other in room for other in state.people.directory.neighbours(person))
    if shared or person.host in (*change.hosts, author.host):
        return masks.normal_mask(prefix + (person.nickname or change.target))
    return f"{prefix}*!*@{person.host}"


class BanLift(NamedTuple):
    """End bans or mutes in a room."""

    room: str
    author: Author
    masks: tuple[str, ...]
    target: str
    """What the author named."""
    mute: bool


def apply_ban_lift(state: State, change: BanLift, position: Position) -> Outcome:
    room, author = state.room(change.room), state.person(change.author.identity)
    require_operator(author, room)
    bans = room.state.lists["b"]
    found = [mask for mask in change.masks if mask in bans]
    if not found:
        text = f"{change.target[:64]!r} is not {'muted' if change.mute else 'banned'} in room {room.name!r}"
        raise refusal(text, code="not_banned", room=room.name, subject=(change.target,))
    for mask in found:
        bans.remove(mask)
    rules.update_may_silence(room.state)
    ended = tuple([ModeChange(False, "b", mask) for mask in found])
    event = ModesChanged(0, 0.0, room.name, author.nickname or "", ended, *author.origin)
    notes = [Note(f"un{_said_of(mask)} {room.name}") for mask in found]
    return Outcome((Publish(event, (room.key,)), *notes, SaveRoom(room.key)))


def _add_mask(state: State, room: RoomRecord, letter: str, entry: MaskEntry, most: int) -> None:
    """
    Add an entry to a list of a room, replacing the one with the same mask.

    Raises:
        Refused: If the lists of the room are full.
    """
    lists = room.state.lists
    entries = lists[letter]
    if entry.mask not in entries and sum(map(len, lists.values())) >= most:
        text = f"the lists of room {room.name!r} are full: at most {most} masks in total"
        raise refusal(text, code="list_full", room=room.name, subject=(entry.mask, letter))
    if letter == "b":
        follows = dict.fromkeys(entry.follows + _followed(state, room, entry.mask))
        entry = entry._replace(follows=tuple(follows))
    entries.add(entry)
    rules.update_may_silence(room.state)


def _followed(state: State, room: RoomRecord, mask: str) -> tuple[int, ...]:
    """
    Return the identities of banned people who could evade a ban by another nickname or a logout.

    A ban of a host or a pattern only applies to whoever matches it at the moment.
    """
    nickname, account = masks.one_nickname(mask), masks.one_account(mask)
    person = None if nickname is None else state.people.find(nickname)
    if person is not None and masks.describes(mask, person.hostmask):
        return (person.identity,)
    if account is None:
        return ()
    members = filter(None, map(state.people.named.get, room.state.members))
    logged_in = [member.identity for member in members if member.hostmask.account == account]
    return tuple(logged_in[:_MOST_FOLLOWED])


def _said_of(mask: str) -> str:
    """Return the audit text of a ban or a mute, up to the name of the room."""
    return f"muted {mask.removeprefix(MUTE)} in" if mask.startswith(MUTE) else f"banned {mask} from"


# Bans from the server


class NewServerBan(NamedTuple):
    """Ban a target from the server, replacing a ban of the same target."""

    author: Author
    name: str
    """The name of the author, for the list of bans."""
    target: str
    """In its normal form."""
    seconds: float | None
    """None for ever."""
    reason: str
    note: str
    """The text for the audit record."""


def apply_server_ban(state: State, change: NewServerBan, position: Position) -> Outcome:
    bans, key = state.server_bans, fold(change.target)
    until, deadline = _end(change.seconds, position)
    ban = ServerBan(change.target, change.reason, change.name, position.time(), until, deadline)
    ended = [one for one, old in bans.bans.items() if _has_ended(old, position)]
    left = {one: old for one, old in bans.bans.items() if one not in ended}
    _replace(bans, {**left, key: ban})
    saves: list[Effect] = [SaveServerBan(one, None) for one in ended if one != key]
    return Outcome((*saves, SaveServerBan(key, ban), Note(change.note)))


class ServerBanLift(NamedTuple):
    """End a ban from the server."""

    author: Author
    target: str
    note: str | None
    """The text for the audit record; None for none."""


def apply_server_ban_lift(state: State, change: ServerBanLift, position: Position) -> Outcome:
    bans = dict(state.server_bans.bans)
    if bans.pop(fold(change.target), None) is None:
        raise refusal(f"{change.target!r} is not banned", code="bad_target", subject=(change.target,))
    _replace(state.server_bans, bans)
    notes = () if change.note is None else (Note(change.note),)
    return Outcome((SaveServerBan(fold(change.target), None), *notes))


def restore_bans(state: ServerBanState, bans: Iterable[ServerBan], clock: Clock) -> None:
    """Give a new state the bans that were stored."""
    _replace(state, {fold(ban.target): ban._replace(deadline=deadline_of(ban.until, clock)) for ban in bans})


def _end(seconds: float | None, position: Position) -> tuple[float | None, float | None]:
    """Return when a ban ends that begins now, in POSIX seconds and by `Clock.monotonic`; None for never."""
    return (None, None) if seconds is None else (position.time() + seconds, position.monotonic() + seconds)


def _has_ended(ban: ServerBan, position: Position) -> bool:
    return ban.deadline is not None and ban.deadline <= position.monotonic()


def _replace(state: ServerBanState, bans: dict[str, ServerBan]) -> None:
    networks = [(network_of(ban.target), ban) for ban in bans.values()]
    state.bans = bans
    state.networks = tuple([(network, ban) for network, ban in networks if network is not None])
    state.masks = tuple([ban for ban in bans.values() if "!" in ban.target])
    state.version += 1
