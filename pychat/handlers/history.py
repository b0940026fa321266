"""Replaying earlier messages on join."""

from __future__ import annotations

from pychat.core.handler import Handler
from pychat.core.history.reader import Reading
from pychat.core.price import Effort
from pychat.core.rooms.catch_up import fitting
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.model.errors import Busy, NotReadable
from pychat.model.replies import Replay


class History(Handler):
    """Replay the last messages of a room to each session that joins it and wants them (`Session.replays`)."""

    waits = False

    def __init__(self, messages: int | None = None) -> None:
        """
        Args:
            messages: The number of messages. Default: `Limits.replay_messages`.
        """
        self._messages = messages

    def on_join(self, session: Session, room: Room) -> None:
        if not session.replays:
            return
        chat = session.chat
        wanted = chat.limits.replay_messages if self._messages is None else self._messages
        if session.most_replayed is not None:
            # The client did not ask for the replay itself, and a bot would execute old commands again.
            wanted = 0 if "B" in session.modes else min(wanted, session.most_replayed)
        before = room.state.members.get(session.identity, 0) + 1
        reading = Reading(chat, session, room, Effort(), messages_only=True, before=before)
        try:
            messages = reading.last(wanted).events
        except (NotReadable, Busy) as error:
            session.notice(str(error))
            return
        if messages:
            # More than a send queue takes would disconnect the new member.
            last = fitting(messages, chat.limits.send_queue_bytes, last=True)
            chat.send(session, Replay(room.name, tuple(last)))
