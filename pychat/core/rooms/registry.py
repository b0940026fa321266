"""
The table of rooms: those that somebody is in or is expected in, and those of the program.

An empty room has no place in it: what lasts of it is in the log, and is read when somebody asks for the room. So how
many rooms may be in use at once is bounded, and how many there are is not, and nobody loses a room because others make
new ones. Where the log does not last, empty rooms are in memory, and of too many the oldest is dropped.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from pychat.core.history.snapshots import restore_room
from pychat.core.moderation.bans import watch_locked
from pychat.core.rooms.quotas import RoomShares
from pychat.core.rooms.room import Room
from pychat.model.errors import LimitExceeded
from pychat.model.names import fold

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.session import Session

_SHARE_OF_KNOWN: Final = 0.25
"""Of the places, what new rooms of members leave free: whoever comes back to a room that there was finds a place."""


class RoomTable:
    """Of one chat. There is never more than one object for a room."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        # Guards the making of rooms, so that two who ask for the same one get the same one. Above the order lock, which
        # is not taken under it; the log is read under it, and no hook runs.
        self._making = threading.Lock()
        # What follows is changed under the order lock; single reads need none.
        self._used: dict[str, Room] = {}
        """The rooms in use, by key."""
        self._empty: dict[str, Room] = {}
        """The others, where the log does not last; the one that was left first comes first."""
        self._known: WeakValueDictionary[str, Room] = WeakValueDictionary()
        """All that anybody has at hand: an empty room is read anew only if nobody can change it any more."""
        self._new: WeakValueDictionary[str, Room] = WeakValueDictionary()
        """Those that nobody has been in yet."""
        self.shares = RoomShares(chat)

    # Without the order lock

    def find(self, name: str) -> Room | None:
        """
        Return the room of this name, in any case; None if there is none. May read the log.

        Raises:
            NotReadable: It cannot be read.
        """
        room = self._used.get(name) or self._known.get(fold(name))
        if room is None and self._chat.log.lasts:
            with self._making:
                room = self._read(fold(name))
        return room

    def _read(self, key: str) -> Room | None:
        room = self._known.get(key)
        if room is None and self._chat.log.lasts:
            kept = self._chat.log.kept_room(key)
            if kept is not None:
                room = Room(self._chat, kept.name)
                restore_room(room, kept, self._chat.clock)
                self._known[key] = room
        return room

    def obtain(self, name: str) -> Room:
        """
        Return the room of this name, which is checked; make it if there is none.

        Raises:
            NotReadable: The log cannot be read.
        """
        key = fold(name)
        room = self._used.get(key)
        if room is not None:
            return room
        with self._making:
            # In this order: a new room that somebody enters at this moment is known before it is no longer new.
            room = self._new.get(key) or self._read(key)
            if room is None:
                room = self._new[key] = Room(self._chat, name)
        return room

    def get(self, name: str) -> Room | None:
        """Return the room of this name, in any case, if it is in use. Also under the order lock."""
        return self._used.get(fold(name))

    def has(self, room: Room) -> bool:
        """Whether this is what its name stands for: a room that was removed is not."""
        return self._known.get(room.key) is room or self._new.get(room.key) is room

    def used(self) -> list[Room]:
        """Return the rooms in use, sorted by name."""
        return sorted(self._used.values(), key=lambda room: room.key)

    def in_memory(self) -> list[Room]:
        """Return the rooms in use, and those that are empty and somebody has at hand."""
        return list(self._known.values())

    # Under the order lock

    def is_used(self, room: Room) -> bool:
        """Whether the room has a place in the table."""
        return self._used.get(room.key) is room

    def use_locked(self, room: Room, session: Session | None = None) -> None:
        """
        Give a room a place in the table, if it has none.

        Args:
            session: Who comes into it; None: it is wanted by the program itself.

        Raises:
            LimitExceeded: There are too many, or the share of that session is used up.
        """
        if self.is_used(room):
            return
        most = self._chat.limits.max_rooms
        new = room.key in self._new
        if new and session is not None:
            most -= int(most * _SHARE_OF_KNOWN)
        if len(self._used) >= most:
            what = "new rooms on this server" if new else "rooms on this server"
            raise LimitExceeded(what, most, "rooms", room=room.name)
        if session is not None:
            self.shares.require(session, room, new=new)
        self.put_locked(room)

    def put_locked(self, room: Room) -> None:
        """The same, whatever the limits say."""
        self._used[room.key] = self._known[room.key] = room
        self._new.pop(room.key, None)
        self._empty.pop(room.key, None)
        watch_locked(self._chat, room)

    def release_locked(self, room: Room) -> None:
        """Nobody is in the room or expected there any more."""
        if not self.is_used(room):
            return
        del self._used[room.key]
        self.shares.released(room)
        if not self._chat.log.lasts:
            self._empty[room.key] = room
            if len(self._empty) > self._chat.limits.max_rooms:
                self.forget_locked(self._least_wanted(room))

    def forget_locked(self, room: Room) -> None:
        """Let there be no such room, nor a record of it, if nobody is in it."""
        if not room.occupants:
            for rooms in (self._used, self._empty, self._known, self._new):
                rooms.pop(room.key, None)
            self.shares.released(room)
            room.rules.awaited = 0.0
            self._chat.log.forget(room.key)

    def _least_wanted(self, last: Room) -> Room:
        """
        Return the room that makes place in memory: the oldest that belongs to no account.

        If all do: the oldest of the account that has the most, or the last one, if nobody has more than its account.
        """
        free = next((room for room in self._empty.values() if not room.rules.owned), None)
        if free is not None:
            return free
        owners = {room: tuple(room.rules.owners) for room in self._empty.values()}
        counts = Counter(account for accounts in owners.values() for account in accounts)
        most = max(counts.values())
        if any(counts[account] == most for account in owners[last]):
            richest = set(owners[last])
        else:
            richest = {account for account, count in counts.items() if count == most}
        return next((room for room in self._empty.values() if not richest.isdisjoint(owners[room])), last)
