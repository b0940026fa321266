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


class _Rate:
    """
    The generic cell rate algorithm (ITU-T I.371, annex A): when the next item of some cost may pass.

    The state of a bucket is one number, which its owner keeps: the time at which it will be full again.
    """

    __slots__ = ("_burst_seconds", "_rate")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst_seconds = burst / rate

    def passes_at(self, full_at: float, now: float, cost: float) -> float:
        """Return when this cost may pass, `now` or later."""
        return max(now, max(now, full_at) + cost / self._rate - self._burst_seconds)

    def take(self, full_at: float, now: float, cost: float) -> float:
        """Return when the bucket will be full again after a cost that passes."""
        return max(now, full_at) + cost / self._rate


class _Rates:
    """The rates that some limits allow each session."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.verbs = _Rate(limits.messages_per_second, limits.message_burst)
        """Also for work beyond the price of verbs."""
        self.bytes = _Rate(limits.bytes_per_second, limits.message_burst * limits.text_bytes)
        self.lines = _Rate(_LINES * limits.messages_per_second, _LINES_AT_ONCE * limits.message_burst)
        self.wire = _Rate(_WIRE * limits.bytes_per_second, _WIRE_AT_ONCE * limits.message_burst * limits.text_bytes)


class _Meter:
    """The buckets of one session: when each will be full again."""

    __slots__ = ("bytes", "lines", "rates", "refusals", "verbs", "wire", "work", "worked_until")

    def __init__(self, rates: _Rates) -> None:
        self.rates = rates
        self.verbs = self.bytes = self.lines = self.wire = 0.0
        self.work = 0.0
        """For work beyond the verbs' price (`Session.owes`). Separate, so that nothing is refused for it."""
        self.worked_until = 0.0
        """The end of the last delay for work."""
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

    waits = False

    _rates = _Rates(Limits())
    """Those of the limits that were used last."""

    def delay(self, session: Session, verb: verbs.Verb) -> float:
        if session.is_local:
            return 0.0
        limits = session.chat.limits
        meter = session.memo.get(self)
        if meter is None:
            meter = session.memo[self] = _Meter(self._rates_of(limits))
        cost = _cost(verb)
        if cost and session.owes:
            self._collect(session, meter)
        arrived = max(session.last_input_time, meter.worked_until)
        passes_at = self._count(session, meter, verb, arrived)
        if cost:
            size, rates = _size(verb), meter.rates
            counts_at = max(
                rates.verbs.passes_at(meter.verbs, arrived, cost), rates.bytes.passes_at(meter.bytes, arrived, size)
            )
            if counts_at - arrived > limits.delay_seconds:
                self._refuse(session, meter, arrived)
            meter.verbs = rates.verbs.take(meter.verbs, arrived, cost)
            meter.bytes = rates.bytes.take(meter.bytes, arrived, size)
            passes_at = max(passes_at, counts_at)
        return max(passes_at, meter.worked_until) - session.chat.clock.monotonic()

    def _rates_of(self, limits: Limits) -> _Rates:
        rates = self._rates
        if rates.limits is not limits:
            rates = self._rates = _Rates(limits)
        return rates

    @staticmethod
    def _count(session: Session, meter: _Meter, verb: verbs.Verb, arrived: float) -> float:
        """Charge the cost of any line, and return when it may pass."""
        size = session.uncounted + (weight(verb.items) if isinstance(verb, verbs.Answer) else 0)
        session.uncounted = 0
        rates = meter.rates
        meter.lines = rates.lines.take(meter.lines, arrived, 1)
        meter.wire = rates.wire.take(meter.wire, arrived, size)
        return max(rates.lines.passes_at(meter.lines, arrived, 0), rates.wire.passes_at(meter.wire, arrived, 0))

    @staticmethod
    def _collect(session: Session, meter: _Meter) -> None:
        """Charge the session for the work of its verbs. Input during the delay for it counts as arriving afterwards."""
        now = session.chat.clock.monotonic()
        rate = meter.rates.verbs
        meter.work = rate.take(meter.work, now, session.owes)
        session.owes = 0.0
        meter.worked_until = rate.passes_at(meter.work, now, 0)

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
