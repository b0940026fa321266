"""
Read the values of the JSON protocol, strictly, because any input can arrive from the network.

If a getter of `Fields` refuses a value, its error names the field and what is allowed. A null field counts as absent.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NoReturn

from pychat.model.errors import RemoteProtocolError
from pychat.model.limits import Limits
from pychat.model.queries import Ref

PROTOCOL_VERSION: Final = 1
REF_CHARS: Final = 64
_REF_LIMIT: Final = 2**63
_BLANKS: Final = " \t\r\n"
# Python's parser recurses in C for each level, and overflows a small thread stack before it notices: 4096 times "[" in
# one line would crash the server. No valid line needs more than five levels.
_DEEPEST: Final = 32
_STEP: Final = {"[": 1, "{": 1, "]": -1, "}": -1}
# An unterminated string matches to the end of the line, so that no part of it is scanned twice.
_BRACKET_OR_STRING: Final = re.compile(r'"(?:[^"\\]+|\\.)*"?|[\[\]{}]', re.DOTALL)
_LONGEST_NAME: Final = 1000
"""Limit for a name that a client accepts; servers have limits of their own."""
_ID: Final = re.compile("[0-9a-f]{16}")
_TIME: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\.([0-9]{3})Z")


class BadField(RemoteProtocolError):
    """A field is missing or has a wrong value; `allowed` completes "'field' must be ..."."""

    def __init__(self, field: str, allowed: str) -> None:
        super().__init__(field, allowed)
        self.field, self.allowed = field, allowed

    def __str__(self) -> str:
        return f"{self.field!r} must be {self.allowed}"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


_decode: Final = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def load_object(line: str) -> dict[str, Any]:
    """
    Parse one line.

    Raises:
        RemoteProtocolError: If it is not a JSON object, or one that is too deep or has numbers that are too long.
    """
    if line.count("[") + line.count("{") > _DEEPEST and _depth(line) > _DEEPEST:
        raise RemoteProtocolError(f"not JSON that can be read: nested deeper than {_DEEPEST}")
    line = line.strip(_BLANKS)
    try:
        value, end = _decode(line)
    except json.JSONDecodeError as error:
        raise RemoteProtocolError(f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}") from None
    except ValueError as error:  # NaN and Infinity, which json takes; integers of more digits than Python converts
        raise RemoteProtocolError(f"not JSON that can be read: {error}") from None
    if end != len(line):
        raise RemoteProtocolError(f"not JSON: Extra data at character {end + 1}")
    if type(value) is not dict:
        raise RemoteProtocolError('not a JSON object; send {"type": ...}')
    return value


def _depth(line: str) -> int:
    """Return how deeply the brackets of a line nest, not counting those in strings."""
    depth = deepest = 0
    for match in _BRACKET_OR_STRING.finditer(line):
        depth += _STEP.get(match[0], 0)
        deepest = max(deepest, depth)
    return deepest


def dump_object(value: dict[str, Any]) -> str:
    """Write one line, without its newline: JSON escapes all control characters, so nothing else can end it."""
    return _encode(value)


def to_bytes(lines: str) -> bytes:
    r"""Encode lines of JSON; a lone surrogate, which UTF-8 cannot hold, becomes the JSON escape `\udc80`."""
    return lines.encode("utf-8", "backslashreplace")


def format_id(number: int) -> str:
    """Return an event's id as sixteen hex digits, so that ids also sort as text."""
    return f"{number:016x}"


def format_time(moment: float) -> str:
    """Return POSIX seconds as UTC with milliseconds."""
    seconds, milliseconds = divmod(int(moment * 1000 + 0.5), 1000)
    return f"{_format_second(seconds)}.{milliseconds:03d}Z"


@lru_cache(maxsize=1024)
def _format_second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


