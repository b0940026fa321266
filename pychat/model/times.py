"""Times of events, and positions by time in a log whose times may decrease where the clock was set back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pychat.model.events import Event


def milliseconds(time: float) -> int:
    """Return the time of an event as protocols write it, for comparison."""
    return int(time * 1000)


class Place(NamedTuple):
    """The position of a time among events whose times may decrease; see `Log.id_at`."""

    id: int | None
    """Earlier events have smaller ids; None if all of them are earlier."""
    exact: bool
    """True if it is the exact time of an event."""
    first: bool
    """True if the time is before all of these, so that earlier events may be meant."""


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
