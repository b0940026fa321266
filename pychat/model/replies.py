"""
Replies: private items for one session, which answer its verbs or concern only itself.

Replies are immutable values like events, and travel in the same queue: a reply that is queued after an event arrives
after it. A verb with a `ref` is answered by exactly one reply with that `ref`.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from pychat.model.errors import Refused
from pychat.model.events import Event, Joined, Tagged
from pychat.model.limits import Limits
from pychat.model.modes import MaskEntry, ModeChange
from pychat.model.queries import Ref
from pychat.model.server_ban import ServerBanList


class Ok(NamedTuple):
    """The verb was performed; `id` is the position of the event it caused in the log, None if there is none."""

    ref: Ref
    id: int | None = None


class Failure(NamedTuple):
    """The verb was refused. `code` is for programs (docs/protocol.md lists them), `text` for people."""

    ref: Ref
    code: str
    text: str
    room: str | None = None
    """The room that it is about, if any."""
    subject: tuple[str, ...] = ()
    """Other values that it is about: a nickname, a mode and its argument (`Refused.subject`)."""
    retry_after: int | None = None
    """The seconds after which to try again, if known."""

    @classmethod
    def of(cls, error: Refused, ref: Ref = None) -> Failure:
        """Return the reply for a refusal."""
        return cls(ref, error.code, str(error), error.room, error.subject, error.retry_after)

    def error(self) -> Refused:
        """Return the refusal as an error, to be raised by the methods of the asking side."""
        error = Refused(self.text)
        error.code = self.code  # unchecked, as the peer sent it
        error.room, error.subject, error.retry_after = self.room, self.subject, self.retry_after
        return error


class Welcome(NamedTuple):
    """The session is accepted: the reply to `Hello`."""

    ref: Ref
    server: str
    nickname: str
    token: str
    """Secret; valid for one `Hello` that resumes this session."""
    limits: Limits
    userhost: str = ""
    """The user@host of the new session."""
    started: float = 0.0
    """When the server started, in POSIX seconds."""
    counts: Counts | None = None
    """The same as the reply to `CountPeople`."""


class LoggedIn(NamedTuple):
    """
    You are logged in to this account: the reply to `Register`, `LogIn` and `Authenticate`; also sent with other
    replies.
    """

    ref: Ref
    account: str
    registered: bool = False
    """True if the account is new."""
    nickname: str | None = None
    """The session's nickname and user@host at that moment."""
    userhost: str = ""


class LoggedOut(NamedTuple):
    """You are logged out: the reply to `LogOut` and `DropAccount`."""

    ref: Ref
    nickname: str | None = None
    """The session's nickname and user@host at that moment."""
    userhost: str = ""


class SaslChallenge(NamedTuple):
    """The server's next message in a SASL exchange; `Authenticate` continues it."""

    ref: Ref
    message: bytes


class MemberInfo(NamedTuple):
    """One entry of `Members`."""

    nickname: str
    away: str | None = None
    userhost: str = ""
    roles: str = ""
    """Letters of `modes.ROLES` that the member has in this room."""
    account: str | None = None
    """The account that the member is logged in to."""
    visits: bool = False
    """True for a visiting program, whose joins and leaves are not announced; no reply to a `Join` names it."""


class Members(NamedTuple):
    """The topic of a room and its members, in order of joining: the reply to `Join` and `ListMembers`."""

    ref: Ref
    room: str
    topic: str
    members: tuple[MemberInfo, ...]
    joined: bool = False
    """True if this answers a `Join`: the session is a member now."""
    topic_by: str = ""
    """The nickname of whoever set the topic."""
    topic_time: float = 0.0
    """When the topic was set, in POSIX seconds."""
    secret: bool = False
    """True if the room is hidden from everybody who is not in it."""
    again: bool = False
    """True if this answers a `Join` of a room that the session is in already: it is the current one now."""
    topic_userhost: str = ""
    """The user@host of whoever set the topic."""
    arrival: Joined | None = None
    """The event of the session's own join, which it gets in no other way; without an id if it was not announced."""
    place: int | None = None
    """In a reply to `Join`: the id up to which the client has everything of its rooms; it counts like an event's id."""


