"""A room: a name, a topic, and members, who are the readers of its part of the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pychat.core.disowned import check_owned
from pychat.core.messages.publish import checked_event
from pychat.core.rooms.rules import RoomRules
from pychat.model import modes
from pychat.model.errors import LocalProtocolError
from pychat.model.events import Event, Message, Notice, RoomEvent
from pychat.model.names import fold

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.session import Session


class Room:
    """
    Made by the chat, when the first member comes or by `Chat.room`; an empty one is read from a log that lasts.

    Everything here may be called from any thread, from hooks, too.
    """

    __slots__ = (
        "__weakref__",
        "_chat",
        "alone",
        "ignoring",
        "key",
        "listeners",
        "name",
        "occupants",
        "pinned",
        "rules",
        "topic",
        "written",
    )

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
        """The members who do not want to hear somebody (`core/people/ignore.py`)."""
        self.listeners: set[Session] = set()
        """Those of this process who hear the room (`core/delivery.py`)."""
        self.written = 256
        """About how many bytes a message of a burst takes in the language that writes most; the delivery finds out."""

    def __repr__(self) -> str:
        return f"<Room {self.name!r}, members: {len(self.occupants)}>"

    @property
    def members(self) -> tuple[Session, ...]:
        """Who is in the room now, in order of joining."""
        return tuple(self.occupants)

    @property
    def is_there(self) -> bool:
        """Whether it is more than a name: somebody is in it or expected back, or it belongs to somebody."""
        return bool(self.occupants) or self.pinned or self.rules.owned or self.rules.awaits()

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
            TypeError: `to` is given for an event that is no message; or it is no event.
            Refused: The text is empty or too long.
            LocalProtocolError: A nickname in it is none; or, outside of hooks, the room was removed or the chat has
                ended.
            NotStored: The log cannot store it at the moment; in a hook, the session is told instead.
        """
        check_owned(self._chat.order)
        event = checked_event(self._chat, event)
        if to is not None and not isinstance(event, Message):
            raise TypeError(f"only a message can be for some members, not a {type(event).__name__}")
        if self._chat.order.turn.session is None and not self._chat.table.has(self):
            raise LocalProtocolError(f"room {self.name!r} was removed; server.room({self.name!r}) makes a new one")
        if event.room != self.name:
            event = event._replace(room=self.name)
        self._chat.order.publish(event, self.alone, only=None if to is None else frozenset(to))

    def announce(self, text: str) -> None:
        """Let the server say something to everybody in the room. Raises what `publish` does."""
        self.publish(Notice(0, 0.0, self.name, text))

    def history(self, limit: int = 20) -> list[Event]:
        """Return the last messages of the room that everybody in it may see, oldest first."""
        check_owned(self._chat.order)
        page = self._chat.log.read_before(self.key, None, self._chat.limits.history_events)
        messages = [event for event in page.events if isinstance(event, Message) and event.audience is None]
        return list(messages[-limit:]) if limit > 0 else []
