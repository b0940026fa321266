"""How many people there are, who of them has which user mode, and who was here."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from itertools import islice
from typing import TYPE_CHECKING, Final

from pychat.core.clock import Clock
from pychat.core.names import fold
from pychat.core.replies import PastPerson

if TYPE_CHECKING:
    from pychat.core.session import Session

USER_MODES: Final = "Biow"
"""
What a person can be (modern.ircdocs.horse, "User Modes"): `B` a bot, `i` invisible to strangers, `o` a server
operator, `w` one who wants to hear from server operators.
"""


class Census:
    """
    The people of a chat, counted as they change, because everybody who comes in is told how many there are.

    Every method runs under the chat's order lock.
    """

    def __init__(self) -> None:
        self.people = 0
        """Who has a nickname."""
        self.most = 0
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

    def leave(self, session: Session) -> None:
        """The session is over."""
        self.strangers.discard(session)
        if session.nickname is not None:
            self.people -= 1
        for people in self.having.values():
            people.discard(session)


class Past:
    """Who had which nickname, the last ones. Every method runs under the chat's order lock."""

    KEPT: Final = 1000

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: deque[tuple[str, PastPerson]] = deque(maxlen=self.KEPT)

    def add(self, session: Session, nickname: str) -> None:
        """The session does not have this nickname any more."""
        person = PastPerson(nickname, session.userhost, session.realname, self._clock.time())
        self._entries.append((fold(nickname), person))

    def find(self, nickname: str, most: int) -> list[PastPerson]:
        """Return who had it, at most so many, the last one first."""
        wanted = fold(nickname)
        return list(islice((person for key, person in reversed(self._entries) if key == wanted), most))
