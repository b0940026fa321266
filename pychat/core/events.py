"""
What happened in a chat, as immutable values.

An event is made by the chat when it takes its place in the log (`core/log.py`), and then it is shared: by the members
who receive it, by the history of its rooms, by the threads that encode it. So nobody may change one; take a copy with
`event._replace(text=...)`. Events are named tuples because every message of a busy room becomes one: nothing
immutable is made faster in Python.

Fields that all events have: `id` is the event's position in the log, one sequence for the whole server that keeps
growing over restarts, 0 while it has no place yet; `time` is POSIX seconds, UTC. What concerns one room names it in
`room`; what concerns a person in all their rooms at once is a single event with `rooms`.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias


class Message(NamedTuple):
    """Somebody said something: in a room, or to one person (then `room` is None and `to` is their nickname)."""

    id: int
    time: float
    room: str | None
    sender: str
    text: str
    """Clean text (`core/text.py`): NFC, may contain newlines, no other control characters."""
    action: bool = False
    """True for `/me waves`: to be shown as "ann waves"."""
    to: str | None = None
    audience: frozenset[int] | None = None
    """Identities of the only sessions that may see it (`Session.identity`); None: everybody in the room."""


class Joined(NamedTuple):
    """A member came into a room."""

    id: int
    time: float
    room: str
    nickname: str


class Left(NamedTuple):
    """A member went out of one room and is still connected."""

    id: int
    time: float
    room: str
    nickname: str
    reason: str = ""


class Disconnected(NamedTuple):
    """A member is gone from all rooms at once."""

    id: int
    time: float
    rooms: tuple[str, ...]
    nickname: str
    reason: str = ""


class Renamed(NamedTuple):
    """A member goes by another nickname now, everywhere."""

    id: int
    time: float
    rooms: tuple[str, ...]
    old: str
    new: str


class AwayChanged(NamedTuple):
    """A member is away (`text` says why) or back (`text` is None)."""

    id: int
    time: float
    rooms: tuple[str, ...]
    nickname: str
    text: str | None


class TopicChanged(NamedTuple):
    """A room has another topic; an empty one was removed."""

    id: int
    time: float
    room: str
    nickname: str
    topic: str


class Notice(NamedTuple):
    """The server itself speaks: to a room, or privately to one session (`room` is None, `id` is 0)."""

    id: int
    time: float
    room: str | None
    text: str


Event: TypeAlias = Message | Joined | Left | Disconnected | Renamed | AwayChanged | TopicChanged | Notice

RoomEvent: TypeAlias = Message | Joined | Left | TopicChanged | Notice
"""Events with a `room`."""

PersonEvent: TypeAlias = Disconnected | Renamed | AwayChanged
"""Events with `rooms`: every room that the person was in at that moment."""
