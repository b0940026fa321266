"""
The full text index: the words of messages, with their rooms and audiences.

`remove` must pass exactly the words that `add` passed. A change of these words needs a migration that rebuilds the
index (`schema.py`).

The room and the audience of a message are words, too, in the column `room`: the number of the room (`5`) if it is for
everybody there; else `5l`, and `5m` with the identity for each recipient, or `5x` if there are many.

SQLite searches for the next matching row without a chance to stop it. So one message of some thousands has an
additional word, `tick`, which matches every search, so that a search returns after some milliseconds at most.
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
"""The maximum number of recipients of one message in the index."""
_TICK: Final = 8192
"""One message of so many matches every search."""


def add(events: Iterable[tuple[int, Event]]) -> Statement:
    """Return the statement that indexes events of rooms (by number)."""
    return _ADD, (_rows(events),)


def remove(events: Iterable[tuple[int, Event]]) -> Statement:
    """Return the statement that undoes `add` for exactly these events: the index does not store their words."""
    return _REMOVE, (_rows(events),)


def is_tick(id: int) -> bool:
    """Return whether a message with this id matches every search. These ids are spread evenly by a hash."""
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
    Return the ids of the last messages of a room that may match, the newest first.

    They contain the whole words of the terms, except for ticks, which may also be in other rooms (`is_tick`). Messages
    that the reader may not see are left out, except for those with a large audience.
    """
    return [id for (id,) in connection.execute(_FIND, (_expression(room, terms, reader), before, limit))]


def _expression(room: int, terms: Terms, reader: int | None) -> str:
    """Return the search expression. Typed text cannot become syntax, because words contain only letters and digits."""
    places = [f"{room}", f"{room}l"] if reader is None else [f"{room}", f"{room}m{reader}", f"{room}x"]
    where = " OR ".join([f'"{place}"' for place in [*places, "tick"]])
    return " AND ".join([f"room : ({where})", *map(_phrase, terms.whole)])


def _phrase(words: tuple[str, ...]) -> str:
    return f'(text : "{" ".join(words)}" OR room : "tick")'
