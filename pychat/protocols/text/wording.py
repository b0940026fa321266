"""Wording shared by several kinds of lines that people read (`render.py`)."""

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
    """True if the reader uses this computer; otherwise times are followed by the name of their time zone."""


def zone(style: Style, moment: float) -> str:
    """Return the name of the time zone, for a reader who may be in another one."""
    return "" if style.local_time else time.strftime(" %Z", time.localtime(moment))


def with_local_times(text: str, style: Style) -> str:
    """Return a text of the server with its moments, which are UTC, in local time."""
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
"""The format of `durations.moment`."""


def in_room(room: str, style: Style) -> str:
    """Return the prefix of a line about a room."""
    return "" if room == style.default_room else f"[{room}] "


def say(before: str, text: str) -> list[str]:
    """Return all lines of a text, each with the prefix."""
    return [before + line if line else before.rstrip() for line in clean(text).split("\n")]


def note(text: str) -> list[str]:
    return ["-- " + clean_line(text)]


def away(text: str) -> str:
    """Return an away text in words; `/away` alone has the text "away"."""
    return "away" if text in ("", "away") else f"away: {text}"


def sign(roles: str) -> str:
    """Return the sign before the name of a member with these roles, as in IRC; no nickname begins with it."""
    return "@" if "o" in roles else "+" if "v" in roles else ""


def listeners(role: str) -> str:
    """Return who receives a message to those with a role or a higher one (`Message.role`)."""
    return {"operator": "operators", "voice": "operators and members with voice"}.get(role, role)


def record_title(room: str, number: int, *, only_messages: bool, search: str = "", more: bool = False) -> str:
    """Return the title of a part of a room's record with `number` events; `search` holds the words searched for."""
    room = "the audit record" if room == AUDIT else room
    sight = ", as far as one request looks" if more and not number else ""
    if search:
        found = {0: "no message", 1: "1 message"}.get(number, f"the last {number} messages")
        return f"{found} of {room} with {clean_line(search)}{sight}"
    if not number:
        return f"no history of {room}{sight}"
    what = "message" if only_messages else "event"
    return f"last {what} of {room}" if number == 1 else f"last {number} {what}s of {room}"


def duration(seconds: float) -> str:
    """Return the approximate duration in one unit."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
