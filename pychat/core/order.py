"""
The order: the one place where events get their position, which is the same for everybody.

The events a verb causes are first collected by its thread (`core/turn.py`), so that messages that arrive together are
appended, delivered and encoded together. They are flushed at the end of the chunk, before any reply, before a hook that
may wait, and before a change of membership.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar, cast

from pychat.core.delivery import Batch, Delivery, Private, weight
from pychat.core.log.log import Log
from pychat.core.outcome import Position
from pychat.core.people.ignore import ignores, members_ignoring
from pychat.core.permissions import may_be_heard, require_voice
from pychat.core.rooms.behind import without_id
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.core.turn import UNASKED, Answering, Destination, Run, Turn
from pychat.model.burst import Burst, moments
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.durations import write_duration
from pychat.model.errors import LocalProtocolError, NoSuchNickname, NotAMember, NotHere, NotStored, Refused
from pychat.model.events import SAID, WITH_TEXT, Event, Message, Tagged
from pychat.model.queries import Ref
from pychat.model.replies import Failure, Ok, Reply
from pychat.model.times import milliseconds

logger = logging.getLogger("pychat")

E = TypeVar("E", bound=Event)


_MOST_AHEAD_MS: Final = 1000
"""How far the times of events may exceed the clock, in milliseconds."""
_MOST_BEHIND_MS: Final = 10_000
"""How far the clock may lag the newest event while times continue from that event; more means it was set back."""


CAUSED_BYTES: Final = 4096
"""The bytes a session may cause before `Order.throttle` checks how many of them are still queued."""
_BURST_TEXT_BYTES: Final = 32
"""The minimum cost of a message in a burst, beside its text. Most of the rest is encoded once for all messages."""

_ANSWER_WEIGHT: Final = 2
"""The factor for the bytes of a reply, which is encoded for one session; an event is encoded once for many."""


class Order:
    """Gives events and replies their positions. Its lock is the first in the lock order (docs/architecture.md)."""

    def __init__(self, log: Log, delivery: Delivery, clock: Clock = SYSTEM_CLOCK) -> None:
        self.log = log
        self.delivery = delivery
        # Guards the order of entries and, for the chat, nicknames, rooms and membership. No hook, no socket and no
        # log I/O runs under it.
        self.lock = threading.Lock()
        self.turn = Turn()
        self.stopping = threading.Event()
        self.clock = clock
        self._last_ms = milliseconds(log.last_time())
        delivery.log = log
        log.open(delivery.accept, delivery.wake)

    @contextmanager
    def change(self, session: Session | None = None) -> Iterator[None]:
        """
        Hold the lock for a change of the state: flush what this thread caused before, and wake the delivery at the end.

        Args:
            session: The session whose verb makes the change, if any.

        Raises:
            NotHere: If the session has ended or was disconnected since its verb began; hooks and password hashing take
                time.
        """
        self.flush()
        try:
            with self.lock:
                if session is not None and not session.is_here:
                    raise NotHere
                yield
        finally:
            self.wake()

    def answering(self, ref: Ref) -> Answering:
        """Return a context manager in which the next event that the calling thread publishes answers a request."""
        return UNASKED if ref is None else Answering(self.turn, ref)

    def wake(self) -> None:
        """Wake the delivery. Call this without the lock, once after all entries appended under it."""
        self.log.wake()

    def must_rest(self, session: Session) -> bool:
        """Return whether too many bytes that the session caused are queued (backpressure). Call without locks."""
        self.flush()
        return self.delivery.must_rest(session)

    def throttle(self, session: Session) -> None:
        """Block while too many bytes the session caused are queued (backpressure). For its thread, without locks."""
        self.flush()
        self.log.throttle()
        self.delivery.throttle(session)

    def publish(
        self,
        event: Event,
        rooms: tuple[Room, ...],
        *,
        recipients: frozenset[Session] | None = None,
        extra: Session | None = None,
    ) -> None:
        """
        Queue an event after those this thread caused before; outside verbs, flush it at once.

        Args:
            rooms: The rooms whose logs it belongs to; empty for a direct message, whose recipient is in `recipients`.
            recipients: The sessions that may see it. Default: all members.
            extra: A session that gets it although it is not a member any more.

        Raises:
            NotStored: If the event cannot be stored and is published outside verbs, so no session can be told.
            LocalProtocolError: If it is published outside verbs and the chat has ended.
        """
        turn = self.turn
        session = turn.session
        if session is None and self.stopping.is_set():
            raise LocalProtocolError("the chat has ended; nothing can be published")
        if session is None and self.log.storage_error is not None and rooms and isinstance(event, WITH_TEXT):
            raise NotStored("your message", self.log.storage_error, room=rooms[0].name)
        said = session is not None and isinstance(event, SAID) and event.sender == session.person.nickname
        runs = turn.runs
        run = runs[-1] if runs else None
        if run is None or run.destination != (rooms, session, said, recipients, extra):
            run = Run(Destination(rooms, session, said, recipients, extra))
            runs.append(run)
        answering = turn.answering
        if answering is not None and not answering.answered:
            answering.take(run, event, said=said)
        run.events.append(event)
        if session is None:
            self.flush()

    def send(self, session: Session, *items: Event | Reply, confirms: bool = False) -> None:
        """
        Send items to one session, after everything that this thread caused before.

        Args:
            confirms: True if the items confirm that earlier changes are stored (`Private.confirms`).
        """
        self.flush()
        if not session.closed:
            with self.lock:
                self.send_locked(session, *items, confirms=confirms)
            self.wake()

    def send_locked(self, session: Session, *items: Event | Reply, confirms: bool = False) -> None:
        """Send items, within `change`; without ids to a session that is catching up and can be resumed."""
        if session.behind is not None and session.resumable:
            items = tuple(map(without_id, items))
        self.bring_locked(session, *items, confirms=confirms)

    def bring_locked(self, session: Session, *items: Event | Reply, confirms: bool = False) -> None:
        """Send items, with their ids, even if the session is still catching up (`rooms/behind.py`). Hold the lock."""
        assert self.lock.locked()
        if not items:
            return
        source = self.turn.session
        if source is not None:
            source.caused += _ANSWER_WEIGHT * weight(items)
        self.log.append(Private(session, items, session.nickname, session is source, confirms))

    def flush(self) -> None:
        """Give a position to every event that this thread has caused, and wake the delivery."""
        runs = self.turn.runs
        if runs:
            for run in runs:
                _match_lists(run.destination, self.clock)
            with self.lock:
                self.flush_locked()
            self.wake()

    def flush_locked(self) -> None:
        """Flush under the lock, together with a change the caller makes; the caller calls `wake`."""
        assert self.lock.locked()
        runs, self.turn.runs = self.turn.runs, []
        if not self.stopping.is_set():
            for run in runs:
                self._append_run_locked(run)

    def append_locked(
        self,
        event: E,
        rooms: tuple[Room, ...],
        extra: Session | None = None,
        excluded: frozenset[Session] = frozenset(),
        time: float | None = None,
    ) -> E:
        """
        Give one event its position now, together with a change the caller makes under the same lock.

        Args:
            time: `Position.stamp`, for the first event of an outcome.
        """
        assert self.lock.locked()
        first = self.log.claim(1)
        time = self._times_locked(first, 1)[0] if time is None else time
        placed: E = type(event)(first, time, *event[2:])  # `_replace` takes three times as long
        source = self.turn.session
        if source is not None:
            source.caused += weight((placed,))
        self.log.append(
            Batch(rooms, [placed], source, extra=self._extra_locked(extra, rooms, [placed]), excluded=excluded)
        )
        return placed

    def _extra_locked(self, extra: Session | None, rooms: Iterable[Room], events: Sequence[Event]) -> Session | None:
        """Return `extra` unless it gets the events as a member; if it is catching up, send them privately instead."""
        if extra is None or any(extra in room for room in rooms):
            return None
        if extra.behind is None:
            return extra
        self.send_locked(extra, *events)
        return None

    def say_all(self, session: Session, room: Room, texts: Sequence[str], size: int) -> None:
        """
        Publish plain messages of a session in a room at once, as if each was published on its own.

        Args:
            size: The bytes of all texts together.

        Raises:
            NotAMember: If the session is not in that room any more.
        """
        if room.ignoring:
            members_ignoring(room.as_tuple, session)  # so that no masks are matched under the lock
        with self.lock:
            self.flush_locked()
            if self.stopping.is_set() or not session.is_here:
                return
            _check_locked(Destination(room.as_tuple, session, True, None, None), self.clock)
            count = len(texts)
            session.caused += max(_BURST_TEXT_BYTES * count + size, room.written * count)
            first = self.log.claim(count)
            times = self._times_locked(first, count)
            person = session.person
            burst = Burst(first, times, room.name, person.nickname or "", person.userhost, texts, person.account)
            ignoring = members_ignoring(room.as_tuple, session) if room.ignoring else frozenset()
            self.log.append(Batch(room.as_tuple, burst, session, True, excluded=ignoring))
        self.wake()

    def position_locked(self) -> Position:
        """Return the position for a proposal that is applied now."""
        return Position(self.clock.time(), self.clock.monotonic(), self.log.last_id(), self._stamp_locked)

    def _stamp_locked(self) -> float:
        return self._times_locked(self.log.last_id() + 1, 1)[0]

    def _times_locked(self, first_id: int, count: int) -> list[float]:
        """
        Return times for `count` ids from `first_id`, a millisecond apart, so that each event has its own time.

        Clients identify an event by its time in milliseconds (IRCv3 server-time, chathistory). If there are more than a
        thousand events a second for long, some share a time, but times never decrease. If the clock was set back by a
        few seconds, even across a restart, times continue from the newest event, a millisecond for each, until the
        clock catches up. If it was set back further, times follow the clock, and the log records from which id on.
        """
        now = int(self.clock.time() * 1000)
        if self._last_ms > now + _MOST_BEHIND_MS:
            ahead = write_duration((self._last_ms - now) // 1000)
            logger.warning("the newest event is %s ahead of the clock: new times follow the clock", ahead)
            self._last_ms = 0
            self.log.set_back(first_id)
        first = max(now, self._last_ms + 1)
        if first + count > now + _MOST_AHEAD_MS >= self._last_ms:
            self._last_ms = max(now, self._last_ms)
            return moments(self._last_ms, 1) * count
        self._last_ms = first + count - 1
        return moments(first, count)

    def _append_run_locked(self, run: Run) -> None:
        rooms, source, said, recipients, extra = run.destination
        if said and source is not None and not source.is_here:
            return  # another thread has ended the session meanwhile
        try:
            _check_locked(run.destination, self.clock)
        except Refused as error:
            if source is not None:
                told = range(len(run.events)) if said else run.refs
                self.send_locked(source, *[Failure.of(error, run.refs.get(index)) for index in told])
            return
        if source is not None and rooms:
            source.caused += weight(run.events)
        first = self.log.claim(len(run.events))
        placed = _placed_locked(run, first, self._times_locked(first, len(run.events)))
        if rooms:
            extra = self._extra_locked(extra, rooms, placed)
            self.log.append(
                Batch(rooms, placed, source, said, recipients, extra, run.refs, _ignoring_locked(run.destination))
            )
        else:
            for recipient in recipients or ():
                if not said or source is None or recipient is source or not ignores(recipient, source.hostmask):
                    self.send_locked(recipient, *placed)
            if said and source is not None and source.echoes:
                self.send_locked(source, *placed)
        if run.refs and source is not None:
            self.send_locked(source, *[Ok(ref, first + index) for index, ref in run.refs.items()])


def _match_lists(destination: Destination, clock: Clock) -> None:
    """Match the sender against the mask lists without the lock, so that the results are cached under it."""
    if destination.said and destination.source is not None:
        for room in destination.rooms:
            may_be_heard(destination.source, room, clock)
            if room.ignoring:
                members_ignoring(room.as_tuple, destination.source)
        for recipient in destination.recipients or () if not destination.rooms else ():
            ignores(recipient, destination.source.hostmask)


def _ignoring_locked(destination: Destination) -> frozenset[Session]:
    """Return the sessions that do not get the message because they ignore its sender."""
    if destination.said and destination.source is not None and any(room.ignoring for room in destination.rooms):
        return members_ignoring(destination.rooms, destination.source)
    return frozenset()


def _check_locked(destination: Destination, clock: Clock) -> None:
    """Check again that the message may be sent: hooks take time, and its room or recipient may have changed."""
    if destination.said and destination.source is not None:
        for room in destination.rooms:
            if destination.source not in room and "n" in room.state.flags:
                raise NotAMember(room.name)
            if room.state.may_silence:
                require_voice(destination.source, room, clock)
    if not destination.rooms:
        for recipient in destination.recipients or ():
            if recipient.closed:
                raise NoSuchNickname(recipient.nickname or "")


def _placed_locked(run: Run, first: int, times: list[float]) -> list[Event]:
    """Return the events with consecutive ids, their times, and their source's current nickname."""
    rooms, source, said, recipients, _ = run.destination
    audience = frozenset(session.identity for session in recipients) if recipients is not None and rooms else None
    if not said or source is None:
        placed = [event._replace(id=first + at, time=times[at]) for at, event in enumerate(run.events)]
        return (
            [cast("Message", event)._replace(audience=audience) for event in placed] if audience is not None else placed
        )
    person = source.person
    nickname, userhost, account = person.nickname or "", person.userhost, person.account
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
        else:
            place = cast("Tagged", event)._replace(id=first + at, time=times[at])  # the other types of `SAID`
            own.append(place._replace(sender=nickname, userhost=userhost, account=account))
    return own
