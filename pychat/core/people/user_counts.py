"""How many people there are, who of them has which user mode, and who was here."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from pychat.core.people.directory import Directory
from pychat.model.clock import Clock
from pychat.model.modes import USER_MODES
from pychat.model.names import fold
from pychat.model.queries import Ref
from pychat.model.replies import Counts, PastPerson

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.history.log import Log
    from pychat.core.session import Session


class Census:
    """
    The people of a chat, counted as they change, because everybody who comes in is told how many there are.

    Every method runs under the chat's order lock.
    """

    def __init__(self) -> None:
        self.directory = Directory()
        self.people = 0
        """Who has a nickname."""
        self.most = 0
        self.messages = 0
        """How many those have said who are gone."""
        """The most of them that there were at the same time."""
        self.strangers: set[Session] = set()
        """Who has come and has no nickname yet."""
        self.having: dict[str, set[Session]] = {letter: set() for letter in USER_MODES}
        """For each user mode the people who have it."""

    def arrive(self, session: Session) -> None:
        """The session is open."""
        if not session.closed:
            self.strangers.add(session)

    def name(self, session: Session) -> None:
        """The session has its first nickname."""
        self.strangers.discard(session)
        self.people += 1
        self.most = max(self.most, self.people)
        self.set_modes(session, session.modes)

    def set_modes(self, session: Session, letters: Collection[str]) -> None:
        """Let a session that has a nickname have these user modes."""
        session.modes = "".join(sorted(letters))
        for letter, people in self.having.items():
            if letter in letters:
                people.add(session)
            else:
                people.discard(session)

    def counts(self, ref: Ref, rooms: int) -> Counts:
        """Return how many people there are, and so many rooms."""
        invisible, operators = len(self.having["i"]), len(self.having["o"])
        return Counts(ref, self.people, invisible, operators, len(self.strangers), rooms, self.most)

    def leave(self, session: Session) -> None:
        """The session is over."""
        self.directory.remove(session)
        self.strangers.discard(session)
        if session.nickname is not None:
            self.people -= 1
        self.messages += session.messages
        for people in self.having.values():
            people.discard(session)


def everybody_locked(chat: Chat) -> list[Session]:
    """Return all who are here, also those who have no nickname yet. Under the chat's order lock."""
    return [*chat.census.strangers, *chat.nicknames.sessions()]


class _Entry(NamedTuple):
    """Somebody who was called so."""

    key: str
    person: PastPerson
    identity: int
    began: int
    """The newest id when the nickname was taken."""
    ended: int
    """And when it was given up."""


class Past:
    """Who had which nickname, the last ones."""

    KEPT: Final = 1000

    def __init__(self, clock: Clock, log: Log) -> None:
        self._clock = clock
        self._log = log
        self._entries: deque[_Entry] = deque(maxlen=self.KEPT)

    def add(self, session: Session, nickname: str) -> None:
        """The session does not have this nickname any more. Under the chat's order lock."""
        person = PastPerson(nickname, session.userhost, session.realname, self._clock.time())
        entry = _Entry(fold(nickname), person, session.identity, session.named_at, self._log.last_id())
        self._entries.append(entry)

    def find(self, nickname: str, most: int) -> list[PastPerson]:
        """Return who had it, at most so many, the last one first. All of them are looked at: without a lock."""
        wanted = fold(nickname)
        entries = self._entries.copy()
        return list(islice((entry.person for entry in reversed(entries) if entry.key == wanted), most))

    def identity_of(self, holder: Session | None, nickname: str, id: int) -> int | None:
        """Return who had a nickname when an event with this id happened; `holder` has it now. Under the order lock."""
        if holder is not None and holder.named_at < id:
            return holder.identity
        wanted = fold(nickname)
        had = (entry for entry in reversed(self._entries) if entry.key == wanted and entry.began < id <= entry.ended)
        return next((entry.identity for entry in had), None)
