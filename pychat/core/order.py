"""
The order: the one place where what happens gets its position, the same for everybody.

What a verb causes is first collected by the thread that performs it (`_Turn`), so that messages which came together
are appended, delivered and encoded together. It is flushed at the end of the chunk, before any answer, before a hook
that may wait, and before a change of membership.
"""

from __future__ import annotations

import threading
import time
from typing import NamedTuple, TypeVar, cast

from pychat.core.delivery import Batch, Delivery, Entry, Private
from pychat.core.errors import NoSuchNickname, NotAMember, Refused
from pychat.core.events import Event, Message
from pychat.core.log import Log
from pychat.core.replies import Failure, Ok, Reply
from pychat.core.room import Room
from pychat.core.session import Session
from pychat.core.verbs import Ref

E = TypeVar("E", bound=Event)


class _Way(NamedTuple):
    """Where an event goes: see `Order.publish`."""

    rooms: tuple[Room, ...]
    source: Session | None
    """Whose own message it is."""
    only: frozenset[Session] | None
    also: Session | None


class _Run:
    """Events without a position yet that go the same way: they become one `Batch`."""

    __slots__ = ("events", "refs", "way")

    def __init__(self, way: _Way) -> None:
        self.way = way
        self.events: list[Event] = []
        self.refs: dict[int, Ref] = {}
        """Marks of those events, by their index, that their source waits for."""


class _Turn(threading.local):
    """What a thread has caused and not yet flushed."""

    session: Session | None = None
    """Whose verb the thread performs; None outside of verbs."""
    ref: Ref = None
    """The mark of the message whose hooks run: the first thing they publish answers it."""

    def __init__(self) -> None:
        self.runs: list[_Run] = []


class Order:
    """Positions for events and answers. Its lock is the first in the order of locks (docs/architecture.md)."""

    def __init__(self, log: Log, delivery: Delivery) -> None:
        self.log = log
        self.delivery = delivery
        # Guards the order of entries and, for the chat, nicknames, rooms and membership. No hook, no socket and no
        # log I/O runs under it.
        self.lock = threading.Lock()
        self.turn = _Turn()
        self.stopping = threading.Event()
        log.open(self._accepted)

    def _accepted(self, entry: Entry) -> None:
        self.delivery.accept(entry)

    def publish(
        self,
        event: Event,
        rooms: tuple[Room, ...],
        *,
        only: frozenset[Session] | None = None,
        also: Session | None = None,
    ) -> None:
        """
        Queue an event behind what this thread caused before; outside of verbs it is flushed at once.

        Args:
            rooms: In whose records it belongs; none for a direct message, whose recipient is in `only`.
            only: The sessions that may see it, if not all members.
            also: A session that hears it although it is no member any more.
        """
        turn = self.turn
        session = turn.session
        own = type(event) is Message and session is not None and event.sender == session.nickname
        source = session if own else None
        runs = turn.runs
        run = runs[-1] if runs else None
        if run is None or run.way != (rooms, source, only, also):
            run = _Run(_Way(rooms, source, only, also))
            runs.append(run)
        if own and turn.ref is not None:
            run.refs[len(run.events)] = turn.ref
            turn.ref = None
        run.events.append(event)
        if session is None:
            self.flush()

    def send(self, session: Session, *items: Event | Reply) -> None:
        """Tell one session something, behind everything that this thread caused before."""
        self.flush()
        if not session.closed:
            with self.lock:
                self.log.append(Private(session, items))
            self.delivery.wake()

    def flush(self) -> None:
        """Give everything that this thread caused its position, and let it be sent."""
        if self.turn.runs:
            with self.lock:
                self.flush_locked()
            self.delivery.wake()

    def flush_locked(self) -> None:
        """The same, together with a change that the caller makes under the same lock; the caller wakes the delivery."""
        assert self.lock.locked()
        runs, self.turn.runs = self.turn.runs, []
        if not self.stopping.is_set():
            for run in runs:
                self._append_run_locked(run)

    def append_locked(self, event: E, rooms: tuple[Room, ...], also: Session | None = None) -> E:
        """Give one event its position now, together with a change that the caller makes under the same lock."""
        assert self.lock.locked()
        placed: E = event._replace(id=self.log.claim(1), time=time.time())  # type: ignore[assignment]
        self.log.append(Batch(rooms, [placed], also=also))
        return placed

    def _append_run_locked(self, run: _Run) -> None:
        rooms, source, only, also = run.way
        try:
            _check_locked(run.way)
        except Refused as error:
            if source is not None:
                failures = [Failure.of(error, run.refs.get(index)) for index in range(len(run.events))]
                self.log.append(Private(source, tuple(failures)))
            return
        first = self.log.claim(len(run.events))
        placed = _placed_locked(run, first)
        if rooms:
            self.log.append(Batch(rooms, placed, source, only, also))
        else:
            for recipient in only or ():
                self.log.append(Private(recipient, tuple(placed)))
        if run.refs and source is not None:
            self.log.append(Private(source, tuple(Ok(ref, first + index) for index, ref in run.refs.items())))


def _check_locked(way: _Way) -> None:
    """What was true when the message was said may not be any more: hooks take time."""
    if way.source is not None:
        for room in way.rooms:
            if way.source not in room.occupants:
                raise NotAMember(room.name)
    if not way.rooms:
        for recipient in way.only or ():
            if recipient.closed:
                raise NoSuchNickname(recipient.nickname or "")


def _placed_locked(run: _Run, first: int) -> list[Event]:
    """Return the events with consecutive ids, the time, and the nickname that their source has at this moment."""
    rooms, source, only, _ = run.way
    now = time.time()
    audience = frozenset(session.identity for session in only) if only is not None and rooms else None
    if source is not None:
        nickname = source.nickname or ""
        return [
            Message(ident, now, said.room, nickname, said.text, said.action, said.to, audience)
            for ident, said in enumerate(cast("list[Message]", run.events), first)
        ]
    placed = [event._replace(id=ident, time=now) for ident, event in enumerate(run.events, first)]
    return [cast("Message", event)._replace(audience=audience) for event in placed] if audience is not None else placed
