"""Reading the record of a room from the file, in pieces: nothing here needs more memory for a longer record."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from pychat.core.errors import NotReadable
from pychat.core.events import Event, Message
from pychat.core.log import milliseconds
from pychat.core.searching import Terms
from pychat.stores import index
from pychat.stores.records import Unreadable, decode_block, events_of
from pychat.stores.sqlite import Readers, StoreError

# The blocks of a room do not overlap, so the one with an id is the last that begins before it.
_FROM: Final = (
    "SELECT events FROM blocks WHERE room = :room AND first >="
    " (SELECT coalesce(max(first), 0) FROM blocks WHERE room = :room AND first <= :after) ORDER BY first"
)
_BACK: Final = "SELECT events FROM blocks WHERE room = ? AND first < ? ORDER BY first DESC"
_WITH: Final = "SELECT events FROM blocks WHERE room = ? AND first <= ? ORDER BY first DESC LIMIT 1"
_TIME: Final = "SELECT last_time FROM blocks WHERE room = ? AND first <= ? ORDER BY first DESC LIMIT 1"
_ENDS: Final = "SELECT min(first), max(first) FROM blocks WHERE room = ?"
_NOT_INDEXED: Final = (
    "SELECT events FROM blocks WHERE block > (SELECT digested FROM state) AND +room = ? ORDER BY block DESC"
)


class Reader:
    """Reads what is in the file, for any thread. Rooms are given by their numbers."""

    def __init__(self, database: Readers) -> None:
        self._database = database

    def after(self, room: int, after: int, limit: int) -> list[Event]:
        """Return the first events behind an id."""
        events: list[Event] = []
        with self._connection() as connection:
            for (record,) in connection.execute(_FROM, {"room": room, "after": after}):
                events += [event for event in _events(record) if event.id > after]
                if len(events) >= limit:
                    break
        return events[:limit]

    def before(self, room: int, before: int, limit: int) -> list[Event]:
        """Return the last events before an id, oldest first."""
        blocks: list[list[Event]] = []
        count = 0
        with self._connection() as connection:
            for (record,) in connection.execute(_BACK, (room, before)):
                blocks.append([event for event in _events(record) if event.id < before])
                count += len(blocks[-1])
                if count >= limit:
                    break
        events = [event for block in reversed(blocks) for event in block]
        return events[max(0, count - limit) :]

    def first_at(self, room: int, wanted: int) -> int | None:
        """Return the id of the first event of this millisecond or a later one; None if there is none."""
        with self._connection() as connection:

            def time_of(id: int) -> int:
                ((time,),) = connection.execute(_TIME, (room, id)).fetchall()
                return milliseconds(time)

            ((first, last),) = connection.execute(_ENDS, (room,)).fetchall()
            if first is None:
                return None
            ids = range(first, last + 1)
            # As times never go back, the ids can be searched like a sorted list; each step is one look at the index.
            at = bisect_left(ids, wanted, key=time_of)
            if at == len(ids):
                return None
            ((record,),) = connection.execute(_WITH, (room, ids[at])).fetchall()
        return next((event.id for event in _events(record) if milliseconds(event.time) >= wanted), None)

    def search(self, room: int, terms: Terms, before: int, limit: int) -> list[Event]:
        """Return the last messages that have the words, before an id, oldest first."""
        found: dict[int, Event] = {}
        with self._connection() as connection:
            connection.execute("BEGIN")  # so that nothing moves into the index between the two questions
            try:
                for (record,) in connection.execute(_NOT_INDEXED, (room,)):
                    if terms.may_be_in(record):
                        found.update(_having(terms, _events(record)))
                ids = index.find(connection, room, terms, before, limit)
                while ids:
                    ((record,),) = connection.execute(_WITH, (room, ids[0])).fetchall() or [(b"[]",)]
                    events = {event.id: event for event in _events(record)}
                    found.update({id: events[id] for id in ids if id in events})
                    ids = [id for id in ids[1:] if id not in events]
            finally:
                connection.execute("COMMIT")
        matching = [found[id] for id in sorted(found) if id < before]
        return matching[max(0, len(matching) - limit) :]

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        try:
            with self._database.reading() as connection:
                yield connection
        except (StoreError, Unreadable) as error:
            raise NotReadable(error.reason) from error


def _events(record: bytes) -> list[Event]:
    return events_of(decode_block(record))


def _having(terms: Terms, events: list[Event]) -> Iterator[tuple[int, Event]]:
    for event in events:
        if type(event) is Message and terms.are_in(event.text):
            yield event.id, event
