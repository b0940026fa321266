"""
Queries: verbs that change nothing.

Like all verbs (`model/verbs.py`) they may have a `ref`, the sender's own mark; where `room` is optional, None means the
session's current room.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from pychat.model.events import Event

Ref: TypeAlias = str | int | tuple[object, ...] | None
"""Any value that the protocol can compare: strings and numbers in JSON, the answered command in IRC."""


class Moment(NamedTuple):
    """A position in the log of a room, by time: POSIX seconds."""

    time: float


Position: TypeAlias = int | Moment
"""A position in the log of a room: an event id, or a time."""


class GetTopic(NamedTuple):
    """Ask for a room's topic; answered by `Topic`."""

    room: str | None = None
    ref: Ref = None


class ListMembers(NamedTuple):
    """Ask for the members of one of the session's rooms; answered by `Members`."""

    room: str | None = None
    ref: Ref = None


class RoomFilter(NamedTuple):
    """Conditions for rooms; None or empty matches all."""

    masks: tuple[str, ...] = ()
    """Names with the wildcards `*` and `?`; one of them must match."""
    not_masks: tuple[str, ...] = ()
    """Names with wildcards; none of them may match."""
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
    """Ask for the rooms of the server; answered by `Rooms`."""

    ref: Ref = None
    filter: RoomFilter = RoomFilter()


class WhoIs(NamedTuple):
    """Ask for the profile of a person; answered by `Profile`."""

    nickname: str
    ref: Ref = None


class ListPeople(NamedTuple):
    """
    Ask for people; answered by `People`.

    They are the members of a room, or those whose nickname, user@host or real name matches a mask. A person who shares
    no room with the session and is invisible (user mode `i`) is only found by the exact nickname.
    """

    mask: str = "*"
    room: str | None = None
    operators: bool = False
    """Only server operators."""
    ref: Ref = None


class FindPeople(NamedTuple):
    """Ask which of these people are online; answered by `People`, in the order of the nicknames that were found."""

    nicknames: tuple[str, ...]
    ref: Ref = None


class WhoWas(NamedTuple):
    """Ask for past owners of a nickname; answered by `PastPeople`, the last one first."""

    nickname: str
    most: int | None = None
    """The maximum number; None for as many as fit in one reply."""
    ref: Ref = None


class ListWatched(NamedTuple):
    """Ask which nicknames the session monitors, and which of them are online; answered by `Watched`."""

    ref: Ref = None


class CountPeople(NamedTuple):
    """Ask for the numbers of people and rooms; answered by `Counts`."""

    ref: Ref = None


class GetMotd(NamedTuple):
    """Ask for the message of the day; answered by `Motd`."""

    ref: Ref = None


class ReadHistory(NamedTuple):
    """
    Ask for the history of one of the session's rooms; answered by `HistoryPage`.

    Without bounds, it returns the last events. With one bound, the events nearest to it. With both, those from `after`
    on. `around` and `between` exclude other bounds: `around` returns half of the limit before the position, half after
    it; `between` starts at its first position and goes towards the second, which may be the earlier one. A search
    returns the last matches, or the last before `before`, and takes no other bound.
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
    """Events of these classes do not count and are left out, because the reader's protocol cannot express them."""


class ListHistory(NamedTuple):
    """Ask which of the session's rooms have their last message between two times; answered by `HistoryTargets`."""

    between: tuple[Moment, Moment]
    """If more rooms match than the limit allows, the nearest to the first time win; it may be the later one."""
    limit: int | None = None
    ref: Ref = None


class ListInvitations(NamedTuple):
    """Ask which rooms the session is invited to; answered by `Invitations`."""

    ref: Ref = None


class GetModes(NamedTuple):
    """Ask for the rules of a room; answered by `Modes`."""

    room: str | None = None
    ref: Ref = None


class ListMasks(NamedTuple):
    """Ask for a mask list of a room; answered by `Masks`."""

    mode: str
    """One of `modes.LISTS`."""
    room: str | None = None
    ref: Ref = None


class GetUserModes(NamedTuple):
    """Ask for the session's own user modes; answered by `UserModes`."""

    ref: Ref = None


class ReadAudit(NamedTuple):
    """Read the audit record; answered by `HistoryPage`; for server operators."""

    limit: int | None = None
    before: int | None = None
    """Only entries with smaller ids."""
    ref: Ref = None


class GetStats(NamedTuple):
    """Ask for the statistics of the server; answered by `Lines`; for server operators."""

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
