"""
Catching up: the events a session missed in the rooms it joins, sent before it is subscribed to them.

Missed events are sent in pages, at the pace of the session. The last step runs under the order lock, on events in
memory only: the rest is sent and the session is subscribed, so that nothing is missing and nothing comes twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from pychat.core.attempts import address_key
from pychat.core.delivery import Attach, Detach
from pychat.core.log.log import Page
from pychat.core.log.ring_buffer import EVER
from pychat.core.order import CAUSED_BYTES
from pychat.core.people.ignore import ignores
from pychat.core.price import charge, charge_fully
from pychat.core.rooms.behind import Behind
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.model.errors import Busy, NotReadable
from pychat.model.events import Event, Joined, Kicked, Left, Message, PersonEvent
from pychat.model.hostmask import hostmask_of
from pychat.model.names import fold
from pychat.model.replies import Gap

if TYPE_CHECKING:
    from pychat.core.chat import Chat

_EVENT_BYTES: Final = 128
"""The cost of an event beyond its text, or of one line of it: names, id, time."""

_Places: TypeAlias = Mapping[Room, int]
"""Rooms, each with the id up to which a session has everything that happened there."""


class CatchingUp:
    """Part of the chat's membership register."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def fall_behind_locked(self, session: Session, room: Room, after: int) -> Behind:
        """
        Hold back the subscription of a session that has just become a member; call `bring` next.

        A resumable session is then held back in all of its rooms, so that the ids it sees keep increasing.

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
                        behind.places[other] = chat.log.last_id()
        behind.places[room] = after
        return behind

    def tell_gap(self, session: Session, room: Room, after: int) -> None:
        """Send a gap if the room has events between `after` and the session's join that the session does not get."""
        if self._misses(session, room, after, until=room.state.members.get(session.identity, 0)):
            self._chat.send(session, Gap(room.name, after))

    def bring(self, session: Session, behind: Behind) -> None:
        """Send the session the events it missed, in pages at its own pace, then subscribe it to its rooms."""
        began = time.thread_time()
        try:
            self._bring(session, behind)
        finally:
            charge(session, time.thread_time() - began)

    def _bring(self, session: Session, behind: Behind) -> None:
        seconds = self._chat.limits.stall_seconds
        if session.caused > CAUSED_BYTES:  # a slow reader of a long member list gets time for it
            self._chat.order.throttle(session)
        while not self._go_live(session, behind):
            self._bring_page(session, behind)
            if not session.drained(seconds):
                session.disconnect(f"too slow: missed events were not read within {seconds:g} seconds")
                return

    def _go_live(self, session: Session, behind: Behind) -> bool:
        """Send the session the rest and subscribe it to the rooms; return False if the rest is too much."""
        chat = self._chat
        with chat.order.change():
            if not session.is_here:  # it was told that it ends, and nothing may follow that
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
        """Return the missed events if they are in memory and fit on a page, else None."""
        if not rooms:
            return []
        events = self._chat.log.recent(_keys(rooms), min(rooms.values()))
        return None if events is None or len(self._page(events)) < len(events) else events

    def _bring_page(self, session: Session, behind: Behind) -> None:
        """Send the session a page of missed events, even if it has to be read from slow storage."""
        chat = self._chat
        with chat.order.lock:
            rooms, newest = _still_in(session, behind), chat.log.last_id()
        behind.pages -= 1
        if not rooms:
            return
        missed, end = self._read_missed(session, rooms, newest)
        with chat.order.change():
            # If it was kicked out meanwhile, it must not get what was read.
            if not session.is_here or any(session not in room for room in rooms):
                return
            chat.order.bring_locked(session, *missed)
            for room, after in rooms.items():
                if behind.places[room] == after:  # else it left and joined again
                    behind.places[room] = max(after, end)

    def _read_missed(self, session: Session, rooms: _Places, newest: int) -> tuple[list[Event | Gap], int]:
        """Return a page of events up to the newest id, and the id of the page's end."""
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
        until_now = [event for event in page.events if event.id <= newest]  # the later ones come with the next page
        events = self._page(until_now)
        ends = not page.more or len(until_now) < len(page.events)
        whole = ends and len(events) == len(until_now)
        return [*self._gaps(rooms), *self._missed(session, rooms, events)], newest if whole else events[-1].id

    def _page(self, events: Sequence[Event]) -> Sequence[Event]:
        """Return as many of the first events as a session can take at once."""
        limits = self._chat.limits
        return fitting(events[: limits.history_page], limits.send_queue_bytes)

    def _gaps(self, rooms: _Places) -> list[Event | Gap]:
        """Return gaps. Call this after reading: retention may trim the log in between."""
        return [Gap(room.name, after) for room, after in rooms.items() if self._chat.log.has_gap(room.key, after)]

    def _gaps_instead(self, session: Session, rooms: _Places) -> list[Event | Gap]:
        """Return gaps for the rooms where more is missing than may be sent."""
        return [Gap(room.name, after) for room, after in rooms.items() if self._misses(session, room, after)]

    def _misses(self, session: Session, room: Room, after: int, until: int = EVER) -> bool:
        """Return whether a room may have events between two ids that the session would have seen."""
        log = self._chat.log
        events = log.recent((room.key,), after)
        if events is None or log.has_gap(room.key, after):
            return True
        others = [event for event in events if event.id <= until and not _is_arrival(event, session)]
        return bool(self._missed(session, {room: after}, others))

    @staticmethod
    def _missed(session: Session, rooms: _Places, events: Sequence[Event]) -> list[Event]:
        """
        Return the events the session would have seen in the rooms it joins and has not seen in another one.

        Its own earlier leaves and kicks are left out: it is a member now, and clients would take them for new.
        """
        if not events:  # nearly always
            return []
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
    return {room: after for room, after in behind.places.items() if session in room}


def _is_arrival(event: Event, session: Session) -> bool:
    return isinstance(event, Joined) and event.nickname == session.nickname


def _keys(rooms: Iterable[Room]) -> list[str]:
    return [room.key for room in rooms]


def visible(event: Event, session: Session) -> bool:
    """Return whether a member of the event's room may see the event and does not ignore its sender."""
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
    Return the first events, or the last, that fit a send queue of this size in any protocol; at least one.

    A protocol may need a few times the bytes of a text, for escapes, and may repeat the sender on each line.
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
