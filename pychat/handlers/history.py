"""What was said before one came."""

from __future__ import annotations

from pychat.core.catching_up import fitting
from pychat.core.errors import NotReadable
from pychat.core.handler import Handler
from pychat.core.recalling import Reading
from pychat.core.replies import Replay
from pychat.core.room import Room
from pychat.core.session import Session


class History(Handler):
    """Replay the last messages of a room to each session that joins it and wants them (`Session.replays`)."""

    waits = False

    def __init__(self, messages: int | None = None) -> None:
        """
        Args:
            messages: How many; default: `Limits.replay_messages`.
        """
        self._messages = messages

    def on_join(self, session: Session, room: Room) -> None:
        if not session.replays:
            return
        chat = session.chat
        wanted = chat.limits.replay_messages if self._messages is None else self._messages
        reading = Reading(chat, session, room, messages_only=True, before=room.occupants.get(session, 0) + 1)
        try:
            messages, _ = reading.last(wanted)
        except NotReadable as error:
            session.notice(str(error))
            return
        if messages:
            # More than a send queue takes would cut off whoever joins.
            last = fitting(messages, chat.limits.send_queue_bytes, last=True)
            chat.send(session, Replay(room.name, tuple(last)))
