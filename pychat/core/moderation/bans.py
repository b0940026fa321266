"""Bans and mutes with a duration and a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.core.moderation.audit import author_of
from pychat.core.moderation.changes import BanLift, NewBan
from pychat.core.people.addressing import require_same
from pychat.core.permissions import always_talks, banned_by, muted_by, require_operator
from pychat.core.rooms.membership import known_room
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.model import masks, verbs
from pychat.model.durations import check_seconds, until_when
from pychat.model.events import Notice
from pychat.model.masks import MUTE
from pychat.model.replies import Ok
from pychat.model.text import because, checked_short_text, shorten

if TYPE_CHECKING:
    from pychat.core.chat import Chat


def ban(chat: Chat, session: Session, verb: verbs.Ban) -> None:
    room = known_room(session, verb.room)
    require_operator(session, room)
    reason = checked_short_text("reason", verb.reason, chat.limits)
    check_seconds(verb.seconds)
    target = MUTE + verb.target if verb.mute else verb.target
    masks.prepare(target)
    person = chat.find(verb.target)
    if person is not None:
        require_same(session, person)
    hosts = (chat.cloaks.server, chat.cloaks.operator)
    identity, most = None if person is None else person.identity, chat.limits.max_masks
    proposal = NewBan(room.key, author_of(session), target, identity, hosts, verb.seconds, reason, most)
    outcome = chat.propose(proposal, session)
    mask = outcome.made[0].argument or ""
    words = _reach(chat, session, room, verb.target, mask, person)
    now = chat.clock.time()
    told = [] if words is None else [Notice(0, now, None, words)]
    if person is not None and person in room and not verb.kick:
        talks = always_talks(person, room)
        if talks or not verb.mute:
            can = "can still talk, because of a role" if talks else "cannot talk"
            still = f"{person.nickname} is still in {room.name} and {can}: /kick {person.nickname} removes them"
            told.append(Notice(0, now, None, still))
    chat.send(session, *told, Ok(verb.ref, outcome.id), confirms=True)
    if verb.kick and person is not None and person in room:
        chat.membership.kick(session, room, person, reason)
        chat.audit.note(session, f"removed {person.nickname}!{person.userhost} from {room.name}{because(reason)}")
    _tell(chat, session, room, mask, identity)


def unban(chat: Chat, session: Session, verb: verbs.Unban) -> None:
    room = known_room(session, verb.room)
    require_operator(session, room)
    meant = _meant(chat, room, MUTE + verb.target if verb.mute else verb.target)
    outcome = chat.propose(BanLift(room.key, author_of(session), tuple(meant), verb.target, verb.mute), session)
    chat.send(session, Ok(verb.ref, outcome.id), confirms=True)


def _reach(chat: Chat, session: Session, room: Room, target: str, mask: str, person: Session | None) -> str | None:
    """Return a hint for the operator who named a person: whom the mask misses, and whom else it matches."""
    what = "mute" if mask.startswith(MUTE) else "ban"
    if person is None:
        if "!" in target or "@" in target or target.startswith(masks.ACCOUNT):
            address = masks.means_address(mask)  # else the mask itself says whom it matches
            hint = f"{mask} matches nobody, because addresses are hidden; name somebody who is here"
            return hint if address else None
        return f"nobody here is called {shorten(target)}: the {what} covers that nickname only"
    if person.host in (chat.cloaks.server, chat.cloaks.operator):
        return None  # not the address of a person
    name, others = person.nickname, len(chat.state.people.directory.neighbours(person.person))
    account = "" if person.account is None else f"a:{person.account} covers the account"
    if mask.endswith(f"@{person.host}"):
        text = f"the {what} covers the address of {name}, and everybody else who connects from there"
        return f"{text}{f' ({_others(others)} it now)' if others else ''}{account and f'; {account} only'}"
    sharing = "you share the address" if person.host == session.host else f"{_others(others)} the address"
    account = account and f", and {account}"
    return (
        f"the {what} covers the nickname {name} only, because {sharing}: a new nickname does not evade it, but a new "
        f"connection with another nickname does; *!*@{person.host} covers the whole address{account}"
    )


def _others(number: int) -> str:
    return "1 other shares" if number == 1 else f"{number} others share"


def _meant(chat: Chat, room: Room, target: str) -> list[str]:
    """Return the masks that an `Unban` means. Call this without the lock, because masks may have to be matched."""
    bans, mask = room.state.lists["b"], masks.normal_mask(target)
    if mask in bans:
        return [mask]
    person = chat.find(target.removeprefix(MUTE))
    entries = [] if person is None else bans.all_about(person.hostmask, person.identity)
    return [entry.mask for entry in entries if entry.mask.startswith(MUTE) == target.startswith(MUTE)]


def _tell(chat: Chat, session: Session, room: Room, mask: str, identity: int | None) -> None:
    """Tell the members who cannot speak any more until when, and why. Call this without the lock."""
    for member in room.members:
        if member is session or not (masks.describes(mask, member.hostmask) or member.identity == identity):
            continue
        ban = muted_by(member, room, chat.clock)
        if ban is None or always_talks(member, room):
            continue
        what = "banned from" if banned_by(member, room, chat.clock) is not None else "muted in"
        text = f"you are {what} room {room.name!r}{until_when(ban)}"
        chat.send(member, Notice(0, chat.clock.time(), None, text))
