"""`pychat history`: print the events in a file, or those with some words, without a server."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from pychat.cli.client.display import show_json
from pychat.cli.client.timestamps import Stamped
from pychat.cli.streams import Output
from pychat.core.log.ring_buffer import EVER
from pychat.model.errors import ChatError
from pychat.model.events import Event
from pychat.model.names import AUDIT
from pychat.model.queries import Moment, Position
from pychat.model.search import Terms
from pychat.protocols.text.render import NOT_SHOWN
from pychat.stores.sqlite.archive import Archive

_LINES: Final = 1000
"""How many events are written at once."""


class NoSuchRoom(ChatError):
    """The file has no record of this room."""

    def __init__(self, room: str, path: Path, rooms: list[str]) -> None:
        super().__init__(room, path, rooms)
        self.room, self.path, self.rooms = room, path, rooms

    def __str__(self) -> str:
        others = f"; it has {', '.join(self.rooms)}" if self.rooms else "; it has no room yet"
        return f"{str(self.path)!r} has no room {self.room!r}{others}"


class Wanted(NamedTuple):
    """The selection of events."""

    room: str | None
    """None for all rooms."""
    terms: Terms | None
    """Only messages with these words."""
    since: Position | None
    """After the event with this id, or from this time on."""
    before: Position | None
    """Before this event or time."""
    last: int | None
    """Only this many of the last ones."""
    audit: bool = False
    """The audit record instead of rooms."""


def print_history(path: Path, wanted: Wanted, *, as_json: bool) -> None:
    """
    Write the events to stdout, the oldest first.

    Raises:
        CannotOpen: If the file cannot be used.
        NoSuchRoom: If it has no such room.
        NotReadable: If it is damaged.
        ClosedPipe, CannotWrite: See `Output`.
    """
    output = Output()
    with Archive(path) as archive:
        room = None if wanted.room is None else archive.find(wanted.room)
        if wanted.room is not None and room is None:
            raise NoSuchRoom(wanted.room, path, list(archive.rooms))
        stamped = Stamped(AUDIT if wanted.audit else room)
        rooms = [*archive.rooms.values()] if room is None else [archive.rooms[room]]
        # Only printed events count for `last`.
        events = _events(archive, archive.audit if wanted.audit else rooms, wanted, () if as_json else NOT_SHOWN)
        while some := list(islice(events, _LINES)):
            output.write([line for event in some for line in ([show_json(event)] if as_json else stamped.show(event))])


def _events(archive: Archive, rooms: list[int], wanted: Wanted, without: tuple[type[Event], ...]) -> Iterator[Event]:
    after, before = 0, EVER
    if isinstance(wanted.since, Moment):
        after = archive.id_at(rooms, wanted.since.time) - 1
    elif wanted.since is not None:
        after = min(wanted.since, EVER)
    if isinstance(wanted.before, Moment):
        before = archive.id_at(rooms, wanted.before.time)
    elif wanted.before is not None:
        before = min(wanted.before, EVER)
    if wanted.terms is not None:
        found = archive.found_back(rooms, wanted.terms, before)
        return reversed(list(islice(_behind(found, after), wanted.last)))
    if wanted.last is not None:  # finds the first id to print without storing the events
        first = EVER
        back = _behind(archive.events_back(rooms, before), after)
        for event in islice((event for event in back if not isinstance(event, without)), wanted.last):
            first = event.id
        after = first - 1
    return archive.events(rooms, after, before)


def _behind(backwards: Iterator[Event], after: int) -> Iterator[Event]:
    for event in backwards:
        if event.id <= after:
            return
        yield event
