"""
The codec of events: their form in the file.

A block of events is a list in JSON. An event is itself a list: the name of its kind, then its fields in the order of
the class; trailing fields with default values are left out. A burst is one item with all its texts. Nothing that is
read is ever executed, and an unknown kind is an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, cast

from pychat.model.burst import Burst, moments
from pychat.model.errors import ChatError
from pychat.model.events import (
    AccountChanged,
    AwayChanged,
    Disconnected,
    Event,
    Invited,
    Joined,
    Kicked,
    Left,
    Message,
    ModesChanged,
    Notice,
    ProfileChanged,
    Renamed,
    TopicChanged,
)
from pychat.model.modes import ModeChange

Block: TypeAlias = list[Event | Burst]
"""Events in order; a burst is one item."""


class Unreadable(ChatError):
    """The data is not a valid record: the file is damaged, or was written by a later version."""

    reason: Final = "the file is damaged"
    """The text for people."""


class _Kind(NamedTuple):
    """The form of one class of events."""

    event: Callable[..., Event]
    defaults: tuple[Any, ...]
    """The defaults of the last fields."""
    restore: Mapping[int, Callable[[Any], Any]]
    """Conversions of fields, by index, that JSON has no type for."""


def _kind(event: Any, **restore: Callable[[Any], Any]) -> _Kind:
    fields = event._fields
    return _Kind(event, tuple(event._field_defaults.values()), {fields.index(name): to for name, to in restore.items()})


def _audience(identities: list[int] | None) -> frozenset[int] | None:
    return None if identities is None else frozenset(identities)


def _changes(changes: list[list[Any]]) -> tuple[ModeChange, ...]:
    return tuple([ModeChange(*change) for change in changes])


_KINDS: Final[dict[str, _Kind]] = {
    "message": _kind(Message, audience=_audience),
    "joined": _kind(Joined),
    "left": _kind(Left),
    "kicked": _kind(Kicked),
    "disconnected": _kind(Disconnected, rooms=tuple),
    "renamed": _kind(Renamed, rooms=tuple),
    "away": _kind(AwayChanged, rooms=tuple),
    "account": _kind(AccountChanged, rooms=tuple),
    "profile": _kind(ProfileChanged, rooms=tuple),
    "topic": _kind(TopicChanged),
    "modes": _kind(ModesChanged, changes=_changes),
    "invited": _kind(Invited),
    "notice": _kind(Notice),
}
_NAMES: Final = {kind.event: name for name, kind in _KINDS.items()}
_BURST: Final = "burst"

_MOST_SECONDS: Final = 1e12
"""A bound for plausible times of a clock."""

# No client's text contains surrogates, but a program may publish any string, which must be restored, too.
_ENCODING: Final = ("utf-8", "surrogatepass")
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=sorted).encode


def encode_block(parts: Iterable[Sequence[Event]]) -> bytes:
    """Return the record of consecutive events, given as one or more sequences, some of them bursts."""
    items: list[list[Any]] = []
    for part in parts:
        if type(part) is Burst:
            item = [_BURST, part.first, _short(part.times), part.room, part.sender, part.userhost, part.texts]
            items.append(item if part.account is None else [*item, part.account])
        else:
            items += map(_item, part)
    return _encode(items).encode(*_ENCODING)


def _item(event: Event) -> list[Any]:
    name = _NAMES[type(event)]
    item: list[Any] = [name, *event]
    for default in reversed(_KINDS[name].defaults):
        if item[-1] != default:
            break
        item.pop()
    return item


def _short(times: Sequence[float]) -> int | float | Sequence[float]:
    """Return the times of a burst as one number if they follow from it, which is ten times as fast to write."""
    if abs(times[0]) < _MOST_SECONDS:
        milliseconds = int(times[0] * 1000)
        if times == moments(milliseconds, len(times)):
            return milliseconds
    return times[0] if times == [times[0]] * len(times) else times


def _times(short: int | float | list[float], count: int) -> list[float]:
    """Return the times that `_short` was given."""
    if isinstance(short, list):
        return short
    return moments(short, count) if type(short) is int else [short] * count


def count_messages(events: Sequence[Event]) -> int:
    """Return the number of messages among the events."""
    return len(events) if type(events) is Burst else sum([type(event) is Message for event in events])


def decode_block(record: bytes) -> Block:
    """
    Return the block that `encode_block` was given.

    Raises:
        Unreadable: If it is not such a record.
    """
    try:
        return [_restored(*item) for item in json.loads(record.decode(*_ENCODING))]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise Unreadable(f"not a record of events: {record[:40]!r}") from error


def _restored(name: str, *fields: Any) -> Event | Burst:
    if name == _BURST:
        first, times, room, sender, userhost, texts, *account = fields
        return Burst(first, _times(times, len(texts)), room, sender, userhost, texts, *account)
    kind = _KINDS[name]
    if kind.restore:
        values = list(fields)
        for index, restore in kind.restore.items():
            if index < len(values):
                values[index] = restore(values[index])
        return kind.event(*values)
    return kind.event(*fields)


def events_of(block: Block) -> list[Event]:
    """Return the events of a block one by one."""
    events: list[Event] = []
    for item in block:
        if type(item) is Burst:
            events += item
        else:
            events.append(cast("Event", item))
    return events
