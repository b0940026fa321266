"""Nobody talks faster than people read: a token bucket for each session."""

from __future__ import annotations

from collections import deque
from typing import Final, get_args

from pychat.core import queries, verbs
from pychat.core.errors import Refused
from pychat.core.handler import Handler
from pychat.core.limits import Limits
from pychat.core.session import Session

_COSTS: Final[dict[type[object], float]] = {
    verbs.Quit: 0,
    verbs.Ping: 0,
    verbs.Pong: 0,
    verbs.Answer: 0,  # the language has made it itself; what it costs to send is the transport's matter
    verbs.Join: 0.5,
    verbs.Kick: 0.5,
    verbs.SetModes: 0.5,
    verbs.SetUserModes: 0.5,
    verbs.Watch: 0.5,
    **dict.fromkeys(get_args(queries.Query), 0.25),
}
"""What a verb takes of the burst, if it is not 1: a client that comes into ten rooms asks a lot and is no flood."""
_PATIENCE: Final = 5
"""
How many times `Limits.delay_seconds` such a verb may be held back, for nobody else hears of it while it waits: programs
that come back into all their rooms ask all they want to know at once, and do not ask again for what was refused.
"""


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

    __slots__ = ("bytes", "refusals", "verbs")

    def __init__(self, limits: Limits) -> None:
        self.verbs = _Bucket(limits.messages_per_second, limits.message_burst)
        self.bytes = _Bucket(limits.bytes_per_second, limits.message_burst * limits.text_bytes)
        self.refusals: deque[float] | None = None
        """When the last ones were; most sessions have none."""


def _cost(verb: verbs.Verb) -> float:
    if isinstance(verb, queries.ListPeople) and verb.room is None:  # everybody on the server is looked at
        return 1
    return _COSTS.get(type(verb), 1)


def _size(verb: verbs.Verb) -> int:
    if isinstance(verb, verbs.Say | verbs.Direct):
        return len(verb.text.encode(errors="replace")) + len(verb.tags)
    return len(verb.tags) if isinstance(verb, verbs.Tag) else 0


class FloodControl(Handler):
    """
    Hold back who sends too fast, then refuse, then disconnect; a pasted block of ten lines passes at once.

    The rates are those of `Limits`. They count from the moment at which input arrived, so lines that came together
    are held back longer and longer until one would wait over `Limits.delay_seconds`, and that one is refused. What only
    asks, or comes into a room, counts less than what others hear, and waits longer before it is refused.
    """

    waits = False  # it does, but `Session.pause` sends out first what was said before

    def before_verb(self, session: Session, verb: verbs.Verb) -> None:
        cost = _cost(verb)
        if not cost:
            return
        limits = session.chat.limits
        meter = session.memo.get(self)
        if meter is None:
            meter = session.memo[self] = _Meter(limits)
        arrived = session.heard
        size = _size(verb)
        passes_at = max(meter.verbs.passes_at(arrived, cost), meter.bytes.passes_at(arrived, size))
        if passes_at - arrived > limits.delay_seconds * (1 if cost >= 1 else _PATIENCE):
            self._refuse(session, meter, arrived)
        meter.verbs.take(arrived, cost)
        meter.bytes.take(arrived, size)
        if passes_at > arrived:
            wait = passes_at - session.chat.clock.monotonic()
            if wait > 0:
                session.pause(wait)

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
