"""
Reading the log of a room from the file, in pieces: a longer log needs no more memory.

Between two pieces, neither a connection nor a transaction is held, so a long reading does not block maintenance.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final, NamedTuple

from pychat.core.log.log import Portion, having
from pychat.core.log.ring_buffer import EVER
from pychat.model.errors import NotReadable
from pychat.model.events import Event
from pychat.model.search import Terms
from pychat.model.times import Place, milliseconds
from pychat.stores.sqlite import search_index as index
from pychat.stores.sqlite.database import Readers, StoreError
from pychat.stores.sqlite.event_codec import Unreadable, decode_block, events_of

_SOME_BLOCKS: Final = 64
_SOME_BYTES: Final = 256 * 1024
"""The maximum to read at once; blocks are small in quiet rooms."""
_SOME_IDS: Final = 64

_BLOCK: Final = "SELECT block, first, last, events FROM blocks"
_WITH_MESSAGES: Final = f"{_BLOCK} INDEXED BY blocks_with_messages WHERE messages IS NOT 0 AND"
_ALL: Final = f"{_BLOCK} WHERE"
# The blocks of a room do not overlap, so the one with an id is the last that begins at or before it.
_FROM: Final = (
    " room = :room AND last > :id AND first >="
    " (SELECT coalesce(max(first), 0) FROM blocks WHERE room = :room AND first <= :id) ORDER BY first LIMIT :limit"
)
_BACK: Final = " room = :room AND first < :id ORDER BY first DESC LIMIT :limit"
_WITH: Final = f"{_ALL} room = :room AND first <= :id ORDER BY first DESC LIMIT :limit"
_TIME: Final = "SELECT last_time FROM blocks WHERE room = ? AND first <= ? ORDER BY first DESC LIMIT 1"
_ENDS: Final = "SELECT min(first), max(first) FROM blocks WHERE room = ? AND first >= ? AND first < ?"
_DIGESTED: Final = "SELECT digested FROM state"


class _Block(NamedTuple):
    """A block as it is in the file."""

    number: int
    first: int
    last: int
    record: bytes

    def events(self) -> list[Event]:
        return events_of(decode_block(self.record))


class Reader:
    """Reads the file, for any thread. Rooms are given by their numbers. See `Log.forth` and its siblings."""

    def __init__(self, database: Readers, steps: Collection[int], *, counted: bool = True) -> None:
        """
        Args:
            steps: The ids at which times decrease (`Log.set_back`); more may be added.
            counted: True if the blocks of this file have counts of their messages.
        """
        self._steps = steps
        self._database = database
        self._messages = _WITH_MESSAGES if counted else _ALL

    def forth(self, room: int, after: int, *, messages_only: bool = False) -> Iterator[Portion]:
        """Yield the events after an id, block by block."""
        sql = (self._messages if messages_only else _ALL) + _FROM
        while blocks := self._some(sql, room, after, _SOME_BLOCKS):
            for block in blocks:
                with self._readable():
                    events = [event for event in block.events() if event.id > after]
                yield Portion(events, block.last, slow=True)
            after = block.last

    def back(self, room: int, before: int = EVER, *, messages_only: bool = False) -> Iterator[Portion]:
        """Yield the events before an id, block by block, the last one first."""
        for block in self._back(room, before, messages_only=messages_only):
            with self._readable():
                events = [event for event in block.events() if event.id < before]
            yield Portion(events, block.first, slow=True)

    def find(self, room: int, terms: Terms, before: int = EVER, *, reader: int | None = None) -> Iterator[Portion]:
        """Yield the messages that match the terms, before an id, the last ones first."""
        # The end of the log is not indexed yet. The index is not used for word prefixes: SQLite would collect all words
        # with a prefix and all their occurrences at once, however long that takes.
        digested = self._digested() if terms.whole else -1
        for block in self._back(room, before, messages_only=True):
            if block.number <= digested:
                break
            yield Portion(self._having(block, terms, before), block.first, slow=True)
            before = min(before, block.first)
        else:
            return
        yield from self._find_by_index(room, terms, before, reader)

    def _find_by_index(self, room: int, terms: Terms, before: int, reader: int | None) -> Iterator[Portion]:
        while ids := self._ids(room, terms, reader, before):
            while ids:
                block = self._with(room, ids[0])
                if block is None:
                    before = ids.pop(0)  # a tick of another room, or a message that was deleted meanwhile
                    continue
                these = {id for id in ids if id >= block.first}
                before = min(these)
                ids = ids[len(these) :]
                yield Portion(self._indexed(block, terms, these), before, slow=True)
            yield Portion((), before, slow=True)

    def _having(self, block: _Block, terms: Terms, before: int) -> list[Event]:
        """Return the messages of a block, before an id, that match the terms."""
        if not terms.may_be_in(block.record):
            return []
        with self._readable():
            return having(terms, [event for event in block.events() if event.id < before])

    def _indexed(self, block: _Block, terms: Terms, ids: Collection[int]) -> list[Event]:
        """Return the messages of a block with these ids, after checking what the index cannot."""
        if not terms.may_be_in(block.record):
            return []
        with self._readable():
            events = [event for event in block.events() if event.id in ids]
        doubtful = [event for event in events if terms.has_prefix or index.is_tick(event.id)]
        rejected = {event.id for event in doubtful}.difference(event.id for event in having(terms, doubtful))
        return [event for event in events if event.id not in rejected]

    def place(self, room: int, wanted: int, *, behind: bool = False) -> Place:
        """Return the position of a time, in whole milliseconds, in the log of a room; see `Log.id_at`."""
        answer: int | None = None
        first, end = True, EVER
        for start in (*sorted(self._steps, reverse=True), 0):
            run = self._run(room, start, end)
            found = None if run is None else self._first_at(room, run, wanted)
            if run is not None and found is not None and found.exact:
                if not behind:
                    return found
                after = self._first_at(room, run, wanted + 1)
                return Place(after.id if after is not None else None if end == EVER else end, True, False)
            if run is not None and first:
                answer, first = (answer, False) if found is None else (found.id, found.first)
            end = start
        return Place(answer, False, first)

    def _run(self, room: int, start: int, end: int) -> range | None:
        """Return the ids of a room in a range without decreasing times, which can be searched like a sorted list."""
        with self._connection() as connection:
            ((first, last),) = connection.execute(_ENDS, (room, start, end)).fetchall()
        return None if first is None else range(first, last + 1)

    def _first_at(self, room: int, run: range, wanted: int) -> Place | None:
        """Return the first event of a run at this millisecond or later."""
        with self._connection() as connection:

            def time_of(id: int) -> int:
                ((time,),) = connection.execute(_TIME, (room, id)).fetchall()
                return milliseconds(time)

            at = bisect_left(run, wanted, key=time_of)  # each step is one lookup in the database's index
        block = None if at == len(run) else self._before(room, run[at])
        if block is None:
            return None
        with self._readable():
            for event in block.events():
                time = milliseconds(event.time)
                if time >= wanted:
                    return Place(event.id, time == wanted, event.id == run[0])
        return None

    # The file

    def _back(self, room: int, before: int, *, messages_only: bool) -> Iterator[_Block]:
        sql = (self._messages if messages_only else _ALL) + _BACK
        while blocks := self._some(sql, room, before, _SOME_BLOCKS):
            yield from blocks
            before = blocks[-1].first

    def _some(self, sql: str, room: int, id: int, limit: int) -> list[_Block]:
        """Return some of the blocks of a query."""
        blocks: list[_Block] = []
        size = 0
        with (
            self._connection() as connection,
            closing(connection.execute(sql, {"room": room, "id": id, "limit": limit})) as rows,
        ):
            for block in map(_Block._make, rows):
                blocks.append(block)
                size += len(block.record)
                if size >= _SOME_BYTES:
                    break
        return blocks

    def _before(self, room: int, id: int) -> _Block | None:
        """Return the last block that begins at an id or before it."""
        return next(iter(self._some(_WITH, room, id, 1)), None)

    def _with(self, room: int, id: int) -> _Block | None:
        """Return the block whose range includes an id, if any."""
        block = self._before(room, id)
        return block if block is not None and block.last >= id else None

    def _digested(self) -> int:
        with self._readable():
            ((digested,),) = self._database.read(_DIGESTED)
        return int(digested)

    def _ids(self, room: int, terms: Terms, reader: int | None, before: int) -> list[int]:
        with self._connection() as connection:
            return index.find(connection, room, terms, reader, before, _SOME_IDS)

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        with self._readable(), self._database.reading() as connection:
            yield connection

    @staticmethod
    @contextmanager
    def _readable() -> Iterator[None]:
        """Convert read errors to the core's `NotReadable`."""
        try:
            yield
        except (StoreError, Unreadable) as error:
            raise NotReadable(error.reason) from error
