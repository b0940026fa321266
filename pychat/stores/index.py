"""The full text index: the words of messages, and in which they are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from pychat.core.events import Event, Message
from pychat.core.searching import Term, Terms
from pychat.stores.sqlite import Statement

_ADD: Final = "INSERT INTO words (rowid, room, text) SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)"
_REMOVE: Final = (
    "INSERT INTO words (words, rowid, room, text)"
    " SELECT 'delete', value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)"
)
_FIND: Final = "SELECT rowid FROM words WHERE words MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?"


def add(events: Iterable[tuple[int, Event]]) -> Statement:
    """Return the statement that lets events of rooms (by number) be found."""
    return _ADD, (_rows(events),)


def remove(events: Iterable[tuple[int, Event]]) -> Statement:
    """Return the statement that undoes `add` for the very same events: the index does not know what is in it."""
    return _REMOVE, (_rows(events),)


def _rows(events: Iterable[tuple[int, Event]]) -> str:
    rows = [(event.id, str(room), _text(event)) for room, event in events if type(event) is Message]
    return json.dumps(rows, ensure_ascii=False)


def _text(message: Message) -> str:
    return message.text.encode(errors="replace").decode().replace("\0", " ")


def find(connection: Any, room: int, terms: Terms, before: int, limit: int) -> list[int]:
    """Return the ids of the last messages of a room that have the words, the newest first."""
    return [id for (id,) in connection.execute(_FIND, (_expression(room, terms), before, limit))]


def _expression(room: int, terms: Terms) -> str:
    """Write it so that nothing of what somebody typed is syntax: words have letters and digits only."""
    phrases = " ".join(map(_phrase, terms.terms))
    return f'room : "{room}" AND text : ({phrases})'


def _phrase(term: Term) -> str:
    return f'"{" ".join(term.words)}"' + " *" * term.prefix
