"""Nobody talks faster than people read: a token bucket for each session."""

from __future__ import annotations

from collections import deque
from typing import Final

from pychat.core.delivery import weight
from pychat.core.handler import Handler
from pychat.core.session import Session
from pychat.core.verb_table import VERBS
from pychat.model import queries, verbs
from pychat.model.errors import Refused
from pychat.model.limits import Limits

_LINES_AT_ONCE: Final = 20
_LINES: Final = 10
"""How many times as many lines of any kind pass as messages, at once and each second. Those over it are held back."""
_WIRE_AT_ONCE: Final = 4
_WIRE: Final = 2
"""The same of bytes: of all that arrives, and of what a language answers by itself."""


class _Bucket:
    """
    When the next thing of some cost may pass: the generic cell rate algorithm (ITU-T I.371, annex A).

    `full_at` is the time at which the bucket will be full again; it is the whole state.
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
        """It passes."""
        self.full_at = max(now, self.full_at) + cost / self._rate


class _Meter:
    """What one session has used up."""

    __slots__ = ("bytes", "lines", "refusals", "verbs", "wire", "work", "worked_until")

    def __init__(self, limits: Limits) -> None:
        self.verbs = _Bucket(limits.messages_per_second, limits.message_burst)
        self.work = _Bucket(limits.messages_per_second, limits.message_burst)
        """What its verbs cost beyond their price (`Session.owes`): apart, so that nothing is refused for it."""
        self.worked_until = 0.0
        """Until when it had to wait for that."""
        self.bytes = _Bucket(limits.bytes_per_second, limits.message_burst * limits.text_bytes)
        self.lines = _Bucket(_LINES * limits.messages_per_second, _LINES_AT_ONCE * limits.message_burst)
        self.wire = _Bucket(_WIRE * limits.bytes_per_second, _WIRE_AT_ONCE * limits.message_burst * limits.text_bytes)
        self.refusals: deque[float] | None = None
        """When the last ones were; most sessions have none."""


def _cost(verb: verbs.Verb) -> float:
    if isinstance(verb, queries.ListPeople) and verb.room is None:  # everybody on the server is looked at
        return 1
    return VERBS[type(verb)].cost


def _size(verb: verbs.Verb) -> int:
    if isinstance(verb, verbs.Say | verbs.Direct):
        return len(verb.text.encode(errors="replace")) + len(verb.tags)
    return len(verb.tags) if isinstance(verb, verbs.Tag) else 0


class FloodControl(Handler):
    """
    Hold back sessions that send too fast, then refuse, then disconnect; a pasted block of ten lines passes at once.

    The rates are those of `Limits`. They count from the moment at which input arrived, and a session that waits is not
    read. So a paste is said line by line, and nothing of it is lost, until one of the lines that came together would
    wait over `Limits.delay_seconds`: that one is refused. What only asks, or comes into a room, counts less than what
    others hear.

    Whatever a peer sends has a price, also what nobody hears of. There is much more room for that, and what is over it
    is held back and never refused. Sessions of the program itself are never held back.

    A verb that kept a processor busy costs more than its price (`core/price.py`). The session waits for that, at the
    same rate and behind the same burst, before its next verb; nothing is refused for it.
    """

    waits = False  # it does, but `Session.pause` sends out first what was said before

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
        arrived = max(session.heard, meter.worked_until)
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
        """Count what any line costs, and return when it may pass."""
        size = session.uncounted + (weight(verb.items) if isinstance(verb, verbs.Answer) else 0)
        session.uncounted = 0
        meter.lines.take(arrived, 1)
        meter.wire.take(arrived, size)
        return max(meter.lines.passes_at(arrived, 0), meter.wire.passes_at(arrived, 0))

    @staticmethod
    def _collect(session: Session, meter: _Meter) -> None:
        """Let the session wait for what its verbs have cost. What comes meanwhile counts as if it came afterwards."""
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
            session.end("flooding")
        raise Refused(
            f"too fast: at most {limits.message_burst} at once, then {limits.messages_per_second:g} a second",
            code="flood",
        )
