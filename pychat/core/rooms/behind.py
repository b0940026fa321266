"""
A session that is catching up: the rooms it is not subscribed to yet, and its position in each.

Ids are one sequence for the whole server, and a client that lost its connection reports the greatest id it has seen as
its position. This works only if a client that sees an id has everything its rooms said before. So while a session is
catching up in any of its rooms, only the events that bring it up to date carry ids; others, such as direct messages,
have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pychat.model.events import Event

if TYPE_CHECKING:
    from pychat.core.rooms.room import Room
    from pychat.model.replies import Reply

MOST_PAGES: Final = 80
"""
The maximum pages that a session is brought at once, each 64 KiB with the default limits: as much as sixty people can
say in a room in 30 s at the rate limit. The rest becomes a gap, for which the client may ask (`history`).
"""


class Behind:
    """The state of a session that is catching up. Guarded by the chat's order lock."""

    __slots__ = ("after", "pages", "places")

    def __init__(self) -> None:
        self.places: dict[Room, int] = {}
        """Each room without a subscription yet, with the id up to which the session has everything."""
        self.after: int | None = None
        """The id up to which the client says that it has everything; None if it has just joined."""
        self.pages = MOST_PAGES
        """The pages that may still be sent; events missed beyond them become a gap."""

    def place(self, newest: int) -> int:
        """Return the id up to which the session has everything; `newest` is the newest id of the server."""
        return min(newest, *self.places.values(), newest if self.after is None else self.after)


def without_id(item: Event | Reply) -> Event | Reply:
    """Return the item without its id, so that no client takes it as its position."""
    return item._replace(id=0) if isinstance(item, Event) else item
