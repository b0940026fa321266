"""Durations of bans: parsing and writing them."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final, TypeVar

from pychat.model.clock import Clock
from pychat.model.errors import BadDuration, LimitExceeded
from pychat.model.modes import MaskEntry
from pychat.model.text import because

if TYPE_CHECKING:
    from pychat.model.server_ban import ServerBan

MOST_SECONDS: Final = 10 * 365 * 86_400
"""The maximum duration; longer bans must be permanent."""

_SET_SECONDS: Final = 2.0
"""A smaller change of the clock is taken for drift, not for a clock that was set."""

B = TypeVar("B", "MaskEntry", "ServerBan")

_LENGTHS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_DURATION: Final = re.compile(r"(?:[0-9]{1,9}(?:s|min|m|h|d|w))+", re.ASCII)
_PART: Final = re.compile(r"([0-9]+)([a-z]+)", re.ASCII)


def parse_duration(text: str) -> int | None:
    """Return the seconds of `90s`, `10m` (or `10min`), `2h`, `1d12h` or `1w`; None if it is zero or not a duration."""
    if len(text) > 40 or not _DURATION.fullmatch(text):
        return None
    return sum([int(number) * _LENGTHS[unit] for number, unit in _PART.findall(text)]) or None


def take_duration(text: str) -> tuple[int | None, str]:
    """
    Return the seconds of the duration at the beginning of a text, None if there is none, and the rest.

    Raises:
        BadDuration: If it begins with a digit, but not with a duration.
    """
    first, *rest = text.split(None, 1) or [""]
    seconds = parse_duration(first)
    if seconds is not None:
        return seconds, rest[0] if rest else ""
    if first[:1].isdigit():
        raise BadDuration(first)
    return None, text


def write_duration(seconds: float) -> str:
    """Return the duration as `parse_duration` reads it: "1d12h"; fractions of a second are dropped."""
    left, parts = int(seconds), []
    for unit in ("w", "d", "h", "m", "s"):
        number, left = divmod(left, _LENGTHS[unit])
        parts += [f"{number}{unit}"] if number else []
    return "".join(parts) or "0s"


def check_seconds(seconds: float | None) -> float | None:
    """
    Check the duration of a ban, and return it; None is for ever.

    Raises:
        LimitExceeded: If it is too long, or not a duration.
    """
    if seconds is not None and not 0 <= seconds <= MOST_SECONDS:
        raise LimitExceeded("how long", MOST_SECONDS, "seconds")
    return seconds


def deadline_of(until: float | None, clock: Clock) -> float | None:
    """
    Return the `Clock.monotonic` time of a moment in POSIX seconds; None for never.

    So a ban lasts as long as intended, even if the clock is set meanwhile.
    """
    return None if until is None else clock.monotonic() + until - clock.time()


def as_of_now(ban: B, clock: Clock) -> B:
    """Return a ban with its end by the current clock, which may have been set since the ban was made."""
    if ban.deadline is None or ban.until is None:
        return ban
    until = ban.deadline - clock.monotonic() + clock.time()
    return ban if abs(until - ban.until) < _SET_SECONDS else ban._replace(until=until)


def moment(when: float) -> str:
    """Return a time in UTC, for people in any time zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(when))


def until_when(entry: MaskEntry) -> str:
    """Return the text after "you are banned": the end and the reason."""
    until = "" if entry.until is None else f" until {moment(entry.until)}"
    return until + because(entry.reason)
