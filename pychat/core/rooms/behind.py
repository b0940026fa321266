"""
A session that is behind: the rooms that it does not hear yet, and how far it has what they said.

Ids are one sequence for the whole server, and a client that lost its connection tells one of them as its place: the
greatest that it has seen. That is right if whoever sees an id has everything that its rooms said before. So while a
session is behind in any of its rooms, ids come only with what brings it up to the present; what happens to it alone
meanwhile, a direct message for example, has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pychat.model.events import Event

if TYPE_CHECKING:
    from pychat.core.rooms.room import Room
    from pychat.model.replies import Reply

MOST_PAGES: Final = 80
"""
Pages that a session is brought at once, of 64 KiB with the default limits: all that sixty people can say in a room in
30 s, as fast as flood control lets them. What is more is a gap, for which the client may ask (`history`).
"""


class Behind:
    """Guarded by the chat's order lock."""

    __slots__ = ("after", "pages", "rooms")

    def __init__(self) -> None:
        self.rooms: dict[Room, int] = {}
        """Each room that it does not hear yet, with the id up to which it has everything."""
        self.after: int | None = None
        """The id up to which it has everything by its own account; None: it has just come."""
        self.pages = MOST_PAGES
        """How many it may still be brought; what is missed then is a gap."""

    def place(self, newest: int) -> int:
        """Return the id up to which the session has everything; `newest` is the one that was given last."""
        return min(newest, *self.rooms.values(), newest if self.after is None else self.after)


def without_id(item: Event | Reply) -> Event | Reply:
    """Return the item so that no client takes it for its place."""
    return item._replace(id=0) if isinstance(item, Event) else item
