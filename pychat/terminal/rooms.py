"""
The client's state of the chat: its rooms, their members, and events in rooms that are not shown.

One room is on the screen; events of the others are stored here, up to a limit, until the person shows them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from pychat.client.backlog import Backlog, Memory
from pychat.model.events import Disconnected, Event, Joined, Kicked, Left, Renamed, TopicChanged
from pychat.model.names import fold
from pychat.model.replies import Gap, Members
from pychat.terminal.view import Line

KEPT_ITEMS: Final = 500
"""How many events are stored for a room that is not on the screen; older ones are in its history."""
RECENT_LINES: Final = 8
"""Lines of a room that are shown again."""
KEPT_BYTES: Final = 16 * 2**20
"""The memory limit for all rooms together."""
MOST_NAMES: Final = 100_000
"""How many members of rooms are known by name."""


class Room:
    """One room that we are in."""

    def __init__(self, name: str, memory: Memory | None = None) -> None:
        self.name = name
        self.topic = ""
        self.nicknames: dict[str, str] = {}
        """All members, by folded name; the last one to speak is last."""
        self.unread = 0
        """Messages since the room was last on the screen."""
        self.mentions = 0
        """How many of them mention our nickname."""
        self.recent: deque[Line] = deque(maxlen=RECENT_LINES)
        """The last lines shown of it, to be shown again when the person returns."""
        self.draft = ""
        """The unsent input line from when another room was shown."""
        self._kept: Backlog[Event | Gap] = Backlog(KEPT_ITEMS, memory or Memory(KEPT_BYTES))
        self._dropped = 0

    def speaks(self, nickname: str) -> None:
        """Record that a member has spoken."""
        key = fold(nickname)
        if key in self.nicknames:
            self.nicknames[key] = self.nicknames.pop(key)

    def keep(self, event: Event | Gap, *, unread: bool = False, mentions: bool = False) -> None:
        """Store an event while the room is not on the screen."""
        self._dropped += self._kept.append(event)
        self.unread += unread
        self.mentions += mentions

    def catch_up(self) -> tuple[list[Event | Gap], int]:
        """Return the stored events, and how many older ones were dropped; all count as read from now on."""
        kept, dropped = self._kept.take_all(), self._dropped
        self._dropped = self.unread = self.mentions = 0
        return kept, dropped


class Rooms:
    """The rooms in the order of joining, which the keys Alt-1 to Alt-9 use."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}
        self._memory = Memory(KEPT_BYTES)
        self.current: Room | None = None
        """The room on the screen."""

    def __iter__(self) -> Iterator[Room]:
        return iter(self._rooms.values())

    def find(self, name: str) -> Room | None:
        """Return a room that we are in."""
        return self._rooms.get(fold(name))

    def enter(self, members: Members) -> Room:
        """Record the members of a room that we have joined, or rejoined; return it."""
        room = self._rooms.setdefault(fold(members.room), Room(members.room, self._memory))
        room.topic = members.topic
        # Members who have spoken stay after the others, in their order.
        free = MOST_NAMES - sum(len(other.nicknames) for other in self if other is not room)
        there = {fold(member.nickname): member.nickname for member in members.members[: max(0, free)]}
        spoke = [key for key in room.nicknames if key in there]
        room.nicknames = {key: name for key, name in there.items() if key not in room.nicknames}
        room.nicknames |= {key: there[key] for key in spoke}
        return room

    def leave(self, name: str) -> None:
        """Forget a room."""
        room = self._rooms.pop(fold(name), None)
        if room is self.current:
            self.current = None
        if room is not None:
            room.catch_up()  # releases the memory

    def last(self) -> Room | None:
        """Return the room that we joined last."""
        return next(reversed(self._rooms.values()), None)

    def number(self, number: int) -> Room | None:
        """Return a room by its number, from 1 on."""
        rooms = [*self._rooms.values()]
        return rooms[number - 1] if 0 < number <= len(rooms) else None

    def next_active(self) -> Room | None:
        """Return a room with unread messages; one with a mention comes first."""
        active = [room for room in self if room.unread and room is not self.current]
        return next((room for room in active if room.mentions), active[0] if active else None)

    def of(self, nickname: str) -> list[Room]:
        """Return the rooms that a person is in."""
        return [room for room in self if fold(nickname) in room.nicknames]

    def note(self, event: Event | Gap) -> None:
        """Update members and topics of rooms."""
        match event:
            case Joined(room=name, nickname=nickname) if room := self.find(name):
                if sum(len(other.nicknames) for other in self) < MOST_NAMES:
                    room.nicknames.setdefault(fold(nickname), nickname)
            case Left(room=name, nickname=nickname) | Kicked(room=name, nickname=nickname) if room := self.find(name):
                room.nicknames.pop(fold(nickname), None)
            case Disconnected(nickname=nickname):
                for room in self:
                    room.nicknames.pop(fold(nickname), None)
            case Renamed(old=old, new=new):
                for room in self.of(old):  # in the same position: a renamed member has not spoken
                    names = [new if key == fold(old) else name for key, name in room.nicknames.items()]
                    room.nicknames = {fold(name): name for name in names}
            case TopicChanged(room=name, topic=topic) if room := self.find(name):
                room.topic = topic
