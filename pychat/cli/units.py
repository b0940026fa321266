"""Parse amounts as people write them: durations, sizes, and positions in a record."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from pychat.model.durations import parse_duration
from pychat.model.errors import ChatError
from pychat.model.queries import Moment, Position

_BYTES: Final[Mapping[str, int]] = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_AMOUNT: Final = re.compile("([0-9]{1,9})([A-Za-z]+)")
_EVENT_ID: Final = re.compile("[0-9a-f]{16}")
_OF_TODAY: Final = re.compile("[0-9]{2}:[0-9]{2}(:[0-9]{2})?")


class BadAmount(ChatError):
    """A text is not a valid amount; `str(error)` says what is."""


def check_event_id(text: str) -> None:
    """Check that a text is the id of an event, as `pychat tail --json` prints it; leading zeros may be left out."""
    if not re.fullmatch("[0-9a-f]{1,16}", text):
        raise BadAmount(f"{text!r} is not an event id: up to 16 digits 0-9 a-f")


class Keep(NamedTuple):
    """The retention of a record; None for no limit."""

    seconds: int | None = None
    bytes: int | None = None


def parse_keep(texts: Iterable[str]) -> Keep:
    """
    Return the retention for `30d`, `1GB` or both.

    Raises:
        BadAmount: If one of them is neither, or there are two of a kind.
    """
    keep = Keep()
    for text in texts:
        seconds, size = parse_duration(text), _amount(text, _BYTES)
        if not seconds and not size:
            raise BadAmount(
                f"{text!r} is neither a time nor a size; write it like 30d (or s, m, h, w) or 1GB (or MB, TB)"
            )
        if (seconds and keep.seconds is not None) or (size and keep.bytes is not None):
            raise BadAmount(f"{text!r} is one too many; give one time, or one size, or one of each")
        keep = keep._replace(seconds=seconds) if seconds else keep._replace(bytes=size)
    return keep


def parse_position(text: str, now: float | None = None) -> Position:
    """
    Return a position in a record: an event id, or a local time.

    Args:
        text: An id, `2026-11-22`, `2026-11-22T15:04`, `15:04` (today) or `2h` (two hours ago).
        now: POSIX seconds; default: the current time.

    Raises:
        BadAmount: If it is neither.
    """
    if _EVENT_ID.fullmatch(text):
        return int(text, 16)
    now = time.time() if now is None else now
    ago = parse_duration(text)
    try:
        if ago is not None:
            return Moment(now - ago)
        day = f"{datetime.fromtimestamp(now):%Y-%m-%d}T" if _OF_TODAY.fullmatch(text) else ""
        return Moment(datetime.fromisoformat(day + text).timestamp())
    except (ValueError, OverflowError, OSError):
        raise BadAmount(
            f"{text!r} is neither a time nor an event id; write it like 2026-11-22, 2026-11-22T15:04, 15:04 or 2h "
            "(ago), or as 16 digits 0-9 a-f"
        ) from None


def _amount(text: str, units: Mapping[str, int]) -> int | None:
    match = _AMOUNT.fullmatch(text)
    return int(match[1]) * units[match[2]] if match and match[2] in units else None


def number_of(count: int, thing: str) -> str:
    """Return a number with its noun, given in the singular: `1 room`, `2 rooms`."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def size_of(count: int) -> str:
    """Return a number of bytes for people to read."""
    for unit, length in reversed([*_BYTES.items()]):
        if count >= length:
            return f"{count / length:.1f} {unit}"
    return f"{count / 1000:.1f} kB"
