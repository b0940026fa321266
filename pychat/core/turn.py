"""
What a thread has caused and not yet flushed: the events without a position, and which of them answers which request.

`order.py` gives them their positions. Everything here belongs to one thread.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from pychat.model.events import SAID, Event
from pychat.model.queries import Ref

if TYPE_CHECKING:
    from pychat.core.rooms.room import Room
    from pychat.core.session import Session


class Destination(NamedTuple):
    """The audience and origin of an event: see `Order.publish`."""

    rooms: tuple[Room, ...]
    source: Session | None
    """The session whose verb caused the event."""
    said: bool
    """True if it is the source's own message."""
    recipients: frozenset[Session] | None
    extra: Session | None


class Run:
    """Consecutive events without a position yet that share a destination; they become one `Batch`."""

    __slots__ = ("destination", "events", "refs")

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self.events: list[Event] = []
        self.refs: dict[int, Ref] = {}
        """The marks of events whose results the source waits for, by index."""


class Answering:
    """
    A message whose hooks run, or tags that are sent: which event answers the request.

    It is the first one that is published in the sender's name; if there is none, the first one that somebody says in
    another name. A context manager: within it, this is the request that is answered.
    """

    __slots__ = ("_instead", "_ref", "_turn", "answered")

    def __init__(self, turn: Turn, ref: Ref) -> None:
        self._turn, self._ref, self.answered = turn, ref, False
        self._instead: tuple[Run, int] | None = None

    def __enter__(self) -> Answering:
        self._turn.answering = self
        return self

    def __exit__(self, *error: object) -> None:
        self._turn.answering = None

    def take(self, run: Run, event: Event, *, said: bool) -> None:
        """Let an event answer, if it can, that is about to become the next one of the run."""
        if said:
            run.refs[len(run.events)] = self._ref
            self.answered = True
        elif self._instead is None and isinstance(event, SAID):
            self._instead = run, len(run.events)

    def settle(self) -> None:
        """If no event answers yet, let the first one in another name do so, unless it has its position already."""
        if self._instead is not None and self._instead[0] in self._turn.runs:
            run, index = self._instead
            run.refs[index] = self._ref
            self.answered = True


class _Unasked(Answering):
    """For a message that nobody waits for an answer to."""

    __slots__ = ()

    def __init__(self) -> None:
        self.answered = True

    def __enter__(self) -> Answering:
        return self

    def __exit__(self, *error: object) -> None:
        pass


UNASKED: Final = _Unasked()


class Turn(threading.local):
    """The events that a thread has caused and not yet flushed, and what it does."""

    session: Session | None = None
    """The session whose verb the thread performs; None outside verbs."""
    answering: Answering | None = None
    """The request that the next event answers."""
    addressed: tuple[str, Session] | None = None
    """The recipient of the direct message whose hooks run, with the nickname it was addressed by."""
    checked: Event | None = None
    """The message whose hooks run, already checked, until it is published."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
