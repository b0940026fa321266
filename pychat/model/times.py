"""Times of events, and where a time is in a record whose times may go back: the clock was set back there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pychat.model.events import Event


def milliseconds(time: float) -> int:
    """Return the time of an event as languages write it, to be compared."""
    return int(time * 1000)


class Place(NamedTuple):
    """Where a time is among events whose times may go back at some of them; see `Log.id_at`."""

    id: int | None
    """What happened before has a smaller id; None: all of them happened before."""
    exact: bool
    """Whether it is the very time of an event."""
    first: bool
    """Whether the time is before all of these, so that what comes before them may be meant."""


def place_in(events: Sequence[Event], wanted: int, *, behind: bool) -> Place:
    """Find a time, in whole milliseconds, among events."""
    exact = later = found = None
    first = True
    for event in reversed(events):
        time = milliseconds(event.time)
        if time == wanted:
            if behind:
                return Place(later, True, False)
            exact = event.id
        elif exact is not None:
            break
        if first and time >= wanted:
            found = event.id
        else:
            first = False
        later = event.id
    return Place(found, False, first) if exact is None else Place(exact, True, False)
