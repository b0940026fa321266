"""Telling who comes and who goes."""

from __future__ import annotations

from pychat.core.handler import Handler
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.model.events import Disconnected, Joined, Kicked, Left


class JoinLeaveNotices(Handler):
    """
    Tell who joins a room, who leaves it or has to, and, once for all rooms, who is gone.

    Programs that come for a moment (`Session.visits`) come and go without a word, unless they are removed.
    """

    waits = False

    def announces(self, session: Session, room: Room, kind: type[Joined | Left | Kicked]) -> bool:
        return not session.visits or kind is Kicked

    def on_disconnect(self, session: Session, reason: str) -> None:
        if session.nickname is not None and session.rooms and not session.visits:
            rooms = tuple(session.rooms.values())
            names, nickname = session.room_names, session.nickname
            event = Disconnected(0, 0.0, names, nickname, reason, *session.origin, own_words=session.quits)
            session.chat.order.publish(event, rooms)
