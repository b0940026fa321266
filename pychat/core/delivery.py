"""
From the log to the sessions: entries in the order, and their recipients.

Everything whose position matters passes through the log as an entry: events, replies, and changes of subscriptions to
rooms. `Delivery` hands entries to sessions inside this process. The server replaces it by a subclass that also serves
sessions with a socket (`transport/write_queue.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from pychat.model.events import Event, Message
from pychat.model.queries import Ref
from pychat.model.replies import Reply

if TYPE_CHECKING:
    from pychat.core.log.log import Log
    from pychat.core.rooms.room import Room
    from pychat.core.session import Session


class Batch(NamedTuple):
    """Consecutive events for the members of `rooms`."""

    rooms: tuple[Room, ...]
    events: Sequence[Event]
    source: Session | None = None
    """The session whose verb caused the events."""
    said: bool = False
    """True if the source said it; the source then gets it only if its protocol expects an echo."""
    recipients: frozenset[Session] | None = None
    """If given, the only recipients."""
    extra: Session | None = None
    """A recipient that is not, or not any longer, a member."""
    refs: Mapping[int, Ref] = MappingProxyType({})
    """The marks of events that the source waits for, by index. The replies follow as entries of their own."""
    excluded: frozenset[Session] = frozenset()
    """Members who do not get the events, because they ignore the source or are told more elsewhere."""


class Private(NamedTuple):
    """Items for one session."""

    session: Session
    items: tuple[Event | Reply, ...]
    nickname: str | None = None
    """The session's nickname at this position of the order; None if it has none yet."""
    answers: bool = False
    """True if a verb of this session caused the items."""
    confirms: bool = False
    """True if the items confirm a stored change; they are then held back until everything before them is stored."""


class Attach(NamedTuple):
    """Subscribe the session to the room from this position on."""

    session: Session
    room: Room


class Detach(NamedTuple):
    """Unsubscribe the session from the room from this position on."""

    session: Session
    room: Room


class Follow(NamedTuple):
    """A job of the delivery itself, positioned after all that its thread appended before."""

    job: object


Entry: TypeAlias = Batch | Private | Attach | Detach | Follow

_ITEM_BYTES: Final = 100
"""The bytes of an item beside its texts: names, ids and the protocol's syntax around them."""


def weight(items: Sequence[Event | Reply]) -> int:
    """Estimate the bytes of items in the queues and on the wire, without encoding them."""
    size = _ITEM_BYTES * len(items)
    for item in items:
        if type(item) is Message:
            size += len(item.text)
            continue
        for field in item:
            if type(field) is str:
                size += len(field)
            elif isinstance(field, (tuple, list, dict, frozenset)):
                size += _ITEM_BYTES * len(field)
    return size


class Delivery:
    """Delivers to sessions in this process (`LocalSession`), at once."""

    log: Log
    """The source of the entries; set by the order."""

    def accept(self, entry: Entry) -> None:
        """
        Take the next accepted entry. Called in order, by one thread at a time; must not block.

        With a log in memory, the caller is the appending thread, which holds the chat's order lock.
        """
        match entry:
            case Batch():
                for session in _hearers(entry):
                    session.deliver(entry.events)
            case Private(session, items):
                session.deliver(items)
            case Attach(session, room):
                if session.is_local:
                    room.listeners.add(session)
            case Detach(session, room):
                room.listeners.discard(session)

    def wake(self) -> None:
        """Deliver the entries accepted so far. Called without a lock, once after many entries."""

    def must_rest(self, session: Session) -> bool:
        """
        Count what the session has caused; return whether too much of it is queued for its next verb (backpressure).

        Called without a lock. Here nothing is queued.
        """
        session.caused = 0
        return False

    def throttle(self, session: Session) -> None:
        """Do the same, and block while that is so."""
        session.caused = 0


def _hearers(batch: Batch) -> set[Session]:
    """Return the sessions of this process that get a batch."""
    hearers: set[Session] = set().union(*(room.listeners for room in batch.rooms))
    if batch.recipients is not None:
        hearers &= batch.recipients
    hearers -= batch.excluded
    if batch.said and batch.source is not None:
        hearers.discard(batch.source)
    if batch.extra is not None:
        hearers.add(batch.extra)
    return hearers