class Topic(NamedTuple):
    """The reply to `GetTopic`; an empty topic means that there is none."""

    ref: Ref
    room: str
    topic: str
    by: str = ""
    """The nickname of whoever set it."""
    time: float = 0.0
    """When it was set, in POSIX seconds."""
    userhost: str = ""
    """The user@host of whoever set it."""


class RoomInfo(NamedTuple):
    """One entry of `Rooms`."""

    name: str
    members: int
    topic: str
    created: float = 0.0
    """POSIX seconds, as for `topic_time`."""
    topic_time: float = 0.0


class Rooms(NamedTuple):
    """The rooms of the server, sorted by name: the reply to `ListRooms`."""

    ref: Ref
    rooms: tuple[RoomInfo, ...]
    more: bool = False
    """True if there may be others, because not all were examined."""


class Profile(NamedTuple):
    """The profile of a person: the reply to `WhoIs`. `rooms` are those that the session is in, too."""

    ref: Ref
    nickname: str
    rooms: tuple[str, ...]
    away: str | None
    idle: float
    """The seconds since the person's last message."""
    userhost: str = ""
    realname: str = ""
    modes: str = ""
    """The user modes of the person."""
    since: float = 0.0
    """When the person connected, in POSIX seconds."""
    roles: tuple[str, ...] = ()
    """For each of `rooms`, the letters of `modes.ROLES` that the person has there."""
    secure: bool = False
    """True if the person's connection uses TLS."""
    account: str | None = None
    """The account that the person is logged in to."""
    address: str = ""
    """The IP address, for server operators; empty for everybody else."""


class People(NamedTuple):
    """The reply to `ListPeople` and `FindPeople`."""

    ref: Ref
    people: tuple[Profile, ...]
    room: str | None = None
    """The room in the query."""
    more: bool = False
    """True if there are, or may be, others that do not fit in the reply."""


class PastPerson(NamedTuple):
    """One entry of `PastPeople`."""

    nickname: str
    userhost: str
    realname: str
    time: float
    """When the person gave up the nickname, in POSIX seconds."""


class PastPeople(NamedTuple):
    """The past owners of a nickname, the last one first: the reply to `WhoWas`."""

    ref: Ref
    people: tuple[PastPerson, ...]


class Watched(NamedTuple):
    """The monitored nicknames that are online or offline: the reply to `Watch` and `ListWatched`, and later changes."""

    ref: Ref
    online: tuple[MemberInfo, ...] = ()
    offline: tuple[str, ...] = ()
    """Nicknames."""


class Counts(NamedTuple):
    """The reply to `CountPeople`."""

    ref: Ref
    people: int
    """All people with a nickname."""
    invisible: int
    """Those with the user mode `i`."""
    operators: int
    strangers: int
    """Connections without a nickname."""
    rooms: int
    most: int
    """The greatest number of people at the same time."""


class Motd(NamedTuple):
    """The message of the day, which may be empty: the reply to `GetMotd`, also sent on connecting."""

    ref: Ref
    lines: tuple[str, ...]


class Modes(NamedTuple):
    """The rules of a room: the reply to `GetModes`."""

    ref: Ref
    room: str
    letters: str
    """The letters of `modes.FLAGS` and `modes.VALUES` that are set."""
    arguments: tuple[str, ...]
    """
    The values of those with a value, in the order of the letters; a secret one is only shown to members, to others as
    "*".
    """
    created: float
    """When the room was created, in POSIX seconds."""


class Masks(NamedTuple):
    """A mask list of a room: the reply to `ListMasks`."""

    ref: Ref
    room: str
    mode: str
    masks: tuple[MaskEntry, ...]


class Inviting(NamedTuple):
    """The reply to `Invite`."""

    ref: Ref
    room: str
    nickname: str


class Invitations(NamedTuple):
    """The rooms that the session is invited to: the reply to `ListInvitations`."""

    ref: Ref
    rooms: tuple[str, ...]


