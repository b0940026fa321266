"""Telling who comes and who goes."""

from __future__ import annotations

from pychat.core.events import Disconnected, Joined, Kicked, Left
from pychat.core.handler import Handler
from pychat.core.room import Room
from pychat.core.session import Session


class JoinLeaveNotices(Handler):
    """Publish who joins a room, who leaves it or has to, and, once for all rooms, who is gone."""

    waits = False

    def on_join(self, session: Session, room: Room) -> None:
        event = Joined(0, 0.0, room.name, session.nickname or "", session.userhost, session.away)
        session.chat.order.publish(event, room.alone)

    def on_leave(self, session: Session, room: Room, reason: str) -> None:
        if not session.closed:
            event = Left(0, 0.0, room.name, session.nickname or "", reason, session.userhost)
            session.chat.order.publish(event, room.alone, also=session)

    def on_kick(self, session: Session, room: Room, member: Session, reason: str) -> None:
        event = Kicked(0, 0.0, room.name, member.nickname or "", session.nickname or "", reason, session.userhost)
        session.chat.order.publish(event, room.alone, also=member)

    def on_disconnect(self, session: Session, reason: str) -> None:
        if session.nickname is not None and session.rooms:
            rooms = tuple(session.rooms.values())
            event = Disconnected(0, 0.0, session.room_names, session.nickname, reason, session.userhost)
            session.chat.order.publish(event, rooms)
