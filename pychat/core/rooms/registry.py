"""
The table of rooms: those that have or expect members, and those of the program.

An empty room is not in the table: its snapshot is in the log, and is read when somebody asks for the room. So the
number of rooms in use is bounded, the number of rooms is not, and nobody loses a room because others create new ones.
If the log is not persistent, empty rooms stay in memory, and the oldest is dropped when there are too many.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from pychat.core.rooms.ban_expiry import watch_locked
from pychat.core.rooms.quotas import RoomShares
from pychat.core.rooms.room import Room
from pychat.core.rooms.snapshot import restore_room
from pychat.core.waiting import before_wait
from pychat.model.errors import LimitExceeded
from pychat.model.names import fold

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.rooms.state import RoomRecord

_SHARE_OF_KNOWN: Final = 0.25
"""The share of places that new rooms must leave free, so that people can always return to existing rooms."""


class RoomRegistry:
    """The rooms of one chat. There is never more than one object for a room."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        # Guards the creation of rooms, so that two threads that ask for the same room get the same object. Comes before
        # the order lock, which is not taken under it. The log is read under it; hooks do not run.
        self._making = threading.Lock()
        # The following are changed under the order lock; single reads need no lock.
        self.by_key: dict[str, Room] = {}
        """The rooms in use. Others only read it, and need no lock."""
        self._empty: dict[str, Room] = {}
        """Empty rooms if the log is not persistent, in the order in which they became empty."""
        self._known: WeakValueDictionary[str, Room] = WeakValueDictionary()
        """All rooms that something refers to; an empty room is read again only if nothing can change the old object."""
        self._new: WeakValueDictionary[str, Room] = WeakValueDictionary()
        """Rooms that have never had a member."""
        self.shares = RoomShares(chat)

    # Without the order lock

    def find(self, name: str) -> Room | None:
        """
        Return the room of this name, compared by folded name; None if there is none. May read the log.

        Raises:
            NotReadable: If the log cannot be read.
        """
        room = self.by_key.get(name) or self._known.get(fold(name))
        if room is None and self._chat.log.lasts:
            with self._creation():
                room = self._read(fold(name))
        return room

    @contextmanager
    def _creation(self) -> Iterator[None]:
        """Hold the lock, under which another thread may read the log."""
        if not self._making.acquire(blocking=False):
            before_wait()
            self._making.acquire()
        try:
            yield
        finally:
            self._making.release()

    def _read(self, key: str) -> Room | None:
        room = self._known.get(key)
        if room is None and self._chat.log.lasts:
            kept = self._chat.log.load_room(key)
            if kept is not None:
                room = Room(self._chat, kept.name)
                restore_room(room, kept, self._chat.clock)
                self._known[key] = room
        return room

    def obtain(self, name: str) -> Room:
        """
        Return the room of this name, which must be a checked one; create it if it does not exist.

        Raises:
            NotReadable: If the log cannot be read.
        """
        key = fold(name)
        room = self.by_key.get(key)
        if room is not None:
            return room
        with self._creation():
            # In this order, because a new room that is entered just now is added to the known ones before it stops
            # being new.
            room = self._new.get(key) or self._read(key)
            if room is None:
                room = self._new[key] = Room(self._chat, name)
        return room

    def get(self, name: str) -> Room | None:
        """Return the room of this name, compared by folded name, if it is in use. The order lock may be held."""
        return self.by_key.get(fold(name))

    def known(self, key: str) -> Room | None:
        """Return the room with this key, if it is in use or somebody refers to it, even if it is new."""
        return self.by_key.get(key) or self._known.get(key) or self._new.get(key)

    def has(self, room: Room) -> bool:
        """Return whether this object is the room of its name; after removal it is not."""
        return self._known.get(room.key) is room or self._new.get(room.key) is room

    def used(self) -> list[Room]:
        """Return the rooms in use, sorted by name."""
        return sorted(self.by_key.values(), key=lambda room: room.key)

    def in_memory(self) -> list[Room]:
        """Return the rooms in use, and the empty ones that something still refers to."""
        return list(self._known.values())

    # Under the order lock

    def is_used(self, room: RoomRecord) -> bool:
        """Return whether the room has a place in the table."""
        return self.by_key.get(room.key) is room

    def use_locked(self, room: RoomRecord, identity: int | None = None) -> None:
        """
        Give a room a place in the table, if it has none.

        Args:
            identity: The session that joins it; None if the program itself wants it.

        Raises:
            LimitExceeded: If there are too many rooms, or the session's quota is used up.
        """
        if self.is_used(room):
            return
        assert isinstance(room, Room)
        session = None if identity is None else self._chat.nicknames.get(identity)
        most = self._chat.limits.max_rooms
        new = room.key in self._new
        if new and session is not None:
            most -= int(most * _SHARE_OF_KNOWN)
        if len(self.by_key) >= most:
            what = "new rooms on this server" if new else "rooms on this server"
            raise LimitExceeded(what, most, "rooms", room=room.name)
        if session is not None:
            self.shares.require(session, room, new=new)
        self.put_locked(room)

    def put_locked(self, room: Room) -> None:
        """Give a room a place in the table regardless of the limits."""
        self.by_key[room.key] = self._known[room.key] = room
        self._new.pop(room.key, None)
        self._empty.pop(room.key, None)
        watch_locked(self._chat, room)

    def release_locked(self, room: Room) -> None:
        """Take a room that has no members and expects none out of the table."""
        if not self.is_used(room):
            return
        del self.by_key[room.key]
        self.shares.released(room)
        if not self._chat.log.lasts:
            self._empty[room.key] = room
            if len(self._empty) > self._chat.limits.max_rooms:
                forgotten = self._least_wanted(room)
                self.remove_locked(forgotten)
                self._chat.log.forget(forgotten.key)

    def remove_locked(self, room: RoomRecord) -> None:
        """Forget an empty room."""
        assert isinstance(room, Room)
        for rooms in (self.by_key, self._empty, self._known, self._new):
            rooms.pop(room.key, None)
        self.shares.released(room)

    def _least_wanted(self, last: Room) -> Room:
        """
        Return the empty room to drop from memory: the oldest that no account owns.

        If all are owned: the oldest of the account that has the most, or `last`, if no account has more than its owner.
        """
        free = next((room for room in self._empty.values() if not room.state.owned), None)
        if free is not None:
            return free
        owners = {room: tuple(room.state.owners) for room in self._empty.values()}
        counts = Counter(account for accounts in owners.values() for account in accounts)
        most = max(counts.values())
        if any(counts[account] == most for account in owners[last]):
            richest = set(owners[last])
        else:
            richest = {account for account, count in counts.items() if count == most}
        return next((room for room in self._empty.values() if not richest.isdisjoint(owners[room])), last)
