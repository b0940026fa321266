"""Counts of people, people by user mode, and past nicknames."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from pychat.model.modes import USER_MODES
from pychat.model.names import fold
from pychat.model.queries import Ref
from pychat.model.replies import Counts, PastPerson

if TYPE_CHECKING:
    from pychat.core.people.state import PeopleState
    from pychat.core.session import Session


class Census:
    """
    Counts and indexes of people, updated with each change because everybody who connects is told the numbers.

    Every method runs under the chat's order lock.
    """

    def __init__(self) -> None:
        self.people = 0
        """The number of people with a nickname."""
        self.most = 0
        """The greatest number of people at the same time."""
        self.messages = 0
        """The number of messages from sessions that have ended."""
        self.strangers: set[Session] = set()
        """Sessions that have no nickname yet."""
        self.having: dict[str, set[Session]] = {letter: set() for letter in USER_MODES}
        """The people who have each user mode."""

    def arrive(self, session: Session) -> None:
        """Count a session that has connected."""
        if not session.closed:
            self.strangers.add(session)

    def name(self, session: Session) -> None:
        """Count a session that has got its first nickname, under which it is indexed already."""
        self.strangers.discard(session)
        self.people += 1
        self.most = max(self.most, self.people)
        self.index_modes(session)

    def index_modes(self, session: Session) -> None:
        """Count a session by its user modes, which may have changed."""
        for letter, people in self.having.items():
            if letter in session.modes:
                people.add(session)
            else:
                people.discard(session)

    def counts(self, ref: Ref, rooms: int) -> Counts:
        """Return the counts of people, with the given number of rooms."""
        invisible, operators = len(self.having["i"]), len(self.having["o"])
        return Counts(ref, self.people, invisible, operators, len(self.strangers), rooms, self.most)

    def leave(self, session: Session) -> None:
        """Remove a session that has ended."""
        self.strangers.discard(session)
        if session.nickname is not None:
            self.people -= 1
        self.messages += session.messages
        for people in self.having.values():
            people.discard(session)


class Past:
    """The most recent owners of nicknames that were given up."""

    def __init__(self, state: PeopleState) -> None:
        self._state = state

    def find(self, nickname: str, most: int) -> list[PastPerson]:
        """Return the last owners, newest first, at most `most`. Scans all entries: call this without a lock."""
        wanted = fold(nickname)
        entries = self._state.past.copy()
        return list(islice((entry.person for entry in reversed(entries) if entry.key == wanted), most))

    def identity_of(self, holder: Session | None, nickname: str, id: int) -> int | None:
        """Return the identity of whoever had a nickname at an event id; `holder` has it now. Hold the order lock."""
        if holder is not None and holder.named_at < id:
            return holder.identity
        wanted = fold(nickname)
        past = reversed(self._state.past)
        had = (entry for entry in past if entry.key == wanted and entry.began < id <= entry.ended)
        return next((entry.identity for entry in had), None)
