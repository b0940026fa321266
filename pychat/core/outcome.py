"""
What becomes of a proposal: its position in the order, and the outcome of applying it there.

`sequencer.py` gives the position and carries out the outcome; the functions that apply proposals are in the
`changes.py` of each topic.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from pychat.model.clock import Clock
from pychat.model.errors import ChatError, Refused
from pychat.model.events import Event
from pychat.model.modes import ModeChange
from pychat.model.replies import Reply
from pychat.model.server_ban import ServerBan


class Position(Clock):
    """A position in the order, and the clock for whatever is applied there, which stands still."""

    __slots__ = ("_monotonic", "_next", "_stamp", "_time", "newest")

    def __init__(self, time: float, monotonic: float, newest: int, stamp: Callable[[], float]) -> None:
        """
        Args:
            newest: The newest id before this position.
            stamp: Returns the time of the next event; it is called at most once.
        """
        self._time, self._monotonic, self._next = time, monotonic, stamp
        self._stamp: float | None = None
        self.newest = newest

    def time(self) -> float:
        """Return POSIX seconds, as the clock has them: for durations, which begin now."""
        return self._time

    def monotonic(self) -> float:
        """Return the same by `Clock.monotonic`."""
        return self._monotonic

    def stamp(self) -> float:
        """Return the time of the first event of the outcome, which is greater than that of any event before."""
        if self._stamp is None:
            self._stamp = self._next()
        return self._stamp

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Raise an error: nothing waits at a position."""
        raise NotImplementedError


class Outdated(ChatError):
    """A proposal is based on what does not hold any more, and changes nothing: look again, and make another one."""


class Author(NamedTuple):
    """Who proposes a change."""

    identity: int | None
    """The identity of a session; None for an administrator without one, or the chat itself."""
    described: str
    """For the audit record."""


class Publish(NamedTuple):
    """Publish an event in rooms. It gets its id and time now."""

    event: Event
    rooms: tuple[str, ...]
    """Keys."""
    guest: int | None = None
    """The identity of a person who is told of it, too, apart from the members."""
    extra: int | None = None
    """The identity of a person who gets it with the members, even if it is not one."""
    excluded: frozenset[int] = frozenset()
    """The identities of members who do not get it."""
    of_person: bool = False
    """True if it is about the person `extra`, so that those who monitor that person get it, too."""


class SendTo(NamedTuple):
    """Send one person something that gets no id."""

    identity: int
    items: tuple[Event | Reply, ...]


class Note(NamedTuple):
    """Record an action of the author in the audit record."""

    what: str


class CountModes(NamedTuple):
    """Count a person by its user modes, which have changed."""

    identity: int


class Unsubscribe(NamedTuple):
    """Send a person no more events of a room."""

    identity: int
    room: str


class ForgetHistory(NamedTuple):
    """Delete the history of a room."""

    room: str


class AddMember(NamedTuple):
    """Let a session know that it is in a room."""

    identity: int
    room: str
    first: bool
    """True if the room had no members."""


class DropMember(NamedTuple):
    """Let a session know that it is not in a room any more, and count the room for another member."""

    identity: int
    room: str


class CountForOther(NamedTuple):
    """Count a room for another member than one whose session has ended."""

    identity: int
    room: str


class Hear(NamedTuple):
    """Let the rooms of a person know whether it ignores anybody."""

    identity: int


class ResetRoom(NamedTuple):
    """Forget what belongs to the rules that a room has lost, and its history if that was private."""

    room: str


class Uncount(NamedTuple):
    """Count a room for nobody, because it is the program's, or is removed."""

    room: str


class Release(NamedTuple):
    """Free the place of an empty room in the table; the table may forget it, so this comes last."""

    room: str


class AwaitMembers(NamedTuple):
    """Propose the end of an empty room when its members are not expected back any more."""

    room: str


class SaveSession(NamedTuple):
    """Store a session that can be resumed."""

    identity: int


class DropToken(NamedTuple):
    """Delete the stored session of a token, which is not valid any more."""

    digest: str


class AwaitReturn(NamedTuple):
    """Propose the end of a reservation when it has expired."""

    digest: str
    seconds: float


class SaveRoom(NamedTuple):
    """Store the state of a room."""

    room: str


class SaveServerBan(NamedTuple):
    """Store a ban from the server; None if it has ended."""

    key: str
    ban: ServerBan | None


class WatchMasks(NamedTuple):
    """Propose the end of masks of a room when they expire."""

    room: str


Effect: TypeAlias = (
    Publish
    | SendTo
    | Note
    | ForgetHistory
    | AddMember
    | Unsubscribe
    | DropMember
    | CountForOther
    | Hear
    | ResetRoom
    | Uncount
    | Release
    | AwaitMembers
    | CountModes
    | SaveSession
    | DropToken
    | AwaitReturn
    | SaveRoom
    | SaveServerBan
    | WatchMasks
)


class Outcome:
    """What happens because of a proposal."""

    __slots__ = ("effects", "event", "lent", "made", "refusals")

    def __init__(
        self,
        effects: Sequence[Effect] = (),
        refusals: Sequence[Refused] = (),
        made: tuple[ModeChange, ...] = (),
        event: Event | None = None,
        *,
        lent: bool = False,
    ) -> None:
        self.effects = effects
        """In order."""
        self.refusals = refusals
        """The parts of the proposal that were refused, in its order."""
        self.made = made
        """The modes and masks that were set or removed."""
        self.event = event
        """The event that tells of it: the first one that is published, or one that only some are told."""
        self.lent = lent
        """True if a nickname was taken that belongs to another account, so that it may be kept for a while only."""

    @property
    def id(self) -> int | None:
        """The id of that event; None if it was not published."""
        return None if self.event is None else self.event.id or None
