"""What is on the screen: one room, what was said there, and nobody who is ignored."""

from __future__ import annotations

from pychat.core.clock import Clock
from pychat.core.events import Event, Message
from pychat.core.names import fold
from pychat.core.replies import Gap, HistoryPage, Members, Replay, Reply
from pychat.terminal.notices import Coming, ComingsAndGoings
from pychat.terminal.rooms import Room, Rooms
from pychat.terminal.screen import Screen
from pychat.terminal.view import Stamped, View, crowd_line, plain_line


class Stage:
    """
    The rooms one is in, and the one of them that is shown.

    Args:
        me: Nickname of the one who looks at it.
    """

    def __init__(self, screen: Screen, me: str, clock: Clock) -> None:
        self._screen = screen
        self._clock = clock
        self._view = View(me, clock.time())
        self._comings = ComingsAndGoings()
        self.rooms = Rooms()
        self.ignored: dict[str, str] = {}
        """Nicknames of those who are ignored, by the folded one."""

    @property
    def me(self) -> str:
        """Our nickname."""
        return self._view.me

    @me.setter
    def me(self, nickname: str) -> None:
        self._view.me = nickname

    def tell(self, text: str, style: str = "") -> None:
        """Show a line of our own."""
        self._screen.show(self._view.stamp(Stamped(self._clock.time(), [plain_line(text, style)])))

    def show(self, item: Event | Reply) -> None:
        """Show something that was heard, or answered."""
        if isinstance(item, Replay | HistoryPage):
            events = tuple(event for event in item.events if not self.ignores(getattr(event, "sender", "")))
            item = item._replace(events=events)
        if isinstance(item, Message) and self._comings.concern(item.sender):
            self.show_comings()
        self._screen.show(self._view.show(item, self._clock.time()))

    def ignores(self, nickname: str) -> bool:
        """Whether somebody is ignored."""
        return fold(nickname) in self.ignored

    # Rooms

    def enter(self, members: Members) -> None:
        """Show a room that we have just joined."""
        self.show_comings()
        self.rooms.current = self.rooms.enter(members)
        self.rooms.current.catch_up()
        self.show(members)

    def go_to(self, room: Room) -> None:
        """Show another room, and what was said there meanwhile."""
        self.show_comings()
        self.rooms.current = room
        unread = room.unread
        kept, dropped = room.catch_up()
        self.tell(f"-- {room.name}: {_messages(unread) if unread else 'nothing new'}", "heading")
        if dropped:
            self.tell(f"-- the oldest {dropped} are not shown: see /history")
        for event in kept:
            self.show(event)

    def leave(self, name: str) -> None:
        """Forget a room; if it was shown, show another one."""
        was_shown = self.rooms.current is not None and self.rooms.current is self.rooms.find(name)
        self.rooms.leave(name)
        if not was_shown:
            return
        self._comings.take()
        last = self.rooms.last()
        if last is None:
            self.tell("-- you are in no room now; /join ROOM goes into one")
        else:
            self.go_to(last)

    def happen(self, room: Room, event: Event | Gap, *, mentions: bool = False) -> None:
        """Show something that happened in a room, or keep it until the person goes there."""
        if room is self.rooms.current:
            self.show(event)
        else:
            mine = isinstance(event, Message) and event.sender == self.me
            room.keep(event, unread=isinstance(event, Message) and not mine, mentions=mentions)

    # Those who come and go

    def hold(self, event: Coming) -> None:
        """Show soon that somebody came or went; see `show_comings`."""
        self._comings.add(event, self._clock.monotonic())

    def show_comings(self) -> None:
        """Show who came and who went."""
        for events in self._comings.take():
            if events:
                self._screen.show(self._view.stamp(Stamped(events[-1].time, [plain_line(crowd_line(events))])))

    def show_due(self) -> None:
        """Show what was held back for long enough."""
        if self.due_in() == 0.0:
            self.show_comings()

    def due_in(self) -> float | None:
        """In how many seconds there is something due; None if there is nothing."""
        due = self._comings.due
        return None if due is None else max(0.0, due - self._clock.monotonic())


def _messages(number: int) -> str:
    return "1 unread message" if number == 1 else f"{number} unread messages"
