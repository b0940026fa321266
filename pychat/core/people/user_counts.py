"""Counts of people, people by user mode, and past nicknames."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from pychat.core.people.directory import Directory
from pychat.model.clock import Clock
from pychat.model.hostmask import Hostmask
from pychat.model.modes import USER_MODES
from pychat.model.names import fold
from pychat.model.queries import Ref
from pychat.model.replies import Counts, PastPerson

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.log.log import Log
    from pychat.core.session import Session


class Census:
    """
    Counts and indexes of people, updated with each change because everybody who connects is told the numbers.

    Every method runs under the chat's order lock.
    """

    def __init__(self) -> None:
        self.directory = Directory()
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

    def index(self, session: Session, before: Hostmask) -> None:
        """Update the indexes after a change of a profile; `before` has the texts that it had."""
        if session.nickname is not None and not session.closed:
            self.directory.update(session, before, session.hostmask)
            self._index_modes(session)

    def _index_modes(self, session: Session) -> None:
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
        self.directory.remove(session)
        self.strangers.discard(session)
        if session.nickname is not None:
            self.people -= 1
        self.messages += session.messages
        for people in self.having.values():
            people.discard(session)


def everybody_locked(chat: Chat) -> list[Session]:
    """Return all sessions, also those without a nickname. Hold the chat's order lock."""
    return [*chat.census.strangers, *chat.nicknames.sessions()]


class _Entry(NamedTuple):
    """A person who had a nickname in the past."""

    key: str
    person: PastPerson
    identity: int
    began: int
    """The newest id when the nickname was taken."""
    ended: int
    """The newest id when it was given up."""


class Past:
    """The most recent owners of nicknames that were given up."""

    KEPT: Final = 1000

    def __init__(self, clock: Clock, log: Log) -> None:
        self._clock = clock
        self._log = log
        self._entries: deque[_Entry] = deque(maxlen=self.KEPT)

    def add(self, session: Session, nickname: str) -> None:
        """Record that the session has given up this nickname. Hold the chat's order lock."""
        person = PastPerson(nickname, session.userhost, session.realname, self._clock.time())
        entry = _Entry(fold(nickname), person, session.identity, session.named_at, self._log.last_id())
        self._entries.append(entry)

    def find(self, nickname: str, most: int) -> list[PastPerson]:
        """Return the last owners, newest first, at most `most`. Scans all entries: call this without a lock."""
        wanted = fold(nickname)
        entries = self._entries.copy()
        return list(islice((entry.person for entry in reversed(entries) if entry.key == wanted), most))

    def identity_of(self, holder: Session | None, nickname: str, id: int) -> int | None:
        """Return the identity of whoever had a nickname at an event id; `holder` has it now. Hold the order lock."""
        if holder is not None and holder.named_at < id:
            return holder.identity
        wanted = fold(nickname)
        had = (entry for entry in reversed(self._entries) if entry.key == wanted and entry.began < id <= entry.ended)
        return next((entry.identity for entry in had), None)
