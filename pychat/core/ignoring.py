"""
Ignoring people: what they say, in rooms or to one person, and their invitations do not reach who ignores them.

Each room knows who of its members ignores anybody, nearly always nobody (`Room.ignoring`), so that nothing has to be
looked up for a message there. An ignored message has its place in the order like any; it is not delivered to them, nor
told to them later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.core import masks
from pychat.core.errors import Refused
from pychat.core.ignored import Ignored, ListIgnored, SetIgnored
from pychat.core.masks import MUTE, MaskList
from pychat.core.modes import MaskEntry
from pychat.core.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pychat.core.chat import Chat
    from pychat.core.room import Room


def ignores(session: Session, nickname: str, userhost: str, account: str | None) -> bool:
    """Whether the session does not want to hear that person."""
    ignored = session.ignored
    return ignored is not None and ignored.find(f"{nickname}!{userhost}", account, 0.0) is not None


def deaf_to(rooms: Iterable[Room], source: Session) -> frozenset[Session]:
    """Return the members who do not want to hear the source; it always hears itself. Under the chat's order lock."""
    deaf: set[Session] = set()
    for room in rooms:
        for member in room.ignoring:
            if member is not source and ignores(member, source.nickname or "", source.userhost, source.account):
                deaf.add(member)
    return frozenset(deaf)


def set_ignored(chat: Chat, session: Session, verb: SetIgnored) -> None:
    add, remove = _normal(verb.add), _normal(verb.remove)
    chat.order.flush()
    with chat.order.lock:
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
    chat.order.wake()
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
