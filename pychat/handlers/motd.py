"""The message of the day: what a server says to everybody who comes in."""

from __future__ import annotations

from collections.abc import Iterable

from pychat.core.handler import Handler
from pychat.core.replies import Lines
from pychat.core.room import Room
from pychat.core.session import Session
from pychat.core.text import clean_line


class MessageOfTheDay(Handler):
    """
    Show lines to a session when it joins its first room.

    Add it before `History`, so that what was said in the room comes last, next to what is said now.
    """

    waits = False

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = tuple(clean_line(line) for line in lines)

    def on_join(self, session: Session, room: Room) -> None:
        if self._lines and self not in session.memo:
            session.memo[self] = True
            session.chat.send(session, Lines(None, self._lines))
