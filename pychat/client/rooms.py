"""
The rooms that a client is in, as the server reported them, not as the client requested them.

The key of each room is stored for joining it again: a server reserves our membership only for a while. A room that
could not be joined because the server's storage fails is retried; every other refusal is final.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pychat.model.errors import NotStored, RemoteProtocolError
from pychat.model.events import Kicked, Left, ModesChanged
from pychat.model.names import fold, has_mark_of_irc
from pychat.model.replies import Failure, Members
from pychat.model.verbs import Hello, Join

_MOST_ROOMS: Final = 1000
"""Maximum of rooms that a client considers itself in, or retries."""


class OurRooms:
    """Guarded by the lock of the `ReconnectingWire`, whose thread passes everything that it receives."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        """
        Args:
            keys: The keys of rooms in the first `Hello`.
        """
        self._names: dict[str, str] = {}
        """By folded name, in the order of joining."""
        self._keys = {fold(name): key for name, key in keys.items()}
        self._waits_for: dict[str, str] = {}
        """Rooms that we could not join because the server's storage failed."""
        self._expected: set[str] = set()
        """Rooms that we were in before the connection was lost, and have not joined again yet."""
        self._been_in = False
        self.mistaken: Failure | None = None
        """
        The failure if a room with a "#" before its name, which only IRC adds, does not exist: an error of the program.
        """

    @property
    def names(self) -> tuple[str, ...]:
        """The rooms that we are in; the last one is the current one."""
        return tuple(self._names.values())

    @property
    def current(self) -> str | None:
        """The room of verbs that do not name one."""
        return next(reversed(self._names.values()), None)

    # Reconnecting

    def hello(self, hello: Hello) -> Hello:
        """Return the hello for a reconnect: into the same rooms; as at first if we never were in any."""
        names = (*self._waits_for.values(), *self._names.values())
        self._expected = set(self._names)
        rooms = names if names or self._been_in else hello.rooms
        asked = map(fold, rooms or ())
        return hello._replace(rooms=rooms, keys={key: self._keys[key] for key in asked if key in self._keys})

    def settle(self) -> None:
        """Forget the rooms that the server did not mention by the end of the reconnect."""
        for key in [*self._expected]:
            self._forget(key)

    def joins(self) -> list[Join]:
        """Return the verbs to retry joining rooms."""
        return [Join(name, key=self._keys.get(key)) for key, name in self._waits_for.items()]

    # Receiving

    def enter(self, members: Members, key: str | None = None) -> None:
        """Record that we are in a room, which becomes the current one. `key` is the key that we used to join."""
        folded = fold(members.room)
        self._names.pop(folded, None)
        self._waits_for.pop(folded, None)
        self._expected.discard(folded)
        if len(self._names) >= _MOST_ROOMS:
            raise RemoteProtocolError(f"the server joins us to more than {_MOST_ROOMS} rooms")
        self._names[folded] = members.room
        self._been_in = True
        if key is not None:
            self._keys[folded] = key

    def leave(self, room: str) -> None:
        """Record that we are not in a room any more."""
        self._forget(fold(room))

    def hear_event(self, event: Left | Kicked | ModesChanged, me: str) -> None:
        """Process an event in a room."""
        key = fold(event.room)
        if isinstance(event, ModesChanged):
            for change in event.changes if key in self._names else ():
                if change.mode == "k" and change.adding and change.argument is not None:
                    self._keys[key] = change.argument
        elif event.nickname == me:
            self._forget(key)

    def refuse(self, failure: Failure) -> None:
        """Process a refusal of a room that the user did not request just now."""
        if failure.room is None:
            return
        if failure.code == "no_such_room" and has_mark_of_irc(failure.room):
            self.mistaken = failure
        key = fold(failure.room)
        if failure.code == NotStored.code and (key in self._expected or key not in self._names):
            if len(self._waits_for) < _MOST_ROOMS:
                self._waits_for[key] = failure.room
            self._names.pop(key, None)
            self._expected.discard(key)
        elif key in self._expected or key in self._waits_for:
            self._forget(key)

    def _forget(self, key: str) -> None:
        for table in (self._names, self._keys, self._waits_for):
            table.pop(key, None)
        self._expected.discard(key)
