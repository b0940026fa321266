"""How long bans last: as people write it, and as they are told."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final, TypeVar

from pychat.model.clock import Clock
from pychat.model.errors import LimitExceeded, Refused
from pychat.model.modes import MaskEntry
from pychat.model.text import because

if TYPE_CHECKING:
    from pychat.model.server_ban import ServerBan

MOST_SECONDS: Final = 10 * 365 * 86_400
"""Whoever wants more wants no end."""

_SET_SECONDS: Final = 2.0
"""By how much a clock is set at least; it may run a little faster or slower without that."""

B = TypeVar("B", "MaskEntry", "ServerBan")

_LENGTHS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_DURATION: Final = re.compile(r"(?:[0-9]{1,9}(?:s|min|m|h|d|w))+", re.ASCII)
_PART: Final = re.compile(r"([0-9]+)([a-z]+)", re.ASCII)


def parse_duration(text: str) -> int | None:
    """Return the seconds of `90s`, `10m` (or `10min`), `2h`, `1d12h` or `1w`; None: it is no such thing, or nothing."""
    if len(text) > 40 or not _DURATION.fullmatch(text):
        return None
    return sum([int(number) * _LENGTHS[unit] for number, unit in _PART.findall(text)]) or None


class BadDuration(Refused):
    """What looks like a duration is none. Whoever mistypes one means no ban for ever."""

    code = "bad_request"

    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:40]!r} is no duration; use 90s, 10m, 2h, 1d12h or 1w, and no digit before a reason")


def take_duration(text: str) -> tuple[int | None, str]:
    """
    Return the seconds that a text begins with, None if it does not, and the rest.

    Raises:
        BadDuration: It begins with a digit, and not with a duration.
    """
    first, *rest = text.split(None, 1) or [""]
    seconds = parse_duration(first)
    if seconds is not None:
        return seconds, rest[0] if rest else ""
    if first[:1].isdigit():
        raise BadDuration(first)
    return None, text


def write_duration(seconds: float) -> str:
    """Return it as `parse_duration` reads it: "1d12h"; less than a second is left out."""
    left, parts = int(seconds), []
    for unit in ("w", "d", "h", "m", "s"):
        number, left = divmod(left, _LENGTHS[unit])
        parts += [f"{number}{unit}"] if number else []
    return "".join(parts) or "0s"


def end_of(seconds: float | None, now: float) -> float | None:
    """
    Return when that is over; None: never.

    Raises:
        LimitExceeded: It would be too late.
    """
    if seconds is None:
        return None
    if seconds > MOST_SECONDS:
        raise LimitExceeded("how long", MOST_SECONDS, "seconds")
    return now + seconds


def deadline_of(until: float | None, clock: Clock) -> float | None:
    """
    Return when it is that moment, in POSIX seconds, by `Clock.monotonic`; None: never.

    What has begun to last goes on as long as it was meant to, wherever the clock is set meanwhile.
    """
    return None if until is None else clock.monotonic() + until - clock.time()


def as_of_now(ban: B, clock: Clock) -> B:
    """Return a ban with its end by the clock as it is now: it may have been set since the ban was made."""
    if ban.deadline is None or ban.until is None:
        return ban
    until = ban.deadline - clock.monotonic() + clock.time()
    return ban if abs(until - ban.until) < _SET_SECONDS else ban._replace(until=until)


def moment(when: float) -> str:
    """A moment, for people in any time zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(when))


def until_when(entry: MaskEntry) -> str:
    """What is told behind "you are banned": until when, and why."""
    until = "" if entry.until is None else f" until {moment(entry.until)}"
    return until + because(entry.reason)
