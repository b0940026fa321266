"""Lines for people with timestamps: `[15:04] ann: hello`, and a line for each new day."""

from __future__ import annotations

import time

from pychat.cli.client.display import Lines
from pychat.client import Dropped, Heard, LateAnswer, Reconnected, Reconnecting
from pychat.model.events import Event
from pychat.protocols.text.render import Style, render


class Stamped:
    """Adds timestamps to items in order."""

    def __init__(self, room: str | None) -> None:
        """
        Args:
            room: The room whose name is not shown before its messages; None to show all names.
        """
        self._style = Style("" if room is None else room, local_time=True)
        self._lines = Lines()
        self._day = ""
        """Of the line before."""
        self._day_of_events = ""
        """Of the event before: what the client says itself may be printed elsewhere, or nowhere."""

    def show(self, heard: Heard) -> list[str]:
        """Return the lines that describe an item; there may be none."""
        if isinstance(heard, Reconnecting | Reconnected | Dropped | LateAnswer):
            lines = self._lines.show(heard)
        else:
            lines = render(heard, self._style)
        moment = time.localtime(heard.time if isinstance(heard, Event) else None)
        day, minute = time.strftime("%Y-%m-%d", moment), time.strftime("%H:%M", moment)
        stamped = [f"[{minute}] {line}" for line in lines if line]
        if not stamped:
            return []
        before = self._day_of_events if isinstance(heard, Event) else self._day
        self._day = day
        if isinstance(heard, Event):
            self._day_of_events = day
        return stamped if day == before else [f"-- {day}", *stamped]
