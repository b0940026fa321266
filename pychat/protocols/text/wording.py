"""The words of what people read (`render.py`): how lines are written, and what several kinds of them have in common."""

from __future__ import annotations

import re
import time
from calendar import timegm
from typing import Final, NamedTuple

from pychat.model.names import AUDIT
from pychat.model.text import clean, clean_line

DEFAULT_ROOM: Final = "lobby"


class Style(NamedTuple):
    """How lines are written."""

    default_room: str = DEFAULT_ROOM
    """The room that is not named before each of its messages."""
    local_time: bool = False
    """Whether the reader sits in front of this computer; if not, times have the name of its time zone behind them."""


def zone(style: Style, moment: float) -> str:
    """The name of the time zone, for one who may be in another."""
    return "" if style.local_time else time.strftime(" %Z", time.localtime(moment))


def with_local_times(text: str, style: Style) -> str:
    """A text of the server with the moments in it, which are UTC, as people here write them."""
    return _MOMENT.sub(lambda match: _local(match[0], style), text)


def _local(written: str, style: Style) -> str:
    try:
        moment = float(timegm(time.strptime(written, "%Y-%m-%d %H:%M:%S UTC")))
    except ValueError:  # no such day
        return written
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment)) + zone(style, moment)


_MOMENT: Final = re.compile(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]) (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9] UTC"
)
"""As `durations.moment` writes it."""


def in_room(room: str, style: Style) -> str:
    """What comes before a line about a room."""
    return "" if room == style.default_room else f"[{room}] "


def say(before: str, text: str) -> list[str]:
    """All lines of a text, each with what comes before it."""
    return [before + line if line else before.rstrip() for line in clean(text).split("\n")]


def note(text: str) -> list[str]:
    return ["-- " + clean_line(text)]


def away(text: str) -> str:
    """An away text in words; `/away` alone has the text "away"."""
    return "away" if text in ("", "away") else f"away: {text}"


def sign(roles: str) -> str:
    """What stands before the name of one who has these roles, as in IRC; no nickname begins so."""
    return "@" if "o" in roles else "+" if "v" in roles else ""


def listeners(role: str) -> str:
    """Who hears what is said to those with a role or a higher one (`Message.role`)."""
    return {"operator": "operators", "voice": "operators and voices"}.get(role, role)


def record_title(room: str, number: int, *, only_messages: bool, search: str = "", more: bool = False) -> str:
    """What a part of a room's record is, with so many events; `search`: the words that were looked for."""
    room = "the audit record" if room == AUDIT else room
    sight = ", as far as one question looks" if more and not number else ""
    if search:
        found = {0: "no message", 1: "1 message"}.get(number, f"the last {number} messages")
        return f"{found} of {room} with {clean_line(search)}{sight}"
    if not number:
        return f"no history of {room}{sight}"
    what = "message" if only_messages else "event"
    return f"last {what} of {room}" if number == 1 else f"last {number} {what}s of {room}"


def duration(seconds: float) -> str:
    """About how long, in one unit."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
