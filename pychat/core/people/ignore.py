"""
Ignoring people: what they say, in rooms or to one person, and their invitations do not reach who ignores them.

Each room knows who of its members ignores anybody, nearly always nobody (`Room.ignoring`), so that nothing has to be
looked up for a message there. An ignored message has its place in the order like any; it is not delivered to them, nor
told to them later.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pychat.core.price import charge_fully
from pychat.core.session import Session
from pychat.model import masks
from pychat.model.errors import Refused
from pychat.model.hostmask import Hostmask
from pychat.model.ignored import Ignored, ListIgnored, SetIgnored
from pychat.model.masks import MUTE, MaskList
from pychat.model.modes import MaskEntry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pychat.core.chat import Chat
    from pychat.core.rooms.room import Room


_PATTERNS_PER_UNIT: Final = 20
"""Masks with wildcards in a list that cost as much as a message with each change: all who talk are matched anew."""


def ignores(session: Session, person: Hostmask) -> bool:
    """Whether the session does not want to hear that person."""
    ignored = session.ignored
    return ignored is not None and ignored.find(person, 0.0) is not None


def deaf_to(rooms: Iterable[Room], source: Session) -> frozenset[Session]:
    """
    Return the members who do not want to hear the source; it always hears itself.

    To be called without the chat's order lock first: then the lists know the answer, and nothing is matched under it.
    """
    person = source.hostmask
    return frozenset(
        [
            member
            for room in rooms
            for member in tuple(room.ignoring)
            if member is not source and ignores(member, person)
        ]
    )


def match_new_name(session: Session) -> None:
    """
    The session goes by another nickname: match it with the lists of those who hear it, at its own cost. Without a lock.

    Else each new nickname would let a room of people with long lists work for its first message.
    """
    began = time.thread_time()
    for room in tuple(session.rooms.values()):
        if room.ignoring:
            deaf_to(room.alone, session)
    charge_fully(session, time.thread_time() - began)


def set_ignored(chat: Chat, session: Session, verb: SetIgnored) -> None:
    add, remove = _normal(verb.add), _normal(verb.remove)
    with chat.order.change(session):
        ignored = session.ignored or MaskList()
        most, now = chat.limits.ignored_masks, chat.clock.time()
        removed = tuple(filter(None, map(ignored.remove, remove)))
        added: list[str] = []
        full = ""
        for mask in add:
            if mask in ignored:
                continue
            if len(ignored) >= most:
                full = mask
                break
            ignored.add(MaskEntry(mask, session.nickname or "", now))
            added.append(mask)
        session.ignored = ignored if len(ignored) else None
        for room in session.rooms.values():
            hear_locked(session, room)
        known = tuple([entry.mask for entry in ignored])
        if not full:
            chat.order.send_locked(session, Ignored(verb.ref, known, tuple(added), removed, session.userhost))
    session.owes += ignored.patterns / _PATTERNS_PER_UNIT
    if full:
        raise Refused(f"you ignore {most} masks already, which is the limit", code="too_many_ignored", subject=(full,))


def list_ignored(chat: Chat, session: Session, verb: ListIgnored) -> None:
    with chat.order.lock:
        known = () if session.ignored is None else tuple([entry.mask for entry in session.ignored])
    chat.send(session, Ignored(verb.ref, known, (), (), session.userhost))


def hear_locked(session: Session, room: Room) -> None:
    """A session is a member of the room, with the list that it has now."""
    if session.ignored is None:
        room.ignoring.discard(session)
    else:
        room.ignoring.add(session)


def _normal(targets: tuple[str, ...]) -> list[str]:
    """
    Raises:
        Refused: One of them is no mask; nothing is changed.
    """
    normal = []
    for target in targets:
        if target.startswith(MUTE):
            raise Refused(f"{target[:64]!r} mutes: who is ignored is not heard anyway", code="bad_mode_argument")
        masks.prepare(target)
        normal.append(masks.normal_mask(target))
    return normal
