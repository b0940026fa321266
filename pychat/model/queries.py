"""
What a session asks to know: verbs that change nothing.

Like all verbs (`model/verbs.py`) they may carry a `ref`, the asker's own mark, and where a `room` is optional, None
means the session's current room.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from pychat.model.events import Event

Ref: TypeAlias = str | int | tuple[object, ...] | None
"""Any value that the language can compare; JSON has strings and numbers, IRC the command that is answered."""


class Moment(NamedTuple):
    """A place in the record of a room, by the time: POSIX seconds."""

    time: float


Position: TypeAlias = int | Moment
"""A place in the record of a room: an event id, or a time."""


class GetTopic(NamedTuple):
    """Ask for a room's topic; answered by `Topic`."""

    room: str | None = None
    ref: Ref = None


class ListMembers(NamedTuple):
    """Who is in a room of mine? Answered by `Members`."""

    room: str | None = None
    ref: Ref = None


class RoomFilter(NamedTuple):
    """Which rooms are wanted; what is None or empty wants all."""

    masks: tuple[str, ...] = ()
    """Names, which may contain the wildcards `*` and `?`: one of them fits."""
    not_masks: tuple[str, ...] = ()
    """None of them fits."""
    more_than: int | None = None
    """Members."""
    less_than: int | None = None
    """Members."""
    created_before: float | None = None
    """Created more than so many seconds ago."""
    created_since: float | None = None
    """Created less than so many seconds ago."""
    topic_before: float | None = None
    """Topic set more than so many seconds ago."""
    topic_since: float | None = None
    """Topic set less than so many seconds ago."""


class ListRooms(NamedTuple):
    """Which rooms are there? Answered by `Rooms`."""

    ref: Ref = None
    filter: RoomFilter = RoomFilter()


class WhoIs(NamedTuple):
    """Who is this? Answered by `Profile`."""

    nickname: str
    ref: Ref = None


class ListPeople(NamedTuple):
    """
    Who is there? Answered by `People`.

    Those in a room, or those whose nickname, user@host or real name fits a mask. Who is not in a room with the asker
    and wants to be invisible (user mode `i`) is told only to those who give the very nickname.
    """

    mask: str = "*"
    room: str | None = None
    operators: bool = False
    """Only those who are server operators."""
    ref: Ref = None


class FindPeople(NamedTuple):
    """Which of these are there? Answered by `People`, in the order of the nicknames that were found."""

    nicknames: tuple[str, ...]
    ref: Ref = None


class WhoWas(NamedTuple):
    """Who had this nickname? Answered by `PastPeople`, the last one first."""

    nickname: str
    most: int | None = None
    """At most so many; None: as many as one answer takes."""
    ref: Ref = None


class ListWatched(NamedTuple):
    """Whom do I watch, and who of them is there? Answered by `Watched`."""

    ref: Ref = None


class CountPeople(NamedTuple):
    """How many people and rooms are there? Answered by `Counts`."""

    ref: Ref = None


class GetMotd(NamedTuple):
    """What is the message of the day? Answered by `Motd`."""

    ref: Ref = None


class ReadHistory(NamedTuple):
    """
    What was said in a room of mine? Answered by `HistoryPage`.

    Without bounds the last events. With one: the events nearest to it. With both: from `after` on. `around` and
    `between` exclude the others: half of the limit before the place, half behind; or from the first of two places on
    towards the second, which may be the earlier one. A search finds the last messages, or the last ahead of `before`,
    and takes no other bound.
    """

    room: str | None = None
    before: Position | None = None
    after: Position | None = None
    limit: int | None = None
    ref: Ref = None
    around: Position | None = None
    between: tuple[Position, Position] | None = None
    messages_only: bool = False
    """Only messages count; joins, modes and so on are left out."""
    search: str | None = None
    """Only messages with these words (`model/search.py`)."""
    without: tuple[type[Event], ...] = ()
    """Events of these classes do not count and are left out: the language of the reader has no words for them."""


class ListHistory(NamedTuple):
    """In which rooms of mine was the last thing said between two times? Answered by `HistoryTargets`."""

    between: tuple[Moment, Moment]
    """If they are more than the limit, those nearest to the first of the two, which may be the later one."""
    limit: int | None = None
    ref: Ref = None


class ListInvitations(NamedTuple):
    """Which rooms am I invited to? Answered by `Invitations`."""

    ref: Ref = None


class GetModes(NamedTuple):
    """Which rules does a room have? Answered by `Modes`."""

    room: str | None = None
    ref: Ref = None


class ListMasks(NamedTuple):
    """Which masks are in one of the lists of a room? Answered by `Masks`."""

    mode: str
    """One of `modes.LISTS`."""
    room: str | None = None
    ref: Ref = None


class GetUserModes(NamedTuple):
    """What am I? Answered by `UserModes`."""

    ref: Ref = None


class ReadAudit(NamedTuple):
    """Who did what to others? Answered by `HistoryPage`; for server operators."""

    limit: int | None = None
    before: int | None = None
    """Only entries with smaller ids."""
    ref: Ref = None


class GetStats(NamedTuple):
    """What goes on here, in figures? Answered by `Lines`; for server operators."""

    ref: Ref = None


Query: TypeAlias = (
    GetTopic
    | ListMembers
    | ListRooms
    | WhoIs
    | ListPeople
    | FindPeople
    | WhoWas
    | ListWatched
    | CountPeople
    | GetMotd
    | ReadHistory
    | ListHistory
    | ListInvitations
    | GetModes
    | ListMasks
    | GetUserModes
    | ReadAudit
    | GetStats
)
