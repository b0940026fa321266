"""The registry of nicknames: unique after folding, no look-alikes, reserved for a while after a lost connection."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from pychat.core.people import changes
from pychat.core.people.index import Index
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.errors import NicknameInUse, NicknameKept
from pychat.model.names import fold, skeleton
from pychat.model.tokens import TOKEN_CHARS, digest_of

if TYPE_CHECKING:
    from pychat.core.session import Session
    from pychat.model.masks import MaskList


class Parked(NamedTuple):
    """The saved state of a lost session, for the holder of its token."""

    nickname: str
    identity: int
    rooms: tuple[str, ...]
    away: str | None
    realname: str
    modes: str
    until: float
    """When the reservation ends (`Clock.monotonic`)."""
    knows_password: bool = True
    """True if the holder has given the server's current password, or there is none."""
    account: str | None = None
    """The account that the session was logged in to."""
    ignored: MaskList | None = None
    """The session's ignore list."""
    userhost: str = ""
    """The "user@host" that it had; empty if unknown."""
    address: str = ""
    """The IP address that it came from; empty if unknown."""
    named_at: int = 0
    """The newest id when it took the nickname."""
    earlier: str | None = None
    """The digest of another token that is valid for it: see `Session.earlier`."""


class Nicknames:
    """
    The registry of nicknames. Every method runs under the chat's order lock, so checking and claiming are atomic.

    ASCII nicknames are compared after folding. If one of two is not ASCII, their skeletons are compared as well (UTS
    #39 section 4), so nobody can be imitated with foreign letters.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK, dropped: Callable[[str], None] = lambda digest: None) -> None:
        """
        Args:
            dropped: Called with the digest of each token that becomes invalid.
        """
        self._clock = clock
        self._dropped = dropped
        self._holders: dict[str, Session | Parked] = {}
        self.by_identity: dict[int, Session] = {}
        """The sessions that have a nickname. Others only read it, and need no lock."""
        self._skeletons: Index[str] = Index()
        self._tokens: dict[str, Session] = {}
        self._parked: dict[str, Parked] = {}
        """Reserved nicknames by the digest of the token, in the order in which they expire."""
        self._earlier: dict[str, str] = {}
        """The current digest for the digest of an earlier token."""

    def find(self, nickname: str) -> Session | None:
        """Return the session that has this nickname."""
        holder = self._holders.get(fold(nickname))
        return None if isinstance(holder, Parked) else holder

    def get(self, identity: int) -> Session | None:
        """Return the session with a nickname that has this identity. Needs no lock."""
        return self.by_identity.get(identity)

    def identify(self, session: Session, identity: int) -> None:
        """Give a session that has a nickname the identity of the lost session that it resumes."""
        del self.by_identity[session.identity]
        changes.set_identity(session.person, identity)
        self.by_identity[identity] = session

    def sessions(self) -> list[Session]:
        """Return all sessions that have a nickname."""
        return [holder for holder in self._holders.values() if not isinstance(holder, Parked)]

    def require_free(self, nickname: str, session: Session) -> None:
        """
        Check that nobody else has this nickname or one that looks like it.

        Raises:
            NicknameInUse: If somebody has it. `NicknameKept` if it is only reserved for a lost session.
        """
        self._drop_expired()
        key = fold(nickname)
        own = None if session.nickname is None else fold(session.nickname)
        alike = self._skeletons.get(skeleton(nickname))
        others = [other for other in alike if other not in (key, own) and not (other.isascii() and key.isascii())]
        holders = [self._holders[other] for other in others]
        if self._holders.get(key, session) is not session:
            holders.append(self._holders[key])
        kept = [holder.until for holder in holders if isinstance(holder, Parked)]
        if len(kept) < len(holders):
            raise NicknameInUse(nickname)
        if kept:
            raise NicknameKept(nickname, math.ceil(max(kept) - self._clock.monotonic()))

    def claim(self, session: Session, nickname: str) -> None:
        """
        Give the session this nickname instead of its old one.

        Raises:
            NicknameInUse: See `require_free`.
        """
        self.require_free(nickname, session)
        if session.nickname is not None:
            self._forget(session.nickname)
        self._remember(nickname, session)
        self.by_identity[session.identity] = session
        changes.set_nickname(session.person, nickname)
        session.update_info()

    def give_token(self, session: Session, token: str, earlier: str | None = None) -> None:
        """
        Register the token of a session.

        Args:
            earlier: The token it came with, from its last session or made by the client. It is valid, too, until the
                client has shown that it has the new one, because the welcome may be lost. Ignored if it is short enough
                to be guessed, or belongs to somebody else.
        """
        if session.token is not None:
            self._tokens.pop(digest_of(session.token), None)
        session.token = token
        self._tokens[digest_of(token)] = session
        session.welcomed = self._clock.monotonic()
        if earlier is not None and len(earlier) >= TOKEN_CHARS and self.holder_of(earlier) is None:
            session.earlier = digest_of(earlier)
            self._tokens[session.earlier] = session

    def release(self, session: Session, keep_seconds: float) -> None:
        """Free the nickname of an ended session now, or after `keep_seconds` if it has a token."""
        earlier, session.earlier = session.earlier, None
        if earlier is not None:
            self._tokens.pop(earlier, None)
        if session.token is not None:
            self._tokens.pop(digest_of(session.token), None)
        if session.nickname is None:
            return
        self._forget(session.nickname)
        self.by_identity.pop(session.identity, None)
        if session.token is not None and keep_seconds > 0:
            until = self._clock.monotonic() + keep_seconds
            parked = Parked(
                session.nickname,
                session.identity,
                tuple(dict.fromkeys((*session.room_names, *session.coming))),
                session.away,
                session.realname,
                session.modes,
                until,
                account=session.account,
                ignored=session.ignored,
                userhost=session.userhost,
                address=session.address,
                named_at=session.named_at,
                earlier=None if session.knows_token else earlier,
            )
            self.park(digest_of(session.token), parked)

    def park(self, digest: str, parked: Parked) -> None:
        """Reserve a nickname for the holder of a token; it must be free."""
        self._remember(parked.nickname, parked)
        self._parked[digest] = parked
        if parked.earlier is not None:
            self._earlier[parked.earlier] = digest

    def holder_of(self, token: str) -> Session | Parked | None:
        """Return the owner of the token: a live session, or the saved state of a lost one."""
        self._drop_expired()
        digest = digest_of(token)
        session = self._tokens.get(digest)
        if session is not None and session.earlier == digest and session.knows_token:
            del self._tokens[digest]
            session.earlier = None
            return None
        return session or self._parked.get(self._earlier.get(digest, digest))

    def parked(self) -> list[tuple[str, Parked]]:
        """Return the saved states, each with the digest of its token."""
        self._drop_expired()
        return list(self._parked.items())

    def unpark(self, token: str) -> bool:
        """Drop the saved state of the token; return False if there is none any more."""
        digest = digest_of(token)
        return self.drop_parked(self._earlier.get(digest, digest))

    def free_parked(self, nickname: str) -> None:
        """Drop the reservation of this nickname."""
        holder = self._holders.get(fold(nickname))
        if isinstance(holder, Parked):
            self.drop_parked(next(digest for digest, parked in self._parked.items() if parked is holder))

    def log_out_parked(self, account: str) -> None:
        """Log out lost sessions from the account, so that they come back as guests."""
        for digest, parked in self._parked.items():
            if parked.account is not None and fold(parked.account) == fold(account):
                left = self._parked[digest] = parked._replace(account=None)
                self._holders[fold(parked.nickname)] = left

    def drop_parked(self, digest: str) -> bool:
        """Drop the saved state of a token's digest; return False if there is none."""
        parked = self._parked.pop(digest, None)
        if parked is None:
            return False
        if parked.earlier is not None:
            self._earlier.pop(parked.earlier, None)
        self._forget(parked.nickname)
        self._dropped(digest)
        return True

    def _remember(self, nickname: str, holder: Session | Parked) -> None:
        key = fold(nickname)
        self._holders[key] = holder
        self._skeletons.add(skeleton(nickname), key)

    def _forget(self, nickname: str) -> None:
        key = fold(nickname)
        del self._holders[key]
        self._skeletons.discard(skeleton(nickname), key)

    def _drop_expired(self) -> None:
        """Drop the reservations that have expired."""
        now = self._clock.monotonic()
        while self._parked:
            digest, parked = next(iter(self._parked.items()))
            if parked.until > now:
                return
            self.drop_parked(digest)
