"""The words of what people read (`plain.py`): how lines are written, and what several kinds of them have in common."""

from __future__ import annotations

from typing import Final, NamedTuple

from pychat.core.text import clean, clean_line

DEFAULT_ROOM: Final = "lobby"


class Style(NamedTuple):
    """How lines are written."""

    default_room: str = DEFAULT_ROOM
    """The room that is not named before each of its messages."""
    local_time: bool = False
    """Whether times are those of this computer, for a reader in front of it, or UTC."""


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


def record_title(room: str, number: int, *, only_messages: bool, search: str = "") -> str:
    """What a part of a room's record is, with so many events; `search`: the words that were looked for."""
    if search:
        found = {0: "no message", 1: "1 message"}.get(number, f"the last {number} messages")
        return f"{found} of {room} with {clean_line(search)}"
    if not number:
        return f"no history of {room}"
    what = "message" if only_messages else "event"
    return f"last {what} of {room}" if number == 1 else f"last {number} {what}s of {room}"


def duration(seconds: float) -> str:
    """About how long, in one unit."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