class UserModes(NamedTuple):
    """The session's user modes: the reply to `GetUserModes`, `SetUserModes` and `BecomeOperator`."""

    ref: Ref
    letters: str
    changes: tuple[ModeChange, ...] = ()
    """The changes that were just made."""


class Wallops(NamedTuple):
    """A message of a server operator to everybody with the user mode `w`."""

    nickname: str
    userhost: str
    text: str


class Ignored(NamedTuple):
    """All masks that the session ignores, and those that were just added and removed."""

    ref: Ref
    masks: tuple[str, ...]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    userhost: str = ""
    """The user@host of the session itself."""


class PersonAway(NamedTuple):
    """A person to whom the session wrote, or whom it invited, is away."""

    ref: Ref
    nickname: str
    text: str


class HistoryTarget(NamedTuple):
    """One entry of `HistoryTargets`."""

    room: str
    time: float
    """The time of the last message between the two times."""


class HistoryTargets(NamedTuple):
    """Rooms with messages in a period: the reply to `ListHistory`."""

    ref: Ref
    targets: tuple[HistoryTarget, ...]


class Words(NamedTuple):
    """A value that only the session's own protocol understands; it made the value itself (`verbs.Answer`)."""

    value: object


class ResponseStart(NamedTuple):
    """All items that the session's own verb causes from here on answer the request with this label."""

    label: str


class ResponseEnd(NamedTuple):
    """The end of the response."""


class HistoryPage(NamedTuple):
    """A part of a room's history, oldest first: the reply to `ReadHistory`."""

    ref: Ref
    room: str
    events: tuple[Event, ...]
    more: bool
    """True if there is more in the requested direction."""
    search: str = ""
    """The words searched for; empty if it was not a search."""
    next: int | None = None
    """
    If there is more, the position to continue from, as `before` or `after` of the same query. A page may be empty and
    still have more after it, because one query examines only so many events.
    """


class Replay(NamedTuple):
    """The last messages of a room, oldest first, for a session that has just joined it."""

    room: str
    events: tuple[Event, ...]


class Gap(NamedTuple):
    """Events of the room after `after` are missing, because they are not kept any more (or never were here)."""

    room: str
    after: int


class Lines(NamedTuple):
    """Text for people in several lines, such as help."""

    ref: Ref
    lines: tuple[str, ...]


class PingRequest(NamedTuple):
    """Asks whether the client is still there. Silence for too long ends the session."""


class PongReply(NamedTuple):
    """The reply to `Ping`."""

    ref: Ref
    token: str


class Killed(NamedTuple):
    """A server operator disconnects the session; `Bye` follows, for protocols that cannot express this."""

    nickname: str
    """The operator's nickname; `userhost` is the operator's, too."""
    userhost: str
    reason: str


class Bye(NamedTuple):
    """The last item that a session gets, with the disconnect reason."""

    reason: str
    final: bool = False
    """True if the session was disconnected for good, so the client must not reconnect automatically."""


_OfRooms: TypeAlias = Members | Topic | Rooms | Modes | Masks | Inviting | Invitations
_OfPeople: TypeAlias = Profile | People | PastPeople | Watched | Counts | PersonAway | UserModes
_OfHistory: TypeAlias = HistoryPage | HistoryTargets | Replay | Gap
_OfAccounts: TypeAlias = LoggedIn | LoggedOut | SaslChallenge
_OfServer: TypeAlias = Motd | Lines | Wallops | ServerBanList | Ignored | PingRequest | PongReply | Killed | Bye
_OfRequests: TypeAlias = Ok | Failure | Words | ResponseStart | ResponseEnd

Reply: TypeAlias = Welcome | _OfAccounts | _OfRooms | _OfPeople | _OfHistory | _OfServer | _OfRequests

IRC_ONLY: Final = (
    Tagged,
    People,
    PastPeople,
    Watched,
    Counts,
    SaslChallenge,
    Killed,
    HistoryTargets,
    Words,
    ResponseStart,
    ResponseEnd,
)
"""Events and replies that only an IRC client can request or understand."""
