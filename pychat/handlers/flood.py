"""Flood control: a token bucket for each session."""

from __future__ import annotations

from collections import deque
from typing import Final

from pychat.core.delivery import weight
from pychat.core.handler import Handler
from pychat.core.session import Session
from pychat.core.verb_table import VERBS
from pychat.model import queries, verbs
from pychat.model.errors import refusal
from pychat.model.limits import Limits

_LINES_AT_ONCE: Final = 20
_LINES: Final = 10
"""The limit for lines of any kind, as a multiple of that for messages, at once and per second. More are delayed."""
_WIRE_AT_ONCE: Final = 4
_WIRE: Final = 2
"""The same for bytes: all bytes that arrive, and the answers a protocol gives itself."""


class _Bucket:
    """
    The generic cell rate algorithm (ITU-T I.371, annex A): when the next item of some cost may pass.

    `full_at`, the time at which the bucket will be full again, is the whole state.
    """

    __slots__ = ("_burst_seconds", "_rate", "full_at")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst_seconds = burst / rate
        self.full_at = 0.0

    def passes_at(self, now: float, cost: float) -> float:
        """Return when this cost may pass, `now` or later."""
        return max(now, max(now, self.full_at) + cost / self._rate - self._burst_seconds)

    def take(self, now: float, cost: float) -> None:
        """Charge a cost that passes."""
        self.full_at = max(now, self.full_at) + cost / self._rate


class _Meter:
    """The buckets of one session."""

    __slots__ = ("bytes", "lines", "refusals", "verbs", "wire", "work", "worked_until")

    def __init__(self, limits: Limits) -> None:
        self.verbs = _Bucket(limits.messages_per_second, limits.message_burst)
        self.work = _Bucket(limits.messages_per_second, limits.message_burst)
        """For work beyond the verbs' price (`Session.owes`). Separate, so that nothing is refused for it."""
        self.worked_until = 0.0
        """The end of the last delay for work."""
        self.bytes = _Bucket(limits.bytes_per_second, limits.message_burst * limits.text_bytes)
        self.lines = _Bucket(_LINES * limits.messages_per_second, _LINES_AT_ONCE * limits.message_burst)
        self.wire = _Bucket(_WIRE * limits.bytes_per_second, _WIRE_AT_ONCE * limits.message_burst * limits.text_bytes)
        self.refusals: deque[float] | None = None
        """The times of the last refusals; most sessions have none."""


def _cost(verb: verbs.Verb) -> float:
    if isinstance(verb, queries.ListPeople) and verb.room is None:  # everybody on the server is scanned
        return 1
    return VERBS[type(verb)].cost


def _size(verb: verbs.Verb) -> int:
    if isinstance(verb, verbs.Say | verbs.Direct):
        return len(verb.text.encode(errors="replace")) + len(verb.tags)
    return len(verb.tags) if isinstance(verb, verbs.Tag) else 0


class FloodControl(Handler):
    """
    Delay sessions that send too fast, then refuse, then disconnect; a pasted block of ten lines passes at once.

    The rates are those of `Limits`. They count from the arrival of the input, and a delayed session is not read. So a
    paste is sent line by line without loss, until one of the lines that arrived together would be delayed over
    `Limits.delay_seconds`: that one is refused. Queries and joins cost less than messages to others.

    Everything a peer sends has a price, even if nobody else sees it. Its limit is much higher; input over it is delayed
    and never refused. Sessions of the program itself are never delayed.

    A verb that used much CPU time costs more than its price (`core/price.py`). The session is delayed for that before
    its next verb, at the same rate and after the same burst; nothing is refused for it.
    """

    waits = False  # it does wait, but `Session.pause` flushes first

    def before_verb(self, session: Session, verb: verbs.Verb) -> None:
        if session.is_local:
            return
        limits = session.chat.limits
        meter = session.memo.get(self)
        if meter is None:
            meter = session.memo[self] = _Meter(limits)
        cost = _cost(verb)
        if cost and session.owes:
            self._collect(session, meter)
        arrived = max(session.last_input_time, meter.worked_until)
        passes_at = self._count(session, meter, verb, arrived)
        if cost:
            size = _size(verb)
            counts_at = max(meter.verbs.passes_at(arrived, cost), meter.bytes.passes_at(arrived, size))
            if counts_at - arrived > limits.delay_seconds:
                self._refuse(session, meter, arrived)
            meter.verbs.take(arrived, cost)
            meter.bytes.take(arrived, size)
            passes_at = max(passes_at, counts_at)
        if passes_at > arrived:
            wait = passes_at - session.chat.clock.monotonic()
            if wait > 0:
                session.pause(wait)

    @staticmethod
    def _count(session: Session, meter: _Meter, verb: verbs.Verb, arrived: float) -> float:
        """Charge the cost of any line, and return when it may pass."""
        size = session.uncounted + (weight(verb.items) if isinstance(verb, verbs.Answer) else 0)
        session.uncounted = 0
        meter.lines.take(arrived, 1)
        meter.wire.take(arrived, size)
        return max(meter.lines.passes_at(arrived, 0), meter.wire.passes_at(arrived, 0))

    @staticmethod
    def _collect(session: Session, meter: _Meter) -> None:
        """Delay the session for the work of its verbs. Input that arrives meanwhile counts as arriving afterwards."""
        clock = session.chat.clock
        now = clock.monotonic()
        meter.work.take(now, session.owes)
        session.owes = 0.0
        meter.worked_until = meter.work.passes_at(now, 0)
        if meter.worked_until > now:
            session.pause(meter.worked_until - now)

    def _refuse(self, session: Session, meter: _Meter, now: float) -> None:
        limits = session.chat.limits
        refusals = meter.refusals = meter.refusals or deque(maxlen=limits.refusals_per_minute)
        refusals.append(now)
        if len(refusals) == refusals.maxlen and now - refusals[0] < 60:
            session.disconnect_self("flooding")
        raise refusal(
            f"too fast: at most {limits.message_burst} at once, then {limits.messages_per_second:g} a second",
            code="flood",
        )
