"""A room: a name, a topic, and members, who read its part of the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pychat.core.disowned import check_owned
from pychat.core.publish import checked_event
from pychat.core.rooms.slow_mode import Pace
from pychat.core.rooms.state import RoomRecord
from pychat.model import modes
from pychat.model.errors import LocalProtocolError
from pychat.model.events import Event, Message, Notice, RoomEvent
from pychat.renamed import old_names

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.session import Session


@old_names(alone="as_tuple")
class Room(RoomRecord):
    """
    A room, created by the chat for its first member or by `Chat.room`; an empty one is read from a persistent log.

    All methods may be called from any thread, also from hooks.
    """

    __slots__ = (
        "__weakref__",
        "_chat",
        "as_tuple",
        "ignoring",
        "listeners",
        "lists_are_new",
        "next_expiry_check",
        "next_wait_check",
        "pace",
        "written",
    )

    def __init__(self, chat: Chat, name: str, *, pinned: bool = False) -> None:
        super().__init__(name, chat.clock.time(), pinned=pinned)
        self._chat = chat
        self.as_tuple = (self,)
        """The room alone, where a tuple of rooms is needed."""
        self.pace = Pace()
        """When members last spoke, for the slow mode."""
        self.lists_are_new = True
        """True if nothing of the mask lists is stored yet, and stored ones of an earlier state are void."""
        self.next_expiry_check: float | None = None
        """When to check next for expired bans (`Clock.monotonic`); None if none of them expires."""
        self.next_wait_check = 0.0
        """When to check next whether the room still waits for members (`Clock.monotonic`); 0 if it never did."""
        self.ignoring: set[Session] = set()
        """The members who ignore somebody (`core/people/ignore.py`)."""
        self.listeners: set[Session] = set()
        """The sessions of this process that are subscribed to the room (`core/delivery.py`)."""
        self.written = 256
        """The estimated bytes of a message in a burst, in the most verbose protocol in use. Updated by the delivery."""

    def __repr__(self) -> str:
        return f"<Room {self.name!r}, members: {len(self.state.members)}>"

    @property
    def topic(self) -> str:
        """The topic; empty if there is none."""
        return self.state.topic

    @property
    def members(self) -> tuple[Session, ...]:
        """The current members, in order of joining."""
        people = self._chat.nicknames.by_identity
        return tuple(filter(None, map(people.get, tuple(self.state.members))))

    def begin_anew(self) -> None:
        """Forget what belongs to the state that the room had before it was abandoned. Hold the chat's order lock."""
        self.pace, self.lists_are_new, self.next_expiry_check = Pace(), True, None

    @property
    def is_there(self) -> bool:
        """True if the room exists: it has or expects members, is pinned, or is owned by an account."""
        return self.exists(self._chat.clock.monotonic())

    def holders(self, role: str) -> frozenset[Session]:
        """Return the members who have a role, "operator" or "voice", or a higher one."""
        letters, roles = modes.ROLE_LETTERS[role], self.state.roles
        return frozenset(
            [member for member in self.members if not set(letters).isdisjoint(roles.get(member.identity, ""))]
        )

    def publish(self, event: RoomEvent, *, to: Iterable[Session] | None = None) -> None:
        """
        Append an event to the room's log and deliver it.

        In a hook, the event is queued after what the same session caused before, and gets its id at the end of the
        hook's verb or soon after; elsewhere it gets it at once. A message of the hook's own session gets that session's
        current nickname, and is refused if the session is not a member any more.

        Args:
            event: Its `id`, `time` and `room` are set here.
            to: The only sessions that may see it, now and in the history; for messages only. Default: all members.

        Raises:
            TypeError: If it is not an event, or `to` is given and it is not a message.
            Refused: If the text is empty or too long.
            LocalProtocolError: If a nickname in it is not valid; or, outside hooks, if the room was removed or the chat
                has ended.
            NotStored: If the log cannot store it at the moment; in a hook, the session is told instead.
        """
        check_owned(self._chat.order)
        event = checked_event(self._chat, event)
        if to is not None and not isinstance(event, Message):
            raise TypeError(f"only a message can be for some members, not a {type(event).__name__}")
        if self._chat.order.turn.session is None and not self._chat.table.has(self):
            raise LocalProtocolError(f"room {self.name!r} was removed; server.room({self.name!r}) makes a new one")
        if event.room != self.name:
            event = event._replace(room=self.name)
        self._chat.order.publish(event, self.as_tuple, recipients=None if to is None else frozenset(to))

    def announce(self, text: str) -> None:
        """Publish a notice of the server in the room. Raises the same errors as `publish`."""
        self.publish(Notice(0, 0.0, self.name, text))

    def history(self, limit: int = 20) -> list[Event]:
        """Return the last messages that all members of the room may see, oldest first."""
        check_owned(self._chat.order)
        page = self._chat.log.read_before(self.key, None, self._chat.limits.history_events)
        messages = [event for event in page.events if isinstance(event, Message) and event.audience is None]
        return list(messages[-limit:]) if limit > 0 else []
