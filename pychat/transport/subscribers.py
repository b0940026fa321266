"""The subscribers of a room, for the writer: links grouped by dialect."""

from __future__ import annotations

from collections.abc import Sequence

from pychat.core.rooms.room import Room
from pychat.model.burst import Burst
from pychat.model.events import Event
from pychat.protocols.base import Dialect
from pychat.transport.link import Link


class Subscribers:
    """
    The writer's view of one room. It changes only in the order of log entries, so no lock is needed.

    In a pass of the writer, the room's events are encoded once per dialect into `parts`. Most links get just these,
    joined, with one send. A link with different output (an answer, another room, no echo of its own messages) is
    singled out: from then on it collects its own parts (`Link.pass_parts`).
    """

    __slots__ = ("groups", "parts", "room", "several", "singled")

    def __init__(self, room: Room) -> None:
        self.room = room
        self.groups: dict[Dialect, dict[Link, None]] = {}
        self.parts: dict[Dialect, list[bytes]] = {}
        self.singled: list[Link] = []
        """Links that collect their own parts in this pass."""
        self.several: dict[Link, None] = {}
        """
        Links that subscribe to other rooms, too: their output follows the order of all rooms, so they are always
        singled out.
        """

    def add(self, link: Link) -> None:
        """Subscribe the link to the room. It must already be singled out."""
        self.groups.setdefault(link.dialect, {})[link] = None
        link.rooms += (self,)
        self.singled.append(link)
        if len(link.rooms) > 1:
            for room in link.rooms:
                room.several[link] = None

    def remove(self, link: Link) -> None:
        """Unsubscribe the link from the room. It must already be singled out."""
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
        """Change the dialect of a link; `Link.dialect` is still the old one. It must be singled out."""
        group = self.groups[link.dialect]
        del group[link]
        if not group:
            del self.groups[link.dialect]
        self.groups.setdefault(dialect, {})[link] = None

    def single_out(self, link: Link) -> None:
        """Let a subscribed link collect its own parts from here on, starting with those of the pass so far."""
        assert link.pass_parts is not None
        link.pass_parts += self.parts.get(link.dialect, ())
        self.singled.append(link)

    def take_parts(self) -> list[tuple[Dialect, list[bytes]]]:
        """End the pass: return the parts for the links that were not singled out."""
        parts = list(self.parts.items())
        self.parts.clear()
        self.singled.clear()
        return parts

    def links(self) -> list[Link]:
        """Return all links that subscribe to the room."""
        return [link for group in self.groups.values() for link in group]

    def encode(self, events: Sequence[Event], without: Link | None) -> int:
        """Encode events for every dialect in use, for all links except `without`; return the bytes."""
        encoded = {dialect: dialect.encode(events) for dialect in self.groups}
        if type(events) is Burst:
            self.room.written = max(map(len, encoded.values()), default=0) // len(events)
        for dialect, part in encoded.items():
            self.parts.setdefault(dialect, []).append(part)
        for link in self.singled:
            if link is not without and link.pass_parts is not None:
                link.pass_parts.append(encoded[link.dialect])
        return sum(map(len, encoded.values()))
