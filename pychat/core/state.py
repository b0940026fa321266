"""
The shared state of a chat. Proposals change it, where they are applied (`changes.py` of each topic).

Topics that still change by hand, under `Order.change`, are reached through the objects that hold them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.core.moderation.state import ServerBanState
from pychat.model.errors import NoSuchRoom, NotHere

if TYPE_CHECKING:
    from pychat.core.people.directory import Directory
    from pychat.core.people.nicknames import Nicknames
    from pychat.core.rooms.registry import RoomRegistry
    from pychat.core.rooms.room import Room
    from pychat.core.session import Session


class State:
    """People by identity, nickname and host, rooms by key, and bans from the server."""

    __slots__ = ("directory", "people", "rooms", "server_bans")

    def __init__(self, people: Nicknames, directory: Directory, rooms: RoomRegistry) -> None:
        self.people = people
        self.directory = directory
        self.rooms = rooms
        self.server_bans = ServerBanState()

    def person(self, identity: int | None) -> Session:
        """
        Return the person with an identity.

        Raises:
            NotHere: If it is gone, or was disconnected.
        """
        person = None if identity is None else self.people.by_identity.get(identity)
        if person is None or not person.is_here:
            raise NotHere
        return person

    def room(self, key: str) -> Room:
        """
        Return the room with a key.

        Raises:
            NoSuchRoom: If it is gone.
        """
        room = self.rooms.by_key.get(key) or self.rooms.known(key)
        if room is None:
            raise NoSuchRoom(key)
        return room
