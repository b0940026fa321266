"""
The order: the one place where what happens gets its position, the same for everybody.

What a verb causes is first collected by the thread that performs it (`_Turn`), so that messages which came together
are appended, delivered and encoded together. It is flushed at the end of the chunk, before any answer, before a hook
that may wait, and before a change of membership.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar, cast

from pychat.core.burst import Burst, moments
from pychat.core.clock import SYSTEM_CLOCK, Clock
from pychat.core.delivery import Batch, Delivery, Private
from pychat.core.errors import NoSuchNickname, NotAMember, NotStored, Refused
from pychat.core.events import Event, Message, Notice, Tagged
from pychat.core.ignoring import deaf_to, ignores
from pychat.core.log import Log
from pychat.core.queries import Ref
from pychat.core.replies import Failure, Ok, Reply
from pychat.core.room import Room
from pychat.core.session import Session

E = TypeVar("E", bound=Event)


_MOST_AHEAD_MS: Final = 1000
"""How far the times of events may run ahead of the clock."""


_SAID: Final = (Message, Tagged)
"""Events that have a sender."""


class _Way(NamedTuple):
    """Where an event goes: see `Order.publish`."""

    rooms: tuple[Room, ...]
    source: Session | None
    """Whose verb caused it."""
    said: bool
    """Whether it is the source's own message."""
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

    def __init__(self, log: Log, delivery: Delivery, clock: Clock = SYSTEM_CLOCK) -> None:
        self.log = log
        self.delivery = delivery
        # Guards the order of entries and, for the chat, nicknames, rooms and membership. No hook, no socket and no
        # log I/O runs under it.
        self.lock = threading.Lock()
        self.turn = _Turn()
        self.stopping = threading.Event()
        self._time = clock.time
        self._last_ms = 0
        delivery.log = log
        log.open(delivery.accept, delivery.wake)

    def wake(self) -> None:
        """Let what was appended be delivered. Without the lock, once after all that was appended under it."""
        self.log.wake()

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

        Raises:
            NotStored: It is said outside of verbs, so that there is no session to be told, and cannot be stored.
        """
        turn = self.turn
        session = turn.session
        if session is None and self.log.trouble is not None and rooms and isinstance(event, (Message, Notice)):
            raise NotStored("your message", self.log.trouble, room=rooms[0].name)
        said = session is not None and isinstance(event, _SAID) and event.sender == session.nickname
        runs = turn.runs
        run = runs[-1] if runs else None
        if run is None or run.way != (rooms, session, said, only, also):
            run = _Run(_Way(rooms, session, said, only, also))
            runs.append(run)
        if said and turn.ref is not None:
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
                self.send_locked(session, *items)
            self.wake()

    def send_locked(self, session: Session, *items: Event | Reply) -> None:
        """The same, together with a change that the caller makes under the same lock; the caller calls `wake`."""
        assert self.lock.locked()
        self.log.append(Private(session, items, session.nickname, session is self.turn.session))

    def flush(self) -> None:
        """Give everything that this thread caused its position, and let it be sent."""
        if self.turn.runs:
            with self.lock:
                self.flush_locked()
            self.wake()

    def flush_locked(self) -> None:
        """The same, together with a change that the caller makes under the same lock; the caller calls `wake`."""
        assert self.lock.locked()
        runs, self.turn.runs = self.turn.runs, []
        if not self.stopping.is_set():
            for run in runs:
                self._append_run_locked(run)

    def append_locked(self, event: E, rooms: tuple[Room, ...], also: Session | None = None) -> E:
        """Give one event its position now, together with a change that the caller makes under the same lock."""
        assert self.lock.locked()
        placed: E = event._replace(id=self.log.claim(1), time=self._times_locked(1)[0])  # type: ignore[assignment]
        self.log.append(Batch(rooms, [placed], self.turn.session, also=also))
        return placed

    def say_all(self, session: Session, room: Room, texts: Sequence[str]) -> None:
        """
        Publish plain messages of a session in a room, at once; the same as if each was published.

        Raises:
            NotAMember: The session is in that room no more.
        """
        with self.lock:
            self.flush_locked()
            if self.stopping.is_set():
                return
            _check_locked(_Way(room.alone, session, True, None, None))
            first, times = self.log.claim(len(texts)), self._times_locked(len(texts))
            burst = Burst(first, times, room.name, session.nickname or "", session.userhost, texts, session.account)
            deaf = deaf_to(room.alone, session) if room.ignoring else frozenset()
            self.log.append(Batch(room.alone, burst, session, True, deaf=deaf))
        self.wake()

    def _times_locked(self, count: int) -> list[float]:
        """
        Return the times of the next events, a millisecond apart, so that they tell events from each other.

        Clients know an event by its time in milliseconds (IRCv3 server-time, chathistory). When there are more than
        a thousand a second for long, they share times, but no time is before an earlier one.
        """
        now = int(self._time() * 1000)
        first = max(now, self._last_ms + 1)
        if first + count > now + _MOST_AHEAD_MS:
            self._last_ms = max(now, self._last_ms)
            return moments(self._last_ms, 1) * count
        self._last_ms = first + count - 1
        return moments(first, count)

    def _append_run_locked(self, run: _Run) -> None:
        rooms, source, said, only, also = run.way
        if said and source is not None and source.closed:
            return  # somebody else has ended the session meanwhile, and the others have heard so
        try:
            _check_locked(run.way)
        except Refused as error:
            if said and source is not None:
                failures = [Failure.of(error, run.refs.get(index)) for index in range(len(run.events))]
                self.send_locked(source, *failures)
            return
        first = self.log.claim(len(run.events))
        placed = _placed_locked(run, first, self._times_locked(len(run.events)))
        if rooms:
            self.log.append(Batch(rooms, placed, source, said, only, also, run.refs, _deaf_locked(run.way)))
        else:
            for recipient in only or ():
                if not said or source is None or recipient is source or not _ignored_by(recipient, source):
                    self.send_locked(recipient, *placed)
            if said and source is not None and source.echoes:
                self.send_locked(source, *placed)
        if run.refs and source is not None:
            self.send_locked(source, *[Ok(ref, first + index) for index, ref in run.refs.items()])


def _deaf_locked(way: _Way) -> frozenset[Session]:
    """Who does not hear what is said, because it is said by somebody whom they ignore."""
    if way.said and way.source is not None and any(room.ignoring for room in way.rooms):
        return deaf_to(way.rooms, way.source)
    return frozenset()


def _ignored_by(recipient: Session, source: Session) -> bool:
    return ignores(recipient, source.nickname or "", source.userhost, source.account)


def _check_locked(way: _Way) -> None:
    """What was true when the message was said may not be any more: hooks take time."""
    if way.said and way.source is not None:
        for room in way.rooms:
            if way.source not in room.occupants and "n" in room.rules.flags:
                raise NotAMember(room.name)
    if not way.rooms:
        for recipient in way.only or ():
            if recipient.closed:
                raise NoSuchNickname(recipient.nickname or "")


def _placed_locked(run: _Run, first: int, times: list[float]) -> list[Event]:
    """Return the events with consecutive ids, their times, and the nickname that their source has at this moment."""
    rooms, source, said, only, _ = run.way
    audience = frozenset(session.identity for session in only) if only is not None and rooms else None
    if not said or source is None:
        placed = [event._replace(id=first + at, time=times[at]) for at, event in enumerate(run.events)]
        return (
            [cast("Message", event)._replace(audience=audience) for event in placed] if audience is not None else placed
        )
    nickname, userhost, account = source.nickname or "", source.userhost, source.account
    own: list[Event] = []
    for at, event in enumerate(run.events):
        if type(event) is Message:
            _, _, room, _, text, action, to, _, notice, _, formatted, tags, role, _ = event
            own.append(
                Message(
                    first + at,
                    times[at],
                    room,
                    nickname,
                    text,
                    action,
                    to,
                    audience,
                    notice,
                    userhost,
                    formatted,
                    tags,
                    role,
                    account,
                )
            )
        elif type(event) is Tagged:
            place = event._replace(id=first + at, time=times[at])
            own.append(place._replace(sender=nickname, userhost=userhost, account=account))
    return own
