"""Announcing changes of a profile in a person's rooms; texts are shown only where the person may speak."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pychat.core.permissions import may_be_heard
from pychat.model.events import AwayChanged, ProfileChanged

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.rooms.room import Room
    from pychat.core.session import Session

E = TypeVar("E", AwayChanged, ProfileChanged)


def prepare_to_tell(session: Session) -> None:
    """Match the session's masks in its rooms in advance, so that none are matched under the order lock."""
    _parted(session)


def tell_rooms_locked(chat: Chat, session: Session, event: E, bare: E | None) -> None:
    """
    Publish an event about a session in its rooms. Hold the chat's order lock.

    Args:
        bare: The event without the person's text, for rooms where the person may not speak; None to send nothing there.
            Members who get the full event in another room do not get this one.
    """
    open_rooms, closed_rooms = _parted(session)
    if closed_rooms and bare is not None:
        told = frozenset({session}.union(*[room.occupants for room in open_rooms]))
        chat.order.append_locked(bare._replace(rooms=_names(closed_rooms)), tuple(closed_rooms), excluded=told)
    placed = chat.order.append_locked(event._replace(rooms=_names(open_rooms)), tuple(open_rooms), extra=session)
    chat.watches.changed_locked(session, placed)


def _parted(session: Session) -> tuple[list[Room], list[Room]]:
    """Return the rooms of a session where it may speak, and the others."""
    parted: tuple[list[Room], list[Room]] = [], []
    for room in tuple(session.rooms.values()):
        parted[not may_be_heard(session, room, session.chat.clock)].append(room)
    return parted


def _names(rooms: list[Room]) -> tuple[str, ...]:
    return tuple([room.name for room in rooms])
