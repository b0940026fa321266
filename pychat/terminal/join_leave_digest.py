"""
Joins and leaves of the room on the screen, held back a little, so that a crowd takes one line.

Who leaves and comes back meanwhile, or looks in for a moment, is not mentioned at all.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from pychat.model.events import Disconnected, Joined, Left
from pychat.model.names import fold

HELD_SECONDS: Final = 3.0
"""For how long a join or a leave is held back at most."""

MOST_HELD: Final = 100
"""How many are held back; then they are shown at once."""

Coming: TypeAlias = Joined | Left | Disconnected


class ComingsAndGoings:
    """What is held back. Times are those of a clock that never goes back."""

    def __init__(self) -> None:
        self._held: dict[str, Coming] = {}
        self.due: float | None = None
        """When it has to be shown; None if there is nothing."""

    def add(self, event: Coming, now: float) -> None:
        """Hold back an event."""
        before = self._held.pop(fold(event.nickname), None)
        if before is None or isinstance(before, Joined) == isinstance(event, Joined):
            self._held[fold(event.nickname)] = event
        if not self._held:
            self.due = None
        elif self.due is None:
            self.due = now + HELD_SECONDS

    @property
    def is_full(self) -> bool:
        """Whether it has to be shown now."""
        return len(self._held) >= MOST_HELD

    def concern(self, nickname: str) -> bool:
        """Whether something about this person is held back."""
        return fold(nickname) in self._held

    def take(self) -> tuple[list[Joined], list[Left | Disconnected]]:
        """Return who came and who went, and hold back nothing any more."""
        events, self._held, self.due = [*self._held.values()], {}, None
        came = [event for event in events if isinstance(event, Joined)]
        return came, [event for event in events if not isinstance(event, Joined)]
