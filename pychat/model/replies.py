"""
What a session hears privately: answers to its verbs, and what concerns only itself.

Replies are immutable values like events, and travel in the same queue: a reply that is queued behind an event arrives
behind it. A verb with a `ref` is answered by exactly one reply with that `ref`.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from pychat.model.account_replies import AccountReply
from pychat.model.errors import Refused
from pychat.model.events import Event, Joined
from pychat.model.ignored import Ignored
from pychat.model.limits import Limits
from pychat.model.modes import MaskEntry, ModeChange
from pychat.model.queries import Ref
from pychat.model.server_ban import ServerBanList


class Ok(NamedTuple):
    """It is done; `id` is the place in the log of what the verb caused, None if it caused nothing there."""

    ref: Ref
    id: int | None = None


class Failure(NamedTuple):
    """It was refused, and why. `code` is for programs (docs/protocol.md lists them), `text` for people."""

    ref: Ref
    code: str
    text: str
    room: str | None = None
    """The room that it is about, if it is about one."""
    subject: tuple[str, ...] = ()
    """What else it is about: a nickname, a mode and its argument (`Refused.subject`)."""
    retry_after: int | None = None
    """Seconds after which it may be tried again, if that is known."""

    @classmethod
    def of(cls, error: Refused, ref: Ref = None) -> Failure:
        """Return the answer that tells of a refusal."""
        return cls(ref, error.code, str(error), error.room, error.subject, error.retry_after)

    def error(self) -> Refused:
        """Return the refusal again, as the methods of one who asked raise it."""
        error = Refused(self.text)
        error.code = self.code  # as the peer has it
        error.room, error.subject, error.retry_after = self.room, self.subject, self.retry_after
        return error


class Welcome(NamedTuple):
    """You are in: the answer to `Hello`."""

    ref: Ref
    server: str
    nickname: str
    token: str
    """Secret; good for one `Hello` that takes this session's place."""
    limits: Limits
    userhost: str = ""
    """Of the new session."""
    started: float = 0.0
    """When the server did; POSIX seconds."""
    counts: Counts | None = None
    """What `CountPeople` would answer."""


class MemberInfo(NamedTuple):
    """One line of `Members`."""

    nickname: str
    away: str | None = None
    userhost: str = ""
    roles: str = ""
    """Letters of `modes.ROLES` that the member has in this room."""
    account: str | None = None
    """The account that the member is logged in to."""
    visits: bool = False
    """Whether it is a program that comes and goes without a word, so that no answer to a `Join` names it."""


class Members(NamedTuple):
    """The topic of a room and who is in it, in order of joining: the answer to `Join` and `ListMembers`."""

    ref: Ref
    room: str
    topic: str
    members: tuple[MemberInfo, ...]
    joined: bool = False
    """True if this answers a `Join`: you are a member now."""
    topic_by: str = ""
    """Nickname of the one who set the topic."""
    topic_time: float = 0.0
    """When; POSIX seconds."""
    secret: bool = False
    """Whether the room is in no list for those who are not in it."""
    again: bool = False
    """True if this answers a `Join` of a room that the session is in already: it is the current one now."""
    topic_userhost: str = ""
    """Of the one who set the topic."""
    arrival: Joined | None = None
    """The event of one's own joining, which is not heard in any other way; without an id if nobody is told of it."""
    place: int | None = None
    """If this answers a `Join`: the id up to which one has everything of one's rooms, to be counted like any other."""


class Topic(NamedTuple):
    """The answer to `GetTopic`; an empty topic means there is none."""

    ref: Ref
    room: str
    topic: str
    by: str = ""
    """Nickname of the one who set it."""
    time: float = 0.0
    """When; POSIX seconds."""
    userhost: str = ""
    """Of the one who set it."""


class RoomInfo(NamedTuple):
    """One line of `Rooms`."""

    name: str
    members: int
    topic: str
    created: float = 0.0
    """POSIX seconds, as for the next."""
    topic_time: float = 0.0


class Rooms(NamedTuple):
    """The rooms of the server, sorted by name: the answer to `ListRooms`."""

    ref: Ref
    rooms: tuple[RoomInfo, ...]
    more: bool = False
    """Whether there may be others: not all were looked at."""


class Profile(NamedTuple):
    """What may be known of a person: the answer to `WhoIs`. `rooms` are those that the asker is in, too."""

    ref: Ref
    nickname: str
    rooms: tuple[str, ...]
    away: str | None
    idle: float
    """Seconds since the person last said something."""
    userhost: str = ""
    realname: str = ""
    modes: str = ""
    """Those of `SetUserModes` that the person has."""
    since: float = 0.0
    """When the person came in; POSIX seconds."""
    roles: tuple[str, ...] = ()
    """For each of `rooms`, the letters of `modes.ROLES` that the person has there."""
    secure: bool = False
    """Whether the person's connection is one of TLS."""
    account: str | None = None
    """The account that the person is logged in to."""
    address: str = ""
    """The IP address, for server operators; empty for everybody else."""


