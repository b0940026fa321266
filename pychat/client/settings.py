"""
Settings that a client has on its server: its away text and its ignored masks.

A server remembers them as long as it keeps the session. They are sent again after a reconnect, which changes nothing if
the server still has them.
"""

from __future__ import annotations

from pychat.model.replies import Ignored, Ok
from pychat.model.verbs import ListIgnored, SetAway, SetIgnored, Verb
from pychat.protocols.base import Item


class OurSettings:
    """Guarded by the lock of the `ReconnectingWire`, whose thread calls it."""

    def __init__(self) -> None:
        self._away: str | None = None
        self._ignored: tuple[str, ...] = ()

    def hear_answer(self, verb: Verb, answer: Item) -> None:
        """Record the settings from the answer to a request."""
        match answer, verb:
            case Ok(), SetAway():
                self._away = verb.text
            case Ignored(), SetIgnored() | ListIgnored():
                self._ignored = answer.masks

    def verbs(self) -> list[Verb]:
        """Return the verbs that restore all settings."""
        away = [] if self._away is None else [SetAway(self._away)]
        return [*away, *[SetIgnored((mask,)) for mask in self._ignored]]
