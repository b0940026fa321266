"""A room: a name, a topic, and members, who are the readers of its part of the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pychat.core import modes
from pychat.core.events import Event, Message, Notice, RoomEvent
from pychat.core.names import fold
from pychat.core.rules import RoomRules

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.session import Session


class Room:
    """
    Made by the chat, when the first member comes or by `Chat.room`.

    Everything here may be called from any thread, from hooks, too.
    """

    __slots__ = ("_chat", "alone", "ignoring", "key", "listeners", "name", "occupants", "pinned", "rules", "topic")

    def __init__(self, chat: Chat, name: str, *, pinned: bool = False) -> None:
        self._chat = chat
        self.name = name
        self.key = fold(name)
        """Two rooms with the same key are the same room."""
        self.alone = (self,)
        self.topic = ""
        self.rules = RoomRules(chat.clock)
        self.pinned = pinned
        """A pinned room stays when nobody is in it."""
        # Guarded by the chat's order lock; insertion order is the order of joining. The value is the last event id
        # that was given when the member had joined: that of its own arrival, if it was announced.
        self.occupants: dict[Session, int] = {}
        self.ignoring: set[Session] = set()
        """The members who do not want to hear somebody (`core/ignoring.py`)."""
        self.listeners: set[Session] = set()
        """Those of this process who hear the room (`core/delivery.py`)."""

    def __repr__(self) -> str:
        return f"<Room {self.name!r}, members: {len(self.occupants)}>"

    @property
    def members(self) -> tuple[Session, ...]:
        """Who is in the room now, in order of joining."""
        return tuple(self.occupants)

    def holders(self, role: str) -> frozenset[Session]:
        """Return the members who have a role, "operator" or "voice", or a higher one."""
        letters, roles = modes.ROLE_LETTERS[role], self.rules.roles
        return frozenset(
            [member for member in self.members if not set(letters).isdisjoint(roles.get(member.identity, ""))]
        )

    def publish(self, event: RoomEvent, *, to: Iterable[Session] | None = None) -> None:
        """
        Give an event its place in the room's record and deliver it.

        In a hook it is queued behind what the same session caused before, and takes its id at the end of the
        hook's verb or a little later; elsewhere at once. A message of the session whose hook this is gets that
        session's current nickname, and is refused if it is no member any more.

        Args:
            event: Its `id` and `time` are set here, and its `room`.
            to: Only these sessions may see it, now and in the history: of messages only. Default: all members.

        Raises:
            TypeError: `to` is given for an event that is no message.
            NotStored: The log cannot store it at the moment; in a hook, the session is told instead.
        """
        if to is not None and not isinstance(event, Message):
            raise TypeError(f"only a message can be for some members, not a {type(event).__name__}")
        if event.room != self.name:
            event = event._replace(room=self.name)
        self._chat.order.publish(event, self.alone, only=None if to is None else frozenset(to))

    def announce(self, text: str) -> None:
        """Let the server say something to everybody in the room."""
        self.publish(Notice(0, 0.0, self.name, self._chat.checked_text(text)))

    def history(self, limit: int = 20) -> list[Event]:
        """Return the last messages of the room that everybody in it may see, oldest first."""
        page = self._chat.log.read_before(self.key, None, self._chat.limits.history_events)
        messages = [event for event in page.events if isinstance(event, Message) and event.audience is None]
        return list(messages[-limit:]) if limit > 0 else []
