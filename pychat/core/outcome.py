"""
What becomes of a proposal: its position in the order, and the outcome of applying it there.

`sequencer.py` gives the position and carries out the outcome; the functions that apply proposals are in the
`changes.py` of each topic.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from pychat.model.clock import Clock
from pychat.model.errors import Refused
from pychat.model.events import Event
from pychat.model.hostmask import Hostmask
from pychat.model.replies import Reply
from pychat.model.server_ban import ServerBan


class Position(Clock):
    """A position in the order, and the clock for whatever is applied there, which stands still."""

    def __init__(self, time: float, monotonic: float) -> None:
        self._time, self._monotonic = time, monotonic

    def time(self) -> float:
        """Return POSIX seconds: the time of the first event of the outcome."""
        return self._time

    def monotonic(self) -> float:
        """Return the same by `Clock.monotonic`."""
        return self._monotonic


class Author(NamedTuple):
    """Who proposes a change."""

    identity: int | None
    """The identity of a session; None for an administrator without one, or the chat itself."""
    described: str
    """For the audit record."""


class Publish(NamedTuple):
    """Let an event happen in rooms. It gets its id and time now."""

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
    """SendTo one person something that gets no id."""

    identity: int
    items: tuple[Event | Reply, ...]


class Note(NamedTuple):
    """Record an action of the author in the audit record."""

    what: str


class Reindex(NamedTuple):
    """Update the indexes of people after a change of a profile."""

    identity: int
    before: Hostmask
    """The person's texts before that."""


class SaveSession(NamedTuple):
    """Store a session that can be resumed."""

    identity: int


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


Effect: TypeAlias = Publish | SendTo | Note | Reindex | SaveSession | SaveRoom | SaveServerBan | WatchMasks


class Outcome(NamedTuple):
    """What happens because of a proposal, in order."""

    effects: tuple[Effect, ...] = ()
    refusals: tuple[Refused, ...] = ()
    """The parts of the proposal that were refused; if all of it is, `Refused` is raised, and nothing changes."""
    id: int | None = None
    """The id of the first published event; the sequencer adds it."""
