"""The sessions of this server by nickname, identity and token: the shared state has only what others know of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.core.people.state import Parked, PeopleState, Person
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.tokens import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pychat.core.session import Session


class Nicknames:
    """The sessions that have a nickname. Every method runs under the chat's order lock, unless it says otherwise."""

    def __init__(self, state: PeopleState, clock: Clock = SYSTEM_CLOCK) -> None:
        self._state = state
        self._clock = clock
        self.by_identity: dict[int, Session] = {}
        """Others only read it, and need no lock."""

    def find(self, nickname: str) -> Session | None:
        """Return the session that has this nickname."""
        person = self._state.find(nickname)
        return None if person is None else self.by_identity.get(person.identity)

    def get(self, identity: int) -> Session | None:
        """Return the session with a nickname that has this identity. Needs no lock."""
        return self.by_identity.get(identity)

    def of(self, people: Iterable[Person]) -> list[Session]:
        """Return the sessions of people."""
        found = [self.by_identity.get(person.identity) for person in people]
        return [session for session in found if session is not None]

    def sessions(self) -> list[Session]:
        """Return all sessions that have a nickname."""
        return self.of([holder for holder in self._state.holders.values() if type(holder) is Person])

    def require_free(self, nickname: str, session: Session) -> None:
        """
        Check that nobody else has this nickname or one that looks like it.

        Raises:
            NicknameInUse: If somebody has it. `NicknameKept` if it is only reserved for a lost session.
        """
        self._state.require_free(nickname, session.person, self._clock.monotonic())

    def holder_of(self, token: str) -> Session | Parked | None:
        """Return the owner of the token: a live session, or the saved state of a lost one."""
        digest = digest_of(token)
        holder = self._state.holder_of(digest, self._clock.monotonic())
        if not isinstance(holder, Person):
            return holder
        session = self.by_identity.get(holder.identity)
        if session is not None and holder.earlier_digest == digest and session.knows_token:
            return None  # its client has the newer token, so this one is not valid any more
        return session

    def with_earlier(self, digest: str) -> Session | None:
        """Return the session that had the token with this digest before its newest one. Needs no lock."""
        person = self._state.tokens.get(digest)
        earlier = person is not None and person.earlier_digest == digest
        return self.by_identity.get(person.identity) if person is not None and earlier else None
