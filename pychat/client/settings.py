"""
What a client has asked its server to remember for it: that it is away, and whom it ignores.

A server remembers that as long as it keeps the session. To one that has forgotten it, it is said again; to one that has
not, saying it changes nothing.
"""

from __future__ import annotations

from pychat.model.ignored import Ignored, ListIgnored, SetIgnored
from pychat.model.replies import Ok
from pychat.model.verbs import SetAway, Verb
from pychat.protocols.base import Item


class OurSettings:
    """Guarded by the lock of the `Lifeline`, whose thread calls it."""

    def __init__(self) -> None:
        self._away: str | None = None
        self._ignored: tuple[str, ...] = ()

    def hear_answer(self, verb: Verb, answer: Item) -> None:
        """Take the answer to something that we have asked for."""
        match answer, verb:
            case Ok(), SetAway():
                self._away = verb.text
            case Ignored(), SetIgnored() | ListIgnored():
                self._ignored = answer.masks

    def verbs(self) -> list[Verb]:
        """Return what tells all of it."""
        away = [] if self._away is None else [SetAway(self._away)]
        return [*away, *[SetIgnored((mask,)) for mask in self._ignored]]
