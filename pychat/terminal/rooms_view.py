"""What is on the screen: one room, what was said there, and nobody who is ignored."""

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
        self.was_moved = False
        """Whether the room was changed for the person, who may not have seen it, and was not asked since."""
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

    def explain(self, lines: Iterable[str]) -> None:
        """Show help: it belongs to no moment."""
        self._screen.show([plain_line(line, "note") for line in lines])

    def show(self, item: Event | Reply) -> None:
        """Show something that was heard, or answered."""
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
        """A room of the server, marked if it is one of ours."""
        room = self.rooms.find(info.name)
        if room is None:
            return info
        unread = f", {_messages(room.unread)}" if room.unread else ""
        return info._replace(name=f"{info.name} (your room {[*self.rooms].index(room) + 1}{unread})")

    def ignores(self, nickname: str) -> bool:
        """Whether somebody is ignored."""
        return fold(nickname) in self.ignored

    # Rooms

    def enter(self, members: Members, *, wanted: bool) -> None:
        """
        Show a room that we have just joined.

        Args:
            wanted: Whether the person has asked for it: then what is in the line is meant for it.
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
        """Show another room that the person wants to see, and what was said there meanwhile."""
        before = self.rooms.current
        if room is not before:
            self._change_line(before, room)
        self.was_moved = False
        self._go_to(room)

    def _change_line(self, before: Room | None, room: Room) -> None:
        """Let the line have what is meant for the room."""
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
            wanted: Whether the person has asked for it.
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
            self.tell("-- you are in no room now; /join ROOM goes into one")
        else:
            last.draft, self.was_moved = "", not wanted or bool(draft)
            self._go_to(last)
        if draft.strip():
            self.tell(f"-- your unfinished line for {name} is one arrow up away")

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
        if self._comings.is_full:
            self.show_comings()

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


def _people(event: Event) -> list[str]:
    """The nicknames that an event is about, and those that its masks begin with."""
    names = [getattr(event, field, "") for field in ("sender", "nickname", "by", "invited", "old", "new")]
    for change in getattr(event, "changes", ()):
        names.append((change.argument or "").removeprefix(MUTE).partition("!")[0])
    return [name for name in names if name]


def _messages(number: int) -> str:
    return "1 unread message" if number == 1 else f"{number} unread messages"
