"""
Ignore lists: messages and invitations of ignored people are not delivered to the session that ignores them.

Each room keeps the set of its members who ignore anybody, which is almost always empty (`Room.ignoring`), so that most
messages need no lookup. An ignored message gets its position like any other; the ignoring session gets it neither now
nor from the history.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pychat.core.outcome import Outcome
from pychat.core.people.changes import NewIgnored
from pychat.core.price import charge_fully
from pychat.core.session import Session
from pychat.model import masks
from pychat.model.errors import refusal
from pychat.model.hostmask import Hostmask
from pychat.model.masks import MUTE
from pychat.model.replies import Ignored
from pychat.model.verbs import ListIgnored, SetIgnored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pychat.core.chat import Chat
    from pychat.core.people.state import Person
    from pychat.core.rooms.room import Room


_PATTERNS_PER_UNIT: Final = 20
"""Patterns per unit of price: a change of a list costs a message for each 20, because senders are matched again."""


def ignores(session: Person | Session, person: Hostmask) -> bool:
    """Return whether the session ignores that person."""
    ignored = session.ignored
    return ignored is not None and ignored.find(person, 0.0) is not None


def members_ignoring(rooms: Iterable[Room], source: Session) -> frozenset[Session]:
    """
    Return the members who ignore the source; never the source itself.

    Call this first without the chat's order lock: the lists cache the results, so that nothing is matched under it.
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
    Match a session's new nickname against the ignore lists in its rooms, at its own cost. Call this without a lock.

    Otherwise each new nickname would make the first message in a room of people with long lists expensive.
    """
    began = time.thread_time()
    for room in tuple(session.rooms.values()):
        if room.ignoring:
            members_ignoring(room.as_tuple, session)
    charge_fully(session, time.thread_time() - began)


def set_ignored(chat: Chat, session: Session, verb: SetIgnored) -> None:
    add, remove = _normal(verb.add), _normal(verb.remove)
    proposal = NewIgnored(session.identity, tuple(add), tuple(remove), chat.limits.ignored_masks)

    def answer_locked(outcome: Outcome) -> None:
        if not outcome.refusals:
            added, removed = (
                tuple([change.argument or "" for change in outcome.made if change.adding is adding])
                for adding in (True, False)
            )
            known = () if session.ignored is None else tuple([entry.mask for entry in session.ignored])
            chat.order.send_locked(session, Ignored(verb.ref, known, added, removed, session.userhost))

    outcome = chat.propose(proposal, session, then=answer_locked)
    session.owes += (0 if session.ignored is None else session.ignored.patterns) / _PATTERNS_PER_UNIT
    for error in outcome.refusals:
        raise error


def list_ignored(chat: Chat, session: Session, verb: ListIgnored) -> None:
    ignored = session.ignored
    known = () if ignored is None else tuple([entry.mask for entry in ignored])
    chat.send(session, Ignored(verb.ref, known, (), (), session.userhost))


def hear_locked(session: Session, room: Room) -> None:
    """Add a session to the room's ignoring members, or remove it, according to its list."""
    if session.ignored is None:
        room.ignoring.discard(session)
    else:
        room.ignoring.add(session)


def _normal(targets: tuple[str, ...]) -> list[str]:
    """
    Return masks in their normal form.

    Raises:
        Refused: If one of them is not a mask.
    """
    normal = []
    for target in targets:
        if target.startswith(MUTE):
            raise refusal(
                f"{target[:64]!r} is a mute, which cannot be ignored; leave out its m:", code="bad_mode_argument"
            )
        masks.prepare(target)
        normal.append(masks.normal_mask(target))
    return normal
