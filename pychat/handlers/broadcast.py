"""Publishing messages to everybody in a room."""

from __future__ import annotations

from pychat.core.handler import Handler, only_publishes
from pychat.core.session import Session
from pychat.model.events import Message


class Broadcast(Handler):
    """Publish each message to its room, or to the person it is for. Replace it to restrict who gets messages."""

    waits = False

    @only_publishes
    def on_message(self, session: Session, message: Message) -> None:
        session.chat.publish(message)
