"""
Rejecting entries whose events cannot be stored.

Messages are refused: nobody gets them, and the sender is told why. Changes of the chat's state, such as a join, a leave
or a topic, have already happened: they are delivered anyway, and missing in the log.
"""

from __future__ import annotations

import logging
from typing import Final

from pychat.core.delivery import Batch, Entry, Private
from pychat.model.errors import InternalFailure, NotStored
from pychat.model.events import WITH_TEXT, Event, Notice
from pychat.model.names import AUDIT
from pychat.model.replies import Failure, HistoryPage, Inviting, Ok, Replay, Reply

logger = logging.getLogger("pychat")

_MOST_REMEMBERED: Final = 100_000


class Refusals:
    """Ids that were given to events which were then refused. Used by the writing thread only."""

    def __init__(self) -> None:
        self._ids: dict[int, None] = {}

    def refuse(self, batch: Batch, reason: str) -> tuple[list[Entry], list[int], int]:
        """
        Refuse the messages in a batch.

        Returns:
            The entries to deliver instead; the ids of refused events; the last id of the others, or 0.
        """
        said = {event.id: at for at, event in enumerate(batch.events) if isinstance(event, WITH_TEXT)}
        for event in batch.events:
            if isinstance(event, Notice) and event.room == AUDIT:  # it has happened, so it must be recorded somewhere
                logger.warning("not in the audit record: %s", event.text)
        self._ids.update(dict.fromkeys(said))
        while len(self._ids) > _MOST_REMEMBERED:
            del self._ids[next(iter(self._ids))]
        happened = [event for event in batch.events if event.id not in said]
        entries: list[Entry] = [batch._replace(events=happened)] if happened else []
        if batch.source is not None and batch.said and said:
            error = NotStored("your message", reason, room=batch.rooms[0].name)
            refs = {batch.refs.get(at): None for at in said.values()}  # messages without a mark are answered together
            failures = tuple([Failure.of(error, ref) for ref in refs])
            entries.append(Private(batch.source, failures, batch.source.nickname, True))
        return entries, [*said], happened[-1].id if happened else 0

    @staticmethod
    def deny(private: Private) -> Private:
        """Return an entry with failures in the place of its confirmations."""
        error = InternalFailure()
        items = [Failure.of(error, item.ref) if isinstance(item, Ok | Inviting) else item for item in private.items]
        return private._replace(items=tuple(items), confirms=False)

    def without(self, entry: Entry) -> Entry | None:
        """
        Return an entry without refused events; None if nothing is left.

        A session may have read an event in memory before it was refused; its sender has been told already.
        """
        if not self._ids or type(entry) is not Private:
            return entry
        items = tuple([kept for item in entry.items if (kept := self._item(item)) is not None])
        return entry._replace(items=items) if items else None

    def _item(self, item: Event | Reply) -> Event | Reply | None:
        if isinstance(item, HistoryPage | Replay):
            return item._replace(events=tuple([event for event in item.events if event.id not in self._ids]))
        if isinstance(item, (*WITH_TEXT, Ok)) and item.id in self._ids:
            return None
        return item