@lru_cache(maxsize=1024)
def _parse_second(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


class Fields:
    """The fields of an object. Every getter raises BadField."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def has(self, name: str) -> bool:
        """Return whether the field is present and not null."""
        return self._values.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string, required unless there is a default."""
        value = self._values.get(name)
        if type(value) is str:
            return value
        if value is None and default is not None:
            return default
        raise BadField(name, "a string")

    def name(self, name: str) -> str:
        """Return the name of a person, a room or an account."""
        value = self.text(name)
        if len(value) > _LONGEST_NAME:
            raise BadField(name, f"a string of at most {_LONGEST_NAME} characters")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a string or None."""
        value = self._values.get(name)
        if value is None or type(value) is str:
            return value
        raise BadField(name, "a string")

    def texts(self, name: str) -> tuple[str, ...]:
        """Return strings; empty if the field is absent."""
        value = self._values.get(name)
        if value is None:
            return ()
        if type(value) is not list or not all(type(part) is str for part in value):
            raise BadField(name, "an array of strings")
        return tuple(value)

    def words(self, name: str) -> dict[str, str]:
        """Return an object of strings; empty if the field is absent."""
        value = self._values.get(name)
        if value is None:
            return {}
        if type(value) is not dict or not all(type(part) is str for part in value.values()):
            raise BadField(name, "an object of strings")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """Return true or false; the default if the field is absent."""
        value = self._values.get(name)
        if value is None:
            return default
        if type(value) is not bool:
            raise BadField(name, "true or false")
        return value

    def count(self, name: str, least: int = 0) -> int:
        """Return an integer."""
        value = self._values.get(name)
        if type(value) is not int or value < least:
            raise BadField(name, f"an integer, at least {least}")
        return value

    def number(self, name: str) -> float:
        """Return a number, whole or not."""
        value = self._values.get(name)
        if type(value) is int and abs(value) < _REF_LIMIT:
            return value
        if type(value) is float and math.isfinite(value):
            return value
        raise BadField(name, "a number")

    def id(self, name: str) -> int:
        """Return an event's id."""
        value = self._values.get(name)
        if type(value) is not str or not _ID.fullmatch(value):
            raise BadField(name, "an event id: 16 digits 0-9 a-f")
        return int(value, 16)

    def optional_id(self, name: str) -> int | None:
        """Return an event's id, or None."""
        return self.id(name) if self.has(name) else None

    def time(self, name: str) -> float:
        """Return a moment in POSIX seconds."""
        value = self._values.get(name)
        match = _TIME.fullmatch(value) if type(value) is str else None
        if match:
            try:
                return (_parse_second(match[1]) * 1000 + int(match[2])) / 1000
            except ValueError:  # a month 13
                pass
        raise BadField(name, "a time like 2026-11-22T15:04:05.123Z")

    def ref(self) -> Ref:
        """Return the requester's mark."""
        value = self._values.get("ref")
        if value is None or (type(value) is str and len(value) <= REF_CHARS):
            return value
        if type(value) is int and -_REF_LIMIT <= value < _REF_LIMIT:
            return value
        raise BadField("ref", f"a string of at most {REF_CHARS} characters or an integer of 64 bits")

    def object(self, name: str) -> Fields | None:
        """Return the fields of an object inside a field, or None."""
        value = self._values.get(name)
        if value is None:
            return None
        if type(value) is not dict:
            raise BadField(name, "an object")
        return Fields(value)

    def objects(self, name: str) -> list[Fields]:
        """Return the objects of an array."""
        value = self._values.get(name)
        if type(value) is not list or not all(type(part) is dict for part in value):
            raise BadField(name, "an array of objects")
        return [Fields(part) for part in value]


_PUBLIC_LIMITS: Final = (
    "line_bytes",
    "text_bytes",
    "text_lines",
    "short_text_chars",
    "nickname_chars",
    "room_name_chars",
    "rooms_per_session",
    "history_page",
    "ping_seconds",
    "silence_seconds",
    "resume_seconds",
)
"""The limits that a client needs to know; the others are internal to the server."""


_ROOMS: Final = Limits().rooms_per_session
"""This many rooms, with their keys, fit in a line of the usual size."""
_NAME_BYTES: Final = 3
"""Maximum bytes of each character."""
_KEY_BYTES: Final = 48
"""Maximum bytes of a key, with separators."""


def line_bytes(limits: Limits) -> int:
    """
    Return how many bytes a client may send in one line.

    Any text fits, even if every character needs an escape, and so does a `hello` with the maximum number of rooms.
    """
    return limits.line_bytes + 2 * limits.text_bytes + _bytes_for_rooms(limits)


def unfinished_bytes(limits: Limits) -> int:
    """Return after how many bytes without a newline a client is disconnected."""
    return limits.unfinished_bytes + _bytes_for_rooms(limits)


def _bytes_for_rooms(limits: Limits) -> int:
    """Return the additional bytes for more rooms than usual: each name twice, as for a room with a key."""
    return max(0, limits.rooms_per_session - _ROOMS) * (2 * _NAME_BYTES * limits.room_name_chars + _KEY_BYTES)


@lru_cache(maxsize=8)
def write_limits(limits: Limits) -> Mapping[str, float]:
    """
    Return the value of `limits` in a welcome; infinite limits are left out, because JSON cannot express them.

    It is made once for all clients of a server.
    """
    values = {name: getattr(limits, name) for name in _PUBLIC_LIMITS}
    return {name: value for name, value in values.items() if math.isfinite(value)}


def read_limits(fields: Fields) -> Limits:
    """Return the limits of a welcome, with defaults for those not given."""
    limits, given = Limits(), fields.object("limits") or Fields({})
    values: dict[str, Any] = {}
    for name in _PUBLIC_LIMITS:
        if given.has(name):
            values[name] = given.number(name) if type(getattr(limits, name)) is float else given.count(name)
    return replace(limits, **values)
