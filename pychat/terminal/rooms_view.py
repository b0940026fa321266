"""The content of the screen: one room and its events, without people who are ignored."""

from __future__ import annotations

from collections.abc import Iterable

from pychat.model.clock import Clock
from pychat.model.events import Event, Message
from pychat.model.masks import MUTE
from pychat.model.names import fold
from pychat.model.replies import Gap, HistoryPage, Members, Replay, Reply, RoomInfo
from pychat.model.replies import Rooms as RoomList
from pychat.terminal.interfaces import Screen
from pychat.terminal.join_leave_digest import Coming, ComingsAndGoings
from pychat.terminal.rooms import Room, Rooms
from pychat.terminal.view import Stamped, View, crowd_line, plain_line


class Stage:
    """
    The rooms that we are in, one of which is shown.

    Args:
        me: The nickname of the person at the screen.
    """

    def __init__(self, screen: Screen, me: str, clock: Clock) -> None:
        self._screen = screen
        self._clock = clock
        self._view = View(me, clock.time())
        self._comings = ComingsAndGoings()
        self.rooms = Rooms()
        self.was_moved = False
        """True if the room was changed automatically, and the person may not have noticed."""
        self.ignored: dict[str, str] = {}
        """The nicknames of ignored people, by folded name."""

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

    def explain(self, lines: Iterable[str]) -> None:
        """Show help, without a time."""
        self._screen.show([plain_line(line, "note") for line in lines])

    def show(self, item: Event | Reply) -> None:
        """Show an item that was received, or an answer."""
        if isinstance(item, RoomList):
            item = item._replace(rooms=tuple([self._marked(room) for room in item.rooms]))
        if isinstance(item, Replay | HistoryPage):
            events = tuple(event for event in item.events if not self.ignores(getattr(event, "sender", "")))
            item = item._replace(events=events)
        if isinstance(item, Event) and any(map(self._comings.concern, _people(item))):
            self.show_comings()
        lines = self._view.show(item, self._clock.time())
        self._screen.show(lines)
        room = self.rooms.current
        if room is not None and isinstance(item, Event | Replay) and getattr(item, "room", None) == room.name:
            room.recent.extend(lines)

    def _marked(self, info: RoomInfo) -> RoomInfo:
        """Return a room from the server's list, marked if we are in it."""
        room = self.rooms.find(info.name)
        if room is None:
            return info
        unread = f", {_messages(room.unread)}" if room.unread else ""
        return info._replace(name=f"{info.name} (your room {[*self.rooms].index(room) + 1}{unread})")

    def ignores(self, nickname: str) -> bool:
        """Return whether somebody is ignored."""
        return fold(nickname) in self.ignored

    # Rooms

    def enter(self, members: Members, *, wanted: bool) -> None:
        """
        Show a room that we have just joined.

        Args:
            wanted: True if the person requested it: then the input line is meant for it.
        """
        self.show_comings()
        before, room = self.rooms.current, self.rooms.enter(members)
        if not wanted and before is not None:
            self._change_line(before, room)
        self.was_moved = not wanted and before is not None
        self.rooms.current = room
        room.catch_up()
        self.show(members)

    def go_to(self, room: Room) -> None:
        """Show another room at the person's request, with its stored events."""
        before = self.rooms.current
        if room is not before:
            self._change_line(before, room)
        self.was_moved = False
        self._go_to(room)

    def _change_line(self, before: Room | None, room: Room) -> None:
        """Change the input line to the draft of the room."""
        draft = self._screen.change_line(room.draft)
        room.draft = ""
        if before is not None:
            before.draft = draft
        else:
            self._screen.put_away(draft)

    def _go_to(self, room: Room) -> None:
        self.show_comings()
        self.rooms.current = room
        unread = room.unread
        kept, dropped = room.catch_up()
        self.tell(f"-- {room.name}: {_messages(unread) if unread else 'nothing new'}", "heading")
        self._screen.show(
            [[(style if style == "time" else "quiet", text) for style, text in line] for line in room.recent]
        )
        if dropped:
            self.tell(f"-- the oldest {dropped} are not shown: see /history")
        for event in kept:
            self.show(event)

    def leave(self, name: str, *, wanted: bool = False) -> None:
        """
        Forget a room; if it was shown, show another one.

        Args:
            wanted: True if the person requested it.
        """
        was_shown = self.rooms.current is not None and self.rooms.current is self.rooms.find(name)
        self.rooms.leave(name)
        if not was_shown:
            return
        self._comings.take()
        last = self.rooms.last()
        draft = self._screen.change_line("" if last is None else last.draft)
        self._screen.put_away(draft)
        if last is None:
            self.tell("-- you are not in a room now; /join ROOM joins one")
        else:
            last.draft, self.was_moved = "", not wanted or bool(draft)
            self._go_to(last)
        if draft.strip():
            self.tell(f"-- your unfinished line for {name} is one arrow up away")

    def happen(self, room: Room, event: Event | Gap, *, mentions: bool = False) -> None:
        """Show an event of a room, or store it until the person shows the room."""
        if room is self.rooms.current:
            self.show(event)
        else:
            mine = isinstance(event, Message) and event.sender == self.me
            room.keep(event, unread=isinstance(event, Message) and not mine, mentions=mentions)

    # Joins and leaves

    def hold(self, event: Coming) -> None:
        """Show a join or leave soon; see `show_comings`."""
        self._comings.add(event, self._clock.monotonic())
        if self._comings.is_full:
            self.show_comings()

    def show_comings(self) -> None:
        """Show the delayed joins and leaves."""
        for events in self._comings.take():
            if events:
                self._screen.show(self._view.stamp(Stamped(events[-1].time, [plain_line(crowd_line(events))])))

    def show_due(self) -> None:
        """Show joins and leaves that are due."""
        if self.due_in() == 0.0:
            self.show_comings()

    def due_in(self) -> float | None:
        """Return the seconds until joins and leaves are due; None if there are none."""
        due = self._comings.due
        return None if due is None else max(0.0, due - self._clock.monotonic())


def _people(event: Event) -> list[str]:
    """Return the nicknames that an event is about, and those at the beginning of its masks."""
    names = [getattr(event, field, "") for field in ("sender", "nickname", "by", "invited", "old", "new")]
    for change in getattr(event, "changes", ()):
        names.append((change.argument or "").removeprefix(MUTE).partition("!")[0])
    return [name for name in names if name]


def _messages(number: int) -> str:
    return "1 unread message" if number == 1 else f"{number} unread messages"