class People(NamedTuple):
    """The answer to `ListPeople` and `FindPeople`."""

    ref: Ref
    people: tuple[Profile, ...]
    room: str | None = None
    """The room that was asked for."""
    more: bool = False
    """Whether there are, or may be, others that the answer has no place for."""


class PastPerson(NamedTuple):
    """One line of `PastPeople`."""

    nickname: str
    userhost: str
    realname: str
    time: float
    """Until when; POSIX seconds."""


class PastPeople(NamedTuple):
    """Who had a nickname, the last one first: the answer to `WhoWas`."""

    ref: Ref
    people: tuple[PastPerson, ...]


class Watched(NamedTuple):
    """Who of those that are watched is there, and who is not: the answer to `Watch` and `ListWatched`, and news."""

    ref: Ref
    online: tuple[MemberInfo, ...] = ()
    offline: tuple[str, ...] = ()
    """Nicknames."""


class Counts(NamedTuple):
    """The answer to `CountPeople`."""

    ref: Ref
    people: int
    """All who have a nickname."""
    invisible: int
    """How many of them have the user mode `i`."""
    operators: int
    strangers: int
    """Connections without a nickname."""
    rooms: int
    most: int
    """The most people that there were at the same time."""


class Motd(NamedTuple):
    """The message of the day, which may have no lines: the answer to `GetMotd`, and part of coming in."""

    ref: Ref
    lines: tuple[str, ...]


class Modes(NamedTuple):
    """The rules of a room: the answer to `GetModes`."""

    ref: Ref
    room: str
    letters: str
    """Those of `modes.FLAGS`, `k` and `l` that are set."""
    arguments: tuple[str, ...]
    """Of `k` and `l`, in the order of the letters; the key is shown to members only, to others as "*"."""
    created: float
    """When the room was; POSIX seconds."""


class Masks(NamedTuple):
    """One of the lists of a room: the answer to `ListMasks`."""

    ref: Ref
    room: str
    mode: str
    masks: tuple[MaskEntry, ...]


class Inviting(NamedTuple):
    """The answer to `Invite`."""

    ref: Ref
    room: str
    nickname: str


class Invitations(NamedTuple):
    """The rooms that the session is invited to: the answer to `ListInvitations`."""

    ref: Ref
    rooms: tuple[str, ...]


class UserModes(NamedTuple):
    """What the session is: the answer to `GetUserModes`, `SetUserModes` and `BecomeOperator`."""

    ref: Ref
    letters: str
    changes: tuple[ModeChange, ...] = ()
    """What has just changed."""


class Wallops(NamedTuple):
    """A server operator speaks to all who want to hear it (user mode `w`)."""

    nickname: str
    userhost: str
    text: str


class PersonAway(NamedTuple):
    """Somebody to whom the session wrote, or whom it invited, is away."""

    ref: Ref
    nickname: str
    text: str


class HistoryTarget(NamedTuple):
    """One line of `HistoryTargets`."""

    room: str
    time: float
    """Of the last message between the two times."""


class HistoryTargets(NamedTuple):
    """Rooms in which something was said: the answer to `ListHistory`."""

    ref: Ref
    targets: tuple[HistoryTarget, ...]


class Words(NamedTuple):
    """What only the session's own language knows how to say: the protocol made it for its dialect (`verbs.Answer`)."""

    value: object


class ResponseStart(NamedTuple):
    """What the session's own verb causes from here on answers the request that had this label."""

    label: str


class ResponseEnd(NamedTuple):
    """That was all of it."""


class HistoryPage(NamedTuple):
    """A part of a room's record, oldest first: the answer to `ReadHistory`."""

    ref: Ref
    room: str
    events: tuple[Event, ...]
    more: bool
    """Whether there is more in the direction that was asked for."""
    search: str = ""
    """The words that were looked for; empty: it is no search."""
    next: int | None = None
    """
    If there is more: the place to go on from, as `before` or as `after` of the same question. A page may have no events
    and more behind it, because one question looks only at so much.
    """


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


class Killed(NamedTuple):
    """A server operator disconnects the session; `Bye` follows, and tells it to those who have no word for this."""

    nickname: str
    """Of the operator, as is the next."""
    userhost: str
    reason: str


class Bye(NamedTuple):
    """The last thing a session hears, and why."""

    reason: str
    final: bool = False
    """True for who was put out and shall not come back at once, by itself."""


_OfRooms: TypeAlias = Members | Topic | Rooms | Modes | Masks | Inviting | Invitations
_OfPeople: TypeAlias = Profile | People | PastPeople | Watched | Counts | PersonAway | UserModes
_OfHistory: TypeAlias = HistoryPage | HistoryTargets | Replay | Gap
_OfServer: TypeAlias = Motd | Lines | Wallops | ServerBanList | Ignored | PingRequest | PongReply | Killed | Bye
_OfRequests: TypeAlias = Ok | Failure | Words | ResponseStart | ResponseEnd

Reply: TypeAlias = Welcome | AccountReply | _OfRooms | _OfPeople | _OfHistory | _OfServer | _OfRequests
