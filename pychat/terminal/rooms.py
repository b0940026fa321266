"""
The client's own picture of the chat: the rooms one is in, who is there, and what was said where nobody looks.

One room is on the screen; what happens in the others is kept here, bounded, until the person goes there.
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
"""What is kept of a room that is not on the screen; older things are in its history."""
RECENT_LINES: Final = 8
"""Lines of a room that are shown again."""
KEPT_BYTES: Final = 16 * 2**20
"""And of all rooms together, in memory."""
MOST_NAMES: Final = 100_000
"""How many members of rooms are known by name."""


class Room:
    """One room that we are in."""

    def __init__(self, name: str, memory: Memory | None = None) -> None:
        self.name = name
        self.topic = ""
        self.nicknames: dict[str, str] = {}
        """Everybody's, by the folded one; who spoke last stands last."""
        self.unread = 0
        """Messages since the room was last on the screen."""
        self.mentions = 0
        """How many of them have our nickname in them."""
        self.recent: deque[Line] = deque(maxlen=RECENT_LINES)
        """What was shown of it last, to be shown again when one comes back."""
        self.draft = ""
        """What stood in the line when another room was shown."""
        self._kept: Backlog[Event | Gap] = Backlog(KEPT_ITEMS, memory or Memory(KEPT_BYTES))
        self._dropped = 0

    def speaks(self, nickname: str) -> None:
        """Note that somebody said something."""
        key = fold(nickname)
        if key in self.nicknames:
            self.nicknames[key] = self.nicknames.pop(key)

    def keep(self, event: Event | Gap, *, unread: bool = False, mentions: bool = False) -> None:
        """Keep what happened while the room is not on the screen."""
        self._dropped += self._kept.append(event)
        self.unread += unread
        self.mentions += mentions

    def catch_up(self) -> tuple[list[Event | Gap], int]:
        """Return what was kept, and how many older things were not; it counts as read from now on."""
        kept, dropped = self._kept.take_all(), self._dropped
        self._dropped = self.unread = self.mentions = 0
        return kept, dropped


class Rooms:
    """The rooms in the order in which we came in; the keys Alt-1 to Alt-9 go by it."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}
        self._memory = Memory(KEPT_BYTES)
        self.current: Room | None = None
        """The one on the screen."""

    def __iter__(self) -> Iterator[Room]:
        return iter(self._rooms.values())

    def find(self, name: str) -> Room | None:
        """Return a room that we are in."""
        return self._rooms.get(fold(name))

    def enter(self, members: Members) -> Room:
        """Note who is in a room that we have joined, or came back into; return it."""
        room = self._rooms.setdefault(fold(members.room), Room(members.room, self._memory))
        room.topic = members.topic
        # Those who spoke stay behind the others, in their order.
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
            room.catch_up()  # gives the memory back

    def last(self) -> Room | None:
        """Return the room that we came into last."""
        return next(reversed(self._rooms.values()), None)

    def number(self, number: int) -> Room | None:
        """Return a room by its number, from 1 on."""
        rooms = [*self._rooms.values()]
        return rooms[number - 1] if 0 < number <= len(rooms) else None

    def next_active(self) -> Room | None:
        """Return the room in which something was said that we have not seen; where we are mentioned goes first."""
        active = [room for room in self if room.unread and room is not self.current]
        return next((room for room in active if room.mentions), active[0] if active else None)

    def of(self, nickname: str) -> list[Room]:
        """The rooms in which somebody is."""
        return [room for room in self if fold(nickname) in room.nicknames]

    def note(self, event: Event | Gap) -> None:
        """Note who is where, and what rooms are about."""
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
                for room in self.of(old):  # in the same place: who is renamed has not spoken
                    names = [new if key == fold(old) else name for key, name in room.nicknames.items()]
                    room.nicknames = {fold(name): name for name in names}
            case TopicChanged(room=name, topic=topic) if room := self.find(name):
                room.topic = topic
