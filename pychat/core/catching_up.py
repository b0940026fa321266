"""
Catching up: what a session missed in rooms that it comes into, before it hears them.

It is brought up to the present in pages that it has time to take, read from wherever they are. The last step is made
under the order lock, and out of memory: the rest is sent and the session goes live, so that nothing is missing and
nothing comes twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from pychat.core.delivery import Attach
from pychat.core.errors import NotReadable
from pychat.core.events import Event, Message, PersonEvent
from pychat.core.ignoring import ignores
from pychat.core.replies import Gap
from pychat.core.room import Room
from pychat.core.session import Session

if TYPE_CHECKING:
    from pychat.core.chat import Chat

_EVENT_BYTES: Final = 128
"""What an event costs beyond its text, or one line of it: names, id, time."""


class CatchingUp:
    """Part of the chat's register of members."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def bring(self, session: Session, rooms: list[Room], after: int) -> None:
        """Let the session hear the rooms: first what it missed, in pages it has time to take, then live."""
        chat = self._chat
        seconds = chat.limits.stall_seconds
        while not self._go_live(session, rooms, after):
            rooms = _still_in(session, rooms)
            missed, end = self._read_missed(session, rooms, after)
            if any(session not in room.occupants for room in rooms):  # kicked out: what was read is not for it
                continue
            chat.send(session, *missed)
            after = end
            if not session.drained(seconds):
                session.kick(f"too slow: what was missed was not taken in {seconds:g} seconds")
                return

    def _go_live(self, session: Session, rooms: Iterable[Room], after: int) -> bool:
        """Let the session have the rest and hear the rooms from here on; False if that is too much."""
        chat = self._chat
        with chat.order.lock:
            if session.closed:
                return True
            rooms = _still_in(session, rooms)
            events = chat.log.recent(_keys(rooms), after)
            if events is None or len(self._page(events)) < len(events):
                return False
            rest = [*self._gaps(rooms, after), *self._missed(session, rooms, events)]
            if rest:
                chat.order.send_locked(session, *rest)
            for room in rooms:
                chat.log.append(Attach(session, room))
        chat.order.wake()
        return True

    def _read_missed(self, session: Session, rooms: list[Room], after: int) -> tuple[list[Event | Gap], int]:
        """Read a page of what was missed, also from where it takes long; return it, and the id of its end."""
        chat = self._chat
        with chat.order.lock:
            newest = chat.log.last_id()
        try:
            page = chat.log.read_after(_keys(rooms), after, chat.limits.history_page)
        except NotReadable:
            return [Gap(room.name, after) for room in rooms], newest
        events = self._page(page.events)
        whole = not page.more and len(events) == len(page.events)
        return [*self._gaps(rooms, after), *self._missed(session, rooms, events)], newest if whole else events[-1].id

    def _page(self, events: Sequence[Event]) -> Sequence[Event]:
        """Return as many of the first events as a session can take at once."""
        limits = self._chat.limits
        return fitting(events[: limits.history_page], limits.send_queue_bytes)

    def _gaps(self, rooms: Iterable[Room], after: int) -> list[Gap]:
        """Where the record begins later. To be asked behind the reading of it, lest it is shortened in between."""
        return [Gap(room.name, after) for room in rooms if self._chat.log.has_gap(room.key, after)]

    @staticmethod
    def _missed(session: Session, rooms: Iterable[Room], events: Iterable[Event]) -> list[Event]:
        """What the session would have heard in the rooms it comes into and has not heard in another one."""
        heard = set(session.room_names).difference(room.name for room in rooms)
        return [
            event
            for event in events
            if visible(event, session) and not (isinstance(event, PersonEvent) and heard.intersection(event.rooms))
        ]


def _still_in(session: Session, rooms: Iterable[Room]) -> list[Room]:
    return [room for room in rooms if session in room.occupants]


def _keys(rooms: Iterable[Room]) -> list[str]:
    return [room.key for room in rooms]


def visible(event: Event, session: Session) -> bool:
    """Whether a member of the event's room may see it, and wants to: some messages are for a few."""
    if not isinstance(event, Message):
        return True
    if event.audience is not None and session.identity not in event.audience:
        return False
    return (
        session.ignored is None
        or event.sender == session.nickname
        or not ignores(session, event.sender, event.userhost, event.account)
    )


def fitting(events: Sequence[Event], queue_bytes: int, *, last: bool = False) -> Sequence[Event]:
    """
    Return the first events, or the last, that a send queue of this size takes in any language; at least one.

    A language may need a few times the bytes of a text, for escapes, and repeats the sender on each of its lines.
    """
    size, count = 0, 0
    for event in reversed(events) if last else events:
        size += _EVENT_BYTES
        if isinstance(event, Message):
            size += len(event.text.encode()) + _EVENT_BYTES * event.text.count("\n")
        if count and size > queue_bytes // 4:
            break
        count += 1
    return events[len(events) - count :] if last else events[:count]
