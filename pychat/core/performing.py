"""Performing the verbs of a session: permission, handlers, and the verb's function, one verb after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from pychat.core.hooks.chains import longest_delay, run_before
from pychat.core.messages.actions import failure_of
from pychat.core.order import CAUSED_BYTES
from pychat.core.session import Session
from pychat.core.verb_table import authorize
from pychat.model.errors import Refused, refusal
from pychat.model.verbs import SayAll, Verb


class Rest(NamedTuple):
    """Why the next verb is not performed yet."""

    seconds: float | None
    """The delay that a handler wants (`Handler.delay`); None: until what the session caused has been sent."""


class Work:
    """The verbs that a session has sent and that are not performed yet, in order. Used by one thread at a time."""

    __slots__ = ("_verbs", "delayed")

    def __init__(self, verbs: Iterable[Verb]) -> None:
        self._verbs: Iterator[Verb] = iter(verbs)
        self.delayed: Verb | None = None
        """The next verb, if handlers have already been asked for its delay."""

    def next(self) -> Verb | None:
        """Take the next verb that is not delayed; None if there is none."""
        return next(self._verbs, None)

    def put_first(self, verbs: Iterable[Verb]) -> None:
        """Put verbs before the others."""
        self._verbs = chain(verbs, self._verbs)


def perform_some(session: Session, work: Work) -> Rest | None:
    """
    Perform verbs on the calling thread until none is left, or the session must wait before the next one.

    Returns:
        Why it must wait: call this again afterwards. None if nothing is left.
    """
    chat = session.chat
    order, turn = chat.order, chat.order.turn
    outer, turn.session = turn.session, session
    outer_answering, turn.answering = turn.answering, None
    try:
        while session.is_here:
            if session.caused > CAUSED_BYTES and order.must_rest(session):
                return Rest(None)
            verb, work.delayed = work.delayed, None
            is_due = verb is not None
            if verb is None and (verb := work.next()) is None:
                break
            try:
                seconds = _perform(session, verb, work, is_due=is_due)
            except Refused as error:
                if session.disconnect_reason is None:  # else it was already told that it ends
                    chat.send(session, failure_of(session, verb, error))
            else:
                if seconds > 0:
                    work.delayed = verb
                    return Rest(seconds)
        return None
    finally:
        turn.session, turn.answering, turn.checked = outer, outer_answering, None
        order.flush()
        chat.audit.write()


def _perform(session: Session, verb: Verb, work: Work, *, is_due: bool) -> float:
    """Perform a verb, unless it has to be put off: return the seconds."""
    chat = session.chat
    if chat.stopping.is_set():
        raise refusal("the server is shutting down", code="shutting_down")
    rule = authorize(session, verb)
    chains = chat.chains
    if type(verb) is not SayAll:  # which becomes one Say each, if a handler wants to see them
        if chains.verb_waits:
            chat.order.flush()
        if chains.delay and not is_due:
            seconds = longest_delay(chains.delay, session, verb)
            if seconds > 0:
                return seconds
        if chains.before_verb:
            run_before(chains.before_verb, session, verb)
        if not session.is_here:
            return 0.0
    instead = rule.do(chat, session, verb)
    if instead:
        work.put_first(instead)
    return 0.0
