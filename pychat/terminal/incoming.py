"""Route received items: to the screen, to a room that is not shown, or nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pychat.client import Dropped, Heard, Reconnected, Reconnecting
from pychat.client.backlog import Backlog, Memory
from pychat.model.clock import Clock
from pychat.model.events import (
    AwayChanged,
    Disconnected,
    Invited,
    Joined,
    Kicked,
    Left,
    Message,
    ModesChanged,
    Notice,
    ProfileChanged,
    Renamed,
    Tagged,
    TopicChanged,
)
from pychat.model.names import fold
from pychat.model.replies import Bye, Gap, Lines, Members, Motd, Replay, Reply, Welcome
from pychat.terminal.rooms_view import Stage
from pychat.terminal.view import mentions

_EARLY: Final = 500
"""Limit of items from rooms whose members are not known yet."""
_MISSED: Final = 10_000
"""Limit of missed items that are collected until the end of a reconnect; further ones are processed at once."""
_BYTES: Final = 32 * 2**20
"""The memory limit of each of the two."""


class Hearing:
    """
    Processes received items one by one.

    After a reconnect, missed items arrive before `Reconnected`; they are collected until then, so that the screen first
    shows their number.
    """

    def __init__(
        self, stage: Stage, clock: Clock, still_in: Callable[[], tuple[str, ...]], nickname: Callable[[], str]
    ) -> None:
        """
        Args:
            still_in: Returns our rooms, as the server knows them.
            nickname: Returns our nickname, as the server knows it.
        """
        self._stage = stage
        self._clock = clock
        self._still_in, self._nickname = still_in, nickname
        self._first_rooms = {fold(name) for name in still_in()}
        """Rooms joined on connecting whose members have not arrived yet."""
        self._early: Backlog[Heard] = Backlog(_EARLY, Memory(_BYTES))
        self._missed: Backlog[Heard] | None = None
        """Items since the connection was lost; None while there is one."""
        self._catching_up = False
        self._to_myself = 0
        """The id of the last message that we sent to ourselves."""
        self.retry_at: float | None = None
        """When the client tries to reconnect; None if it is connected."""
        self.correspondent: str | None = None
        """The last person who sent us a direct message."""
        self.correspondent_id = 0
        """The id of that message."""
        self.rings = False
        """True if a message mentions us; the caller that rings the bell resets it."""

    def hear(self, heard: Heard) -> None:
        """Process an item."""
        if isinstance(heard, Reconnecting):
            self._reconnecting(heard)
        elif isinstance(heard, Reconnected):
            self._reconnected(heard)
        elif self._missed is not None and self._missed.has_room():
            self._missed.append(heard)
        else:
            _HEARD.get(type(heard), Hearing._show)(self, heard)

    def hear_answer(self, reply: Reply) -> None:
        """Process the answer to a request."""
        if isinstance(reply, Members) and reply.joined:
            self._members(reply, wanted=True)
        else:
            self._stage.show(reply)

    # The connection

    def _reconnecting(self, heard: Reconnecting) -> None:
        self._take_missed()  # it was lost again before everything had arrived
        self._missed = Backlog(_MISSED, Memory(_BYTES))
        if heard.attempt == 1:
            self._stage.show_comings()
            self._stage.tell(f"-- {heard.reason}; reconnecting", "error")
        self.retry_at = self._clock.monotonic() + heard.delay

    def _reconnected(self, heard: Reconnected) -> None:
        self.retry_at = None
        missed = {0: "", 1: ", 1 missed message"}.get(heard.missed, f", {heard.missed} missed messages")
        self._stage.tell(f"-- reconnected{missed}", "heading")
        self._take_missed()
        if self._stage.me != (nickname := self._nickname()):  # the server has changed it meanwhile
            self._stage.me = nickname
            self._stage.tell(f"-- you are now {nickname}")
        still_in = {fold(name) for name in self._still_in()}
        for room in [*self._stage.rooms]:
            if fold(room.name) not in still_in:
                self._stage.leave(room.name)

    def _take_missed(self) -> None:
        missed, self._missed = [] if self._missed is None else self._missed.take_all(), None
        self._catching_up = True
        # Member lists come last: people who have left meanwhile are not in them.
        for heard in sorted(missed, key=lambda heard: isinstance(heard, Members)):
            self.hear(heard)
        self._catching_up = False

    # Events in rooms

    def _message(self, message: Message) -> None:
        if self._stage.ignores(message.sender):
            return
        me = self._stage.me
        means_me = message.sender != me and (message.room is None or mentions(message.text, me))
        if message.room is None:
            if message.sender == me and fold(message.to or "") == fold(me):  # it arrives twice: as sent and as received
                if message.id == self._to_myself:
                    return
                self._to_myself = message.id
            if message.sender != me:
                self.correspondent, self.correspondent_id = message.sender, message.id
            self._stage.show(message)
        elif room := self._stage.rooms.find(message.room):
            room.speaks(message.sender)
            self._stage.happen(room, message, mentions=means_me)
        else:
            self._early.append(message)
            return
        self.rings |= means_me and not message.notice and not self._catching_up

    def _in_room(self, event: Kicked | TopicChanged | ModesChanged | Notice | Gap) -> None:
        room = None if event.room is None else self._stage.rooms.find(event.room)
        if room is not None:
            self._stage.rooms.note(event)
            self._stage.happen(room, event)
        elif event.room is None:
            self._stage.show(event)
        else:
            self._early.append(event)

    def _kicked(self, event: Kicked) -> None:
        if event.nickname == self._stage.me:
            self._stage.show(event)
            self._stage.leave(event.room)
        else:
            self._in_room(event)

    def _comes_or_goes(self, event: Joined | Left | Disconnected) -> None:
        rooms, me = self._stage.rooms, event.nickname == self._stage.me
        if not isinstance(event, Disconnected) and rooms.find(event.room) is None:
            self._early.append(event)
        elif me and isinstance(event, Left):
            self._stage.show(event)
            self._stage.leave(event.room, wanted=True)
        elif not me:  # our own return to the rooms is not shown
            there = rooms.of(event.nickname) if isinstance(event, Disconnected) else [rooms.find(event.room)]
            rooms.note(event)
            if rooms.current in there and not self._stage.ignores(event.nickname):
                self._stage.hold(event)

    # People

    def _renamed(self, event: Renamed) -> None:
        stage = self._stage
        concerned = event.old == stage.me or stage.rooms.current in stage.rooms.of(event.old)
        if event.old == stage.me:
            stage.me = event.new
        stage.rooms.note(event)
        if stage.ignored.pop(fold(event.old), None):
            stage.ignored[fold(event.new)] = event.new
        elif concerned:
            stage.show_comings()
            stage.show(event)

    def _away(self, event: AwayChanged) -> None:
        stage = self._stage
        if self._catching_up and event.nickname == stage.me:  # repeated by the client (`client/settings.py`)
            return
        is_near = event.nickname == stage.me or stage.rooms.current in stage.rooms.of(event.nickname)
        if is_near and not stage.ignores(event.nickname):
            stage.show(event)

    def _invited(self, event: Invited) -> None:
        room = self._stage.rooms.find(event.room)
        if self._stage.ignores(event.nickname):
            return
        if room is None or event.invited == self._stage.me:
            self._stage.show(event)
        else:
            self._stage.happen(room, event)

    # Items from the server

    def _members(self, members: Members, *, wanted: bool = False) -> None:
        known = self._stage.rooms.find(members.room)
        if fold(members.room) in self._first_rooms:
            self._first_rooms.remove(fold(members.room))
            wanted = True
        if not members.joined:
            self._stage.show(members)
        elif known and self._catching_up:
            self._stage.rooms.enter(members)
        else:
            self._stage.enter(members, wanted=wanted)
            for heard in self._early.take_all():
                self.hear(heard)

    def _replay(self, replay: Replay) -> None:
        if self._stage.rooms.find(replay.room) is None:
            self._early.append(replay)
        else:
            self._stage.show(replay)

    def _greeting(self, heard: Welcome | Motd | Lines) -> None:
        if not self._catching_up:  # we have already seen it
            self._stage.show(heard)

    def _dropped(self, dropped: Dropped) -> None:
        self._stage.tell(f"-- {dropped.number} lines came too fast and are not shown", "error")

    def _nothing(self, heard: Heard) -> None:
        """Ignore an item; the reason of a goodbye is shown with the item that follows."""

    def _show(self, heard: Any) -> None:
        self._stage.show(heard)


_HEARD: Final[dict[type, Callable[[Hearing, Any], None]]] = {
    Message: Hearing._message,
    Notice: Hearing._in_room,
    TopicChanged: Hearing._in_room,
    ModesChanged: Hearing._in_room,
    Gap: Hearing._in_room,
    Kicked: Hearing._kicked,
    Joined: Hearing._comes_or_goes,
    Left: Hearing._comes_or_goes,
    Disconnected: Hearing._comes_or_goes,
    Renamed: Hearing._renamed,
    AwayChanged: Hearing._away,
    Invited: Hearing._invited,
    Members: Hearing._members,
    Replay: Hearing._replay,
    Welcome: Hearing._greeting,
    Motd: Hearing._greeting,
    Lines: Hearing._greeting,
    Dropped: Hearing._dropped,
    ProfileChanged: Hearing._nothing,
    Tagged: Hearing._nothing,
    Bye: Hearing._nothing,
}
"""By the type of the item; every other type is shown."""
