"""
Refusing: what happens to entries whose events cannot be stored.

What somebody says is refused: nobody hears it, and who said it is told why. What has changed the state of the chat, as
a join, a leave or a topic, has happened: it is delivered all the same, and missing in the record.
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
    """Ids that were given and whose events never came to be. Of the thread that writes."""

    def __init__(self) -> None:
        self._ids: dict[int, None] = {}

    def refuse(self, batch: Batch, reason: str) -> tuple[list[Entry], list[int], int]:
        """
        Refuse what is said in a batch.

        Returns:
            What is to be delivered in its place; the ids of what was refused; the last id of what was not, or 0.
        """
        said = {event.id: at for at, event in enumerate(batch.events) if isinstance(event, WITH_TEXT)}
        for event in batch.events:
            if isinstance(event, Notice) and event.room == AUDIT:  # it has happened, so it has to be somewhere
                logger.warning("not in the audit record: %s", event.text)
        self._ids.update(dict.fromkeys(said))
        while len(self._ids) > _MOST_REMEMBERED:
            del self._ids[next(iter(self._ids))]
        happened = [event for event in batch.events if event.id not in said]
        entries: list[Entry] = [batch._replace(events=happened)] if happened else []
        if batch.source is not None and batch.said and said:
            error = NotStored("your message", reason, room=batch.rooms[0].name)
            refs = {batch.refs.get(at): None for at in said.values()}  # those without one are answered together
            failures = tuple([Failure.of(error, ref) for ref in refs])
            entries.append(Private(batch.source, failures, batch.source.nickname, True))
        return entries, [*said], happened[-1].id if happened else 0

    @staticmethod
    def deny(private: Private) -> Private:
        """Return an entry that tells of a failure where it would have confirmed something."""
        error = InternalFailure()
        items = [Failure.of(error, item.ref) if isinstance(item, Ok | Inviting) else item for item in private.items]
        return private._replace(items=tuple(items), confirms=False)

    def without(self, entry: Entry) -> Entry | None:
        """
        Return an entry without what was refused; None if nothing of it is left.

        A session may have read an event in memory before it was refused; its own message is answered already.
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
