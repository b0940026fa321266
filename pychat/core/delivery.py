"""
From the log to the sessions: the entries that have a place in the order, and who gets them.

Everything whose place matters passes through the log as an entry: events, answers, and who begins or ceases to hear a
room. `Delivery` hands them to sessions inside this process. The server puts a subclass in its place, which does the
same for those behind a socket (`transport/write_queue.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from pychat.model.events import Event, Message
from pychat.model.queries import Ref
from pychat.model.replies import Reply

if TYPE_CHECKING:
    from pychat.core.history.log import Log
    from pychat.core.rooms.room import Room
    from pychat.core.session import Session


class Batch(NamedTuple):
    """Consecutive events for the members of `rooms`."""

    rooms: tuple[Room, ...]
    events: Sequence[Event]
    source: Session | None = None
    """Whose verb caused it."""
    said: bool = False
    """Whether it is what the source said: then the source does not hear it, unless its language wants an echo."""
    only: frozenset[Session] | None = None
    """If given: the only ones who hear it."""
    also: Session | None = None
    """Hears it although it is not, or no longer, a member."""
    refs: Mapping[int, Ref] = MappingProxyType({})
    """Marks of the events, by their index, that the source waits for. The answers follow as entries of their own."""
    deaf: frozenset[Session] = frozenset()
    """Members who do not hear it, because they ignore the source."""


class Private(NamedTuple):
    """Items for one session."""

    session: Session
    items: tuple[Event | Reply, ...]
    nickname: str | None = None
    """Which the session has at this place of the order; None: none yet."""
    answers: bool = False
    """Whether a verb of this session caused it."""
    confirms: bool = False
    """Whether it tells that something is stored: then it waits until everything before it is."""


class Attach(NamedTuple):
    """From here on the session hears the room."""

    session: Session
    room: Room


class Detach(NamedTuple):
    """From here on the session does not hear the room."""

    session: Session
    room: Room


class Follow(NamedTuple):
    """Something of the delivery's own, that has its place behind what the same thread appended before."""

    job: object


Entry: TypeAlias = Batch | Private | Attach | Detach | Follow

_ITEM_BYTES: Final = 100
"""What an item costs beside its texts: names, ids, and whatever a language writes around them."""


def weight(items: Sequence[Event | Reply]) -> int:
    """Return about how many bytes items take on their way and when they are written, without writing them."""
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
    """From where the entries come; set by the order."""

    def accept(self, entry: Entry) -> None:
        """
        Take the next accepted entry. Called in order, by one thread at a time: never waits.

        With a log in memory that is whoever appends it, under the chat's order lock.
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
        """Entries were accepted; called without a lock, once after many of them."""

    def throttle(self, session: Session) -> None:
        """Wait while too much of what the session has caused is on its way. Called without a lock."""
        session.caused = 0


def _hearers(batch: Batch) -> set[Session]:
    """The sessions of this process that hear a batch."""
    hearers: set[Session] = set().union(*(room.listeners for room in batch.rooms))
    if batch.only is not None:
        hearers &= batch.only
    hearers -= batch.deaf
    if batch.said and batch.source is not None:
        hearers.discard(batch.source)
    if batch.also is not None:
        hearers.add(batch.also)
    return hearers
