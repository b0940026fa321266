"""Announcing joins, leaves and disconnects."""

from __future__ import annotations

from pychat.core.handler import Handler
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.model.events import Disconnected, Joined, Kicked, Left


class JoinLeaveNotices(Handler):
    """
    Announce who joins a room, leaves it or is removed, and, once for all rooms, who disconnects.

    Visiting programs (`Session.visits`) are not announced, unless they are removed.
    """

    waits = False

    def announces(self, session: Session, room: Room, kind: type[Joined | Left | Kicked]) -> bool:
        return not session.visits or kind is Kicked

    def on_disconnect(self, session: Session, reason: str) -> None:
        if session.nickname is not None and session.rooms and not session.visits:
            rooms = tuple(session.rooms.values())
            names, nickname = session.room_names, session.nickname
            event = Disconnected(0, 0.0, names, nickname, reason, *session.origin, own_words=session.quit_by_client)
            session.chat.order.publish(event, rooms)
