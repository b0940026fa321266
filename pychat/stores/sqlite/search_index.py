"""
The full text index: the words of messages, in which they are, and for whom.

`remove` has to give it the very same words as `add` did. Whoever changes what they are makes the index anew
(`schema.py`).

Where a message is, and for whom, is written in words as well, in the column `room`: the number of the room (`5`) if it
is for everybody there; else `5l`, and `5m` with the identity for each one who may see it, or `5x` if these are many.

SQLite looks for the next row that fits without giving anybody a chance to stop it. So one message of some thousands has
one word more, `tick`, and fits every search: whoever searches is never away for more than some milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from pychat.model.events import Event, Message
from pychat.model.search import Terms, spread
from pychat.stores.sqlite.database import Statement

_ADD: Final = "INSERT INTO words (rowid, room, text) SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)"
_REMOVE: Final = (
    "INSERT INTO words (words, rowid, room, text)"
    " SELECT 'delete', value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)"
)
_FIND: Final = "SELECT rowid FROM words WHERE words MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?"

_MOST_NAMED: Final = 50
"""Identities that are in the index for one message."""
_TICK: Final = 8192
"""One message of so many fits every search."""


def add(events: Iterable[tuple[int, Event]]) -> Statement:
    """Return the statement that lets events of rooms (by number) be found."""
    return _ADD, (_rows(events),)


def remove(events: Iterable[tuple[int, Event]]) -> Statement:
    """Return the statement that undoes `add` for the very same events: the index does not know what is in it."""
    return _REMOVE, (_rows(events),)


def is_tick(id: int) -> bool:
    """Whether a message with this id fits every search. Which ids these are follows no pattern of what is said."""
    return (id * 0x9E3779B97F4A7C15 >> 40) % _TICK == 0


def _rows(events: Iterable[tuple[int, Event]]) -> str:
    rows = [(event.id, _places(room, event), _text(event)) for room, event in events if type(event) is Message]
    return json.dumps(rows, ensure_ascii=False)


def _places(room: int, message: Message) -> str:
    places = str(room) if message.audience is None else " ".join(_of_few(room, message.audience))
    return f"{places} tick" if is_tick(message.id) else places


def _of_few(room: int, audience: frozenset[int]) -> Iterator[str]:
    yield f"{room}l"
    if len(audience) > _MOST_NAMED:
        yield f"{room}x"
    else:
        yield from (f"{room}m{identity}" for identity in sorted(audience))


def _text(message: Message) -> str:
    return spread(message.text.encode(errors="replace").decode().replace("\0", " "))


def find(connection: Any, room: int, terms: Terms, reader: int | None, before: int, limit: int) -> list[int]:
    """
    Return the ids of the last messages of a room that may be found, the newest first.

    They have the whole words of the terms, but for ticks, which may be in other rooms as well (`is_tick`). Messages
    that are not for the reader are left out, but for those whose audience is large.
    """
    return [id for (id,) in connection.execute(_FIND, (_expression(room, terms, reader), before, limit))]


def _expression(room: int, terms: Terms, reader: int | None) -> str:
    """Write it so that nothing of what somebody typed is syntax: words have letters and digits only."""
    places = [f"{room}", f"{room}l"] if reader is None else [f"{room}", f"{room}m{reader}", f"{room}x"]
    where = " OR ".join([f'"{place}"' for place in [*places, "tick"]])
    return " AND ".join([f"room : ({where})", *map(_phrase, terms.whole)])


def _phrase(words: tuple[str, ...]) -> str:
    return f'(text : "{" ".join(words)}" OR room : "tick")'
