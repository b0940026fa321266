"""The verbs as methods, the same for a session inside the server's process and for a client across the network."""

from __future__ import annotations

from abc import abstractmethod
from typing import TypeVar

from pychat.core.errors import RemoteProtocolError
from pychat.core.events import Event
from pychat.core.replies import HistoryPage, MemberInfo, Members, Ok, Reply, RoomInfo, Rooms
from pychat.core.verbs import (
    Direct,
    Join,
    Leave,
    ListMembers,
    ListRooms,
    ReadHistory,
    Say,
    SetAway,
    SetNickname,
    SetTopic,
    Verb,
)

R = TypeVar("R", bound=Reply)


class Participant:
    """
    Somebody who asks and waits for the answer. May be used from any thread.

    Where a `room` is optional, None means the current one: the room joined last. Every method raises what `ask` does.
    """

    __slots__ = ()

    @abstractmethod
    def ask(self, verb: Verb) -> Reply:
        """
        Ask for any verb and return its answer. A `ref` of its own is not sent.

        Raises:
            Refused: With the reason and its code.
            AckTimeout: No answer came in time; it may still be accepted.
        """

    def _ask_for(self, kind: type[R], verb: Verb) -> R:
        answer = self.ask(verb)
        if not isinstance(answer, kind):
            raise RemoteProtocolError(f"{type(verb).__name__} was answered with {type(answer).__name__}")
        return answer

    def say(self, text: str, room: str | None = None, *, action: bool = False) -> int | None:
        """Say something in a room (default: the current one); return its id, None if no handler published it."""
        return self._ask_for(Ok, Say(text, room, action)).id

    def direct(self, to: str, text: str, *, action: bool = False) -> int | None:
        """Say something to one person; return its id."""
        return self._ask_for(Ok, Direct(text, to, action)).id

    def join(self, room: str) -> tuple[MemberInfo, ...]:
        """Come into a room, which becomes the current one; return who is there."""
        return self._ask_for(Members, Join(room)).members

    def leave(self, room: str | None = None, reason: str = "") -> None:
        """Go out of a room."""
        self.ask(Leave(room, reason))

    def set_nickname(self, nickname: str) -> None:
        """Go by another nickname."""
        self.ask(SetNickname(nickname))

    def set_topic(self, topic: str, room: str | None = None) -> None:
        """Give a room a topic; an empty one removes it."""
        self.ask(SetTopic(topic, room))

    def set_away(self, text: str | None) -> None:
        """Be away, or back with None."""
        self.ask(SetAway(text))

    def members(self, room: str | None = None) -> tuple[MemberInfo, ...]:
        """Return who is in a room."""
        return self._ask_for(Members, ListMembers(room)).members

    def list_rooms(self) -> tuple[RoomInfo, ...]:
        """Return the rooms of the server."""
        return self._ask_for(Rooms, ListRooms()).rooms

    def history(self, room: str | None = None, limit: int | None = None) -> tuple[Event, ...]:
        """Return the last events of a room."""
        return self._ask_for(HistoryPage, ReadHistory(room, limit=limit)).events
