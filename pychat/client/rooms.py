"""
The rooms that a client is in: what the server has told of them, never what the client would like.

With each room goes the key that lets us into it again: a server keeps our way in for a while only. A room that could
not be joined because nothing can be stored at the moment is asked for again and again; every other refusal is final.
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
"""That a client believes it is in, or waits for."""


class OurRooms:
    """Guarded by the lock of the `Lifeline`, whose thread calls it with everything that it hears."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        """
        Args:
            keys: Those of rooms that the first `Hello` names.
        """
        self._names: dict[str, str] = {}
        """By the folded ones, in order of joining."""
        self._keys = {fold(name): key for name, key in keys.items()}
        self._waits_for: dict[str, str] = {}
        """Rooms that we could not come into for want of room on a disk."""
        self._expected: set[str] = set()
        """Those that we were in before the connection was lost, and have not come back into yet."""
        self._been_in = False
        self.mistaken: Failure | None = None
        """That a room with a "#" before its name, which IRC alone puts there, is not there: the program is wrong."""

    @property
    def names(self) -> tuple[str, ...]:
        """Those that we are in; the last one is the current one."""
        return tuple(self._names.values())

    @property
    def current(self) -> str | None:
        """The room that is meant where none is named."""
        return next(reversed(self._names.values()), None)

    # Coming back

    def hello(self, hello: Hello) -> Hello:
        """Return how to come back: into the same rooms; as at first if there never was one."""
        names = (*self._waits_for.values(), *self._names.values())
        self._expected = set(self._names)
        rooms = names if names or self._been_in else hello.rooms
        asked = map(fold, rooms or ())
        return hello._replace(rooms=rooms, keys={key: self._keys[key] for key in asked if key in self._keys})

    def settle(self) -> None:
        """All that the server says of our coming back was heard: what it did not name is not ours."""
        for key in [*self._expected]:
            self._forget(key)

    def joins(self) -> list[Join]:
        """Return what asks once more for the rooms that we wait for."""
        return [Join(name, key=self._keys.get(key)) for key, name in self._waits_for.items()]

    # What is heard

    def enter(self, members: Members, key: str | None = None) -> None:
        """We are in a room, which is the current one. `key`: what we said to come in."""
        folded = fold(members.room)
        self._names.pop(folded, None)
        self._waits_for.pop(folded, None)
        self._expected.discard(folded)
        if len(self._names) >= _MOST_ROOMS:
            raise RemoteProtocolError(f"the server puts us into more than {_MOST_ROOMS} rooms")
        self._names[folded] = members.room
        self._been_in = True
        if key is not None:
            self._keys[folded] = key

    def leave(self, room: str) -> None:
        """We are in a room no more."""
        self._forget(fold(room))

    def hear_event(self, event: Left | Kicked | ModesChanged, me: str) -> None:
        """Something has happened in a room."""
        key = fold(event.room)
        if isinstance(event, ModesChanged):
            for change in event.changes if key in self._names else ():
                if change.mode == "k" and change.adding and change.argument is not None:
                    self._keys[key] = change.argument
        elif event.nickname == me:
            self._forget(key)

    def refuse(self, failure: Failure) -> None:
        """The server does not let us into a room, which it did not because somebody asked for it just now."""
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
