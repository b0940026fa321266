"""
Catching up: what a session missed in rooms that it comes into, before it hears them.

It is brought up to the present in pages that it has time to take, read from wherever they are. The last step is made
under the order lock, and out of memory: the rest is sent and the session goes live, so that nothing is missing and
nothing comes twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from pychat.core.accounts.rate_limit import address_key
from pychat.core.delivery import Attach, Detach
from pychat.core.history.log import Page
from pychat.core.history.ring_buffer import EVER
from pychat.core.order import CAUSED_BYTES
from pychat.core.people.ignore import ignores
from pychat.core.price import charge, charge_fully
from pychat.core.rooms.behind import Behind
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.core.worker_pool import Busy
from pychat.model.errors import NotReadable
from pychat.model.events import Event, Joined, Kicked, Left, Message, PersonEvent
from pychat.model.hostmask import hostmask_of
from pychat.model.names import fold
from pychat.model.replies import Gap

if TYPE_CHECKING:
    from pychat.core.chat import Chat

_EVENT_BYTES: Final = 128
"""What an event costs beyond its text, or one line of it: names, id, time."""

_Places: TypeAlias = Mapping[Room, int]
"""Rooms, each with the id up to which a session has everything that happened there."""


class CatchingUp:
    """Part of the chat's register of members."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def fall_behind_locked(self, session: Session, room: Room, after: int) -> Behind:
        """
        Let a session that has just become a member of a room not hear it yet; `bring` has to follow.

        A session that may resume is behind in all of its rooms then, so that the ids it sees go on growing.

        Args:
            after: The id up to which it has everything that happened in the room.
        """
        chat = self._chat
        behind = session.behind
        if behind is None:
            behind = Behind()
            if session.resumable:
                session.behind = behind
                for other in session.rooms.values():
                    if other is not room:
                        chat.log.append(Detach(session, other))
                        behind.rooms[other] = chat.log.last_id()
        behind.rooms[room] = after
        return behind

    def tell_gap(self, session: Session, room: Room, after: int) -> None:
        """If the room said anything behind an id before the session came in, tell that it does not get it."""
        if self._misses(session, room, after, until=room.occupants.get(session, 0)):
            self._chat.send(session, Gap(room.name, after))

    def bring(self, session: Session, behind: Behind) -> None:
        """Let the session hear its rooms: first what it missed, in pages it has time to take, then live."""
        began = time.thread_time()
        try:
            self._bring(session, behind)
        finally:
            charge(session, time.thread_time() - began)

    def _bring(self, session: Session, behind: Behind) -> None:
        seconds = self._chat.limits.stall_seconds
        if session.caused > CAUSED_BYTES:  # who reads a long list of members slowly has time for that
            self._chat.order.throttle(session)
        while not self._go_live(session, behind):
            self._bring_page(session, behind)
            if not session.drained(seconds):
                session.kick(f"too slow: what was missed was not taken in {seconds:g} seconds")
                return

    def _go_live(self, session: Session, behind: Behind) -> bool:
        """Let the session have the rest and hear the rooms from here on; False if that is too much."""
        chat = self._chat
        with chat.order.change():
            if not session.is_here:  # it has had its goodbye, behind which nothing comes
                return True
            rooms = _still_in(session, behind)
            events = self._recent(rooms)
            if events is not None:
                rest = [*self._gaps(rooms), *self._missed(session, rooms, events)]
            elif behind.pages > 0:
                return False
            else:
                rest = self._gaps_instead(session, rooms)
            if session.behind is behind:
                session.behind = None
            chat.order.bring_locked(session, *rest)
            for room in rooms:
                chat.log.append(Attach(session, room))
        return True

    def _recent(self, rooms: _Places) -> list[Event] | None:
        """Return what is missing if it is in memory and no more than a page."""
        if not rooms:
            return []
        events = self._chat.log.recent(_keys(rooms), min(rooms.values()))
        return None if events is None or len(self._page(events)) < len(events) else events

    def _bring_page(self, session: Session, behind: Behind) -> None:
        """Let the session have a page of what it missed, also from where it takes long to read."""
        chat = self._chat
        with chat.order.lock:
            rooms, newest = _still_in(session, behind), chat.log.last_id()
        behind.pages -= 1
        if not rooms:
            return
        missed, end = self._read_missed(session, rooms, newest)
        with chat.order.change():
            # Kicked out: what was read is not for it.
            if not session.is_here or any(session not in room.occupants for room in rooms):
                return
            chat.order.bring_locked(session, *missed)
            for room, after in rooms.items():
                if behind.rooms[room] == after:  # else it was out, and came in again
                    behind.rooms[room] = max(after, end)

    def _read_missed(self, session: Session, rooms: _Places, newest: int) -> tuple[list[Event | Gap], int]:
        """Return a page of what happened up to the newest id, and the id of its end."""
        chat = self._chat
        keys, after = _keys(rooms), min(rooms.values())

        def read() -> tuple[Page, float]:
            began = time.thread_time()
            return chat.log.read_after(keys, after, chat.limits.history_page), time.thread_time() - began

        try:
            page, worked = chat.log.run_slow(address_key(session.address), read)
        except (NotReadable, Busy):
            return [Gap(room.name, after) for room, after in rooms.items()], newest
        charge_fully(session, worked)
        until_now = [event for event in page.events if event.id <= newest]  # the others come with the next page
        events = self._page(until_now)
        ends = not page.more or len(until_now) < len(page.events)
        whole = ends and len(events) == len(until_now)
        return [*self._gaps(rooms), *self._missed(session, rooms, events)], newest if whole else events[-1].id

    def _page(self, events: Sequence[Event]) -> Sequence[Event]:
        """Return as many of the first events as a session can take at once."""
        limits = self._chat.limits
        return fitting(events[: limits.history_page], limits.send_queue_bytes)

    def _gaps(self, rooms: _Places) -> list[Event | Gap]:
        """Where the record begins later. To be asked behind the reading of it, lest it is shortened in between."""
        return [Gap(room.name, after) for room, after in rooms.items() if self._chat.log.has_gap(room.key, after)]

    def _gaps_instead(self, session: Session, rooms: _Places) -> list[Event | Gap]:
        """Where something is missing that is too much to be brought."""
        return [Gap(room.name, after) for room, after in rooms.items() if self._misses(session, room, after)]

    def _misses(self, session: Session, room: Room, after: int, until: int = EVER) -> bool:
        """Whether anything may have happened in a room between two ids that the session would have heard."""
        log = self._chat.log
        events = log.recent((room.key,), after)
        if events is None or log.has_gap(room.key, after):
            return True
        others = [event for event in events if event.id <= until and not _is_arrival(event, session)]
        return bool(self._missed(session, {room: after}, others))

    @staticmethod
    def _missed(session: Session, rooms: _Places, events: Iterable[Event]) -> list[Event]:
        """
        Return what the session would have heard in the rooms it comes into and has not heard in another one.

        It is a member now, so how it was put out before, or left, is left out: clients would take it for news.
        """
        places = {room.key: after for room, after in rooms.items()}
        heard = set(session.rooms).difference(places)
        first, last = min(places.values(), default=0), max(places.values(), default=0)

        def is_new(event: Event) -> bool:
            if isinstance(event, Left | Kicked) and event.nickname == session.nickname:
                return False
            if isinstance(event, PersonEvent):
                keys = [fold(name) for name in event.rooms]
                if heard.intersection(keys):
                    return False
            elif first == last:
                return True
            else:
                keys = [fold(event.room or "")]
            return event.id > min([places[key] for key in keys if key in places], default=last)

        return [event for event in events if visible(event, session) and is_new(event)]


def _still_in(session: Session, behind: Behind) -> dict[Room, int]:
    return {room: after for room, after in behind.rooms.items() if session in room.occupants}


def _is_arrival(event: Event, session: Session) -> bool:
    return isinstance(event, Joined) and event.nickname == session.nickname


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
        or not ignores(session, hostmask_of(event.sender, event.userhost, event.account))
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
