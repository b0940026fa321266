"""
What a session hears privately: answers to its verbs, and what concerns only itself.

Replies are immutable values like events, and travel in the same queue: a reply that is queued behind an event arrives
behind it. A verb with a `ref` is answered by exactly one reply with that `ref`.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from pychat.core.errors import Refused
from pychat.core.events import Event
from pychat.core.limits import Limits
from pychat.core.verbs import Ref


class Ok(NamedTuple):
    """It is done; `id` is the place in the log of what the verb caused, None if it caused nothing there."""

    ref: Ref
    id: int | None = None


class Failure(NamedTuple):
    """It was refused, and why. `code` is for programs (docs/protocol.md lists them), `text` for people."""

    ref: Ref
    code: str
    text: str

    @classmethod
    def of(cls, error: Refused, ref: Ref = None) -> Failure:
        """Return the answer that tells of a refusal."""
        return cls(ref, error.code, str(error))


class Welcome(NamedTuple):
    """You are in: the answer to `Hello`."""

    ref: Ref
    server: str
    nickname: str
    token: str
    """Secret; good for one `Hello` that takes this session's place."""
    limits: Limits


class MemberInfo(NamedTuple):
    """One line of `Members`."""

    nickname: str
    away: str | None = None


class Members(NamedTuple):
    """The topic of a room and who is in it, in order of joining: the answer to `Join` and `ListMembers`."""

    ref: Ref
    room: str
    topic: str
    members: tuple[MemberInfo, ...]
    joined: bool = False
    """True if this answers a `Join`: you are a member now."""


class Topic(NamedTuple):
    """The answer to `GetTopic`; an empty topic means there is none."""

    ref: Ref
    room: str
    topic: str


class RoomInfo(NamedTuple):
    """One line of `Rooms`."""

    name: str
    members: int
    topic: str


class Rooms(NamedTuple):
    """The rooms of the server, sorted by name: the answer to `ListRooms`."""

    ref: Ref
    rooms: tuple[RoomInfo, ...]


class Profile(NamedTuple):
    """What may be known of a person: the answer to `WhoIs`. `rooms` are those that the asker is in, too."""

    ref: Ref
    nickname: str
    rooms: tuple[str, ...]
    away: str | None
    idle: float
    """Seconds since the person last said something."""


class HistoryPage(NamedTuple):
    """A part of a room's record, oldest first: the answer to `ReadHistory`."""

    ref: Ref
    room: str
    events: tuple[Event, ...]
    more: bool
    """Whether there is more in the direction that was asked for."""


class Replay(NamedTuple):
    """The last messages of a room, oldest first, for one who just joined it."""

    room: str
    events: tuple[Event, ...]


class Gap(NamedTuple):
    """Events of the room behind `after` are missing, because they are no longer kept (or never were here)."""

    room: str
    after: int


class Lines(NamedTuple):
    """Text for people, several lines of it: help, a message of the day."""

    ref: Ref
    lines: tuple[str, ...]


class PingRequest(NamedTuple):
    """Are you still there? Silence for too long ends the session."""


class PongReply(NamedTuple):
    """The answer to `Ping`."""

    ref: Ref
    token: str


class Bye(NamedTuple):
    """The last thing a session hears, and why."""

    reason: str


Reply: TypeAlias = (
    Ok
    | Failure
    | Welcome
    | Members
    | Topic
    | Rooms
    | Profile
    | HistoryPage
    | Replay
    | Gap
    | Lines
    | PingRequest
    | PongReply
    | Bye
)
