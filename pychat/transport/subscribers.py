"""Who hears a room, as the writer sees it: links in groups that speak the same dialect."""

from __future__ import annotations

from collections.abc import Sequence

from pychat.core.rooms.room import Room
from pychat.model.burst import Burst
from pychat.model.events import Event
from pychat.protocols.base import Dialect
from pychat.transport.link import Link


class Hearers:
    """
    One room of the writer's. It changes only at its place in the order of entries, so no lock is needed.

    In a pass of the writer, the room's events are encoded once per dialect into `parts`. Most links get just these,
    joined, with one send. A link that gets something else meanwhile (an answer, another room, nothing of what it said
    itself) is singled out: from then on it collects its own parts (`Link.own`).
    """

    __slots__ = ("groups", "parts", "room", "several", "singled")

    def __init__(self, room: Room) -> None:
        self.room = room
        self.groups: dict[Dialect, dict[Link, None]] = {}
        self.parts: dict[Dialect, list[bytes]] = {}
        self.singled: list[Link] = []
        """Links that collect their own parts in this pass."""
        self.several: dict[Link, None] = {}
        """Links that hear other rooms, too: what they get is in the order of all rooms, so they are always singled."""

    def add(self, link: Link) -> None:
        """From now on the link hears the room. It must be singled out already."""
        self.groups.setdefault(link.dialect, {})[link] = None
        link.rooms += (self,)
        self.singled.append(link)
        if len(link.rooms) > 1:
            for room in link.rooms:
                room.several[link] = None

    def remove(self, link: Link) -> None:
        """From now on the link does not hear the room. It must be singled out already."""
        group = self.groups.get(link.dialect, {})
        if link not in group:
            return
        del group[link]
        if not group:
            del self.groups[link.dialect]
        link.rooms = tuple(room for room in link.rooms if room is not self)
        self.singled = [other for other in self.singled if other is not link]
        self.several.pop(link, None)
        if len(link.rooms) == 1:
            for room in link.rooms:
                room.several.pop(link, None)

    def move(self, link: Link, dialect: Dialect) -> None:
        """The link speaks another dialect from now on; `Link.dialect` is still the old one. It must be singled out."""
        group = self.groups[link.dialect]
        del group[link]
        if not group:
            del self.groups[link.dialect]
        self.groups.setdefault(dialect, {})[link] = None

    def single_out(self, link: Link) -> None:
        """Let a link that hears the room collect its own parts from here on; it begins with those of the pass."""
        assert link.own is not None
        link.own += self.parts.get(link.dialect, ())
        self.singled.append(link)

    def take_parts(self) -> list[tuple[Dialect, list[bytes]]]:
        """End the pass: return what those get who were not singled out."""
        parts = list(self.parts.items())
        self.parts.clear()
        self.singled.clear()
        return parts

    def links(self) -> list[Link]:
        """All links that hear the room."""
        return [link for group in self.groups.values() for link in group]

    def encode(self, events: Sequence[Event], without: Link | None) -> int:
        """Encode events for every dialect in use, for all links but perhaps one; return the bytes."""
        encoded = {dialect: dialect.encode(events) for dialect in self.groups}
        if type(events) is Burst:
            self.room.written = max(map(len, encoded.values()), default=0) // len(events)
        for dialect, part in encoded.items():
            self.parts.setdefault(dialect, []).append(part)
        for link in self.singled:
            if link is not without and link.own is not None:
                link.own.append(encoded[link.dialect])
        return sum(map(len, encoded.values()))
