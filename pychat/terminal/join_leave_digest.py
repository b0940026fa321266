"""
Joins and leaves of the room on the screen, delayed briefly, so that a crowd takes one line.

People who leave and return within that time, or join only for a moment, are not mentioned at all.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from pychat.model.events import Disconnected, Joined, Left
from pychat.model.names import fold

HELD_SECONDS: Final = 3.0
"""The longest delay of a join or leave."""

MOST_HELD: Final = 100
"""How many are delayed; more are shown at once."""

Coming: TypeAlias = Joined | Left | Disconnected


class ComingsAndGoings:
    """The delayed events. Times are from a monotonic clock."""

    def __init__(self) -> None:
        self._held: dict[str, Coming] = {}
        self.due: float | None = None
        """When they must be shown; None if there are none."""

    def add(self, event: Coming, now: float) -> None:
        """Delay an event."""
        before = self._held.pop(fold(event.nickname), None)
        if before is None or isinstance(before, Joined) == isinstance(event, Joined):
            self._held[fold(event.nickname)] = event
        if not self._held:
            self.due = None
        elif self.due is None:
            self.due = now + HELD_SECONDS

    @property
    def is_full(self) -> bool:
        """True if the events must be shown now."""
        return len(self._held) >= MOST_HELD

    def concern(self, nickname: str) -> bool:
        """Return whether an event of this person is delayed."""
        return fold(nickname) in self._held

    def take(self) -> tuple[list[Joined], list[Left | Disconnected]]:
        """Return the joins and the leaves, and clear them."""
        events, self._held, self.due = [*self._held.values()], {}, None
        came = [event for event in events if isinstance(event, Joined)]
        return came, [event for event in events if not isinstance(event, Joined)]
