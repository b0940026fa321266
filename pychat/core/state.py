"""
The shared state of a chat: plain data, which proposals change, where they are applied (`changes.py` of each topic).

It knows no session and no socket: what belongs to one server is kept by identity and by key, elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pychat.core.accounts.state import LoginState
from pychat.core.moderation.state import ServerBanState
from pychat.core.people.state import PeopleState
from pychat.model.errors import NoSuchRoom, NotHere

if TYPE_CHECKING:
    from pychat.core.people.state import Person
    from pychat.core.rooms.state import RoomRecord


class RoomTable(Protocol):
    """The rooms that proposals find; a server has a `RoomRegistry`, which reads empty ones from its log."""

    def known(self, key: str) -> RoomRecord | None:
        """Return the room with a key; None if there is none."""

    def use_locked(self, room: RoomRecord, identity: int | None = None) -> None:
        """
        Count a room as one in use.

        Args:
            identity: Who joins it; None if the program itself wants it.

        Raises:
            LimitExceeded: If there are too many.
        """

    def remove_locked(self, room: RoomRecord) -> None:
        """Forget an empty room."""


class State:
    """People, rooms by key, bans from the server, and logins."""

    __slots__ = ("logins", "people", "rooms", "server_bans")

    def __init__(self, rooms: RoomTable) -> None:
        self.people = PeopleState()
        self.rooms = rooms
        self.server_bans = ServerBanState()
        self.logins = LoginState()

    def somebody(self, identity: int | None) -> Person | None:
        """Return the person with an identity, who may just be leaving; None if there is none."""
        return None if identity is None else self.people.named.get(identity)

    def person(self, identity: int | None) -> Person:
        """
        Return the person with an identity.

        Raises:
            NotHere: If it is gone.
        """
        person = None if identity is None else self.people.named.get(identity)
        if person is None or person.has_left:
            raise NotHere
        return person

    def room(self, key: str) -> RoomRecord:
        """
        Return the room with a key.

        Raises:
            NoSuchRoom: If it is gone.
        """
        room = self.rooms.known(key)
        if room is None:
            raise NoSuchRoom(key)
        return room
