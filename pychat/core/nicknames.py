"""Who has which nickname: unique after folding, no look-alikes, and kept a while for one who lost the connection."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from pychat.core.clock import SYSTEM_CLOCK, Clock
from pychat.core.errors import NicknameInUse
from pychat.core.names import fold, skeleton

if TYPE_CHECKING:
    from pychat.core.masks import MaskList
    from pychat.core.session import Session


class Parked(NamedTuple):
    """What is kept of a lost session for the holder of its token."""

    nickname: str
    identity: int
    rooms: tuple[str, ...]
    away: str | None
    realname: str
    modes: str
    until: float
    """By `Clock.monotonic`."""
    knows_password: bool = True
    """Whether its holder has given the password that the server has now, if it has one."""
    account: str | None = None
    """The account that the session was logged in to."""
    ignored: MaskList | None = None
    """Whom it did not want to hear."""


class Nicknames:
    """
    The registry. Every method runs under the chat's order lock, so a nickname is checked and claimed at once.

    Plain ASCII nicknames are compared as they are (folded); as soon as one of two is not ASCII, their skeletons are
    compared as well (UTS #39 section 4), so nobody can be imitated with foreign letters.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK, dropped: Callable[[str], None] = lambda digest: None) -> None:
        """
        Args:
            dropped: Told the digest of a token that is worth nothing any more.
        """
        self._clock = clock
        self._dropped = dropped
        self._holders: dict[str, Session | Parked] = {}
        self._skeletons: dict[str, set[str]] = {}
        self._tokens: dict[str, Session] = {}
        self._parked: dict[str, Parked] = {}
        """By the digest of the token, as the others, in the order in which they expire."""

    def find(self, nickname: str) -> Session | None:
        """Return who has this nickname now."""
        holder = self._holders.get(fold(nickname))
        return None if isinstance(holder, Parked) else holder

    def sessions(self) -> list[Session]:
        """Return everybody who has a nickname."""
        return [holder for holder in self._holders.values() if not isinstance(holder, Parked)]

    def is_taken(self, nickname: str, session: Session) -> bool:
        """Whether somebody else has this nickname, or one that looks like it, or will be back for it."""
        self._drop_expired()
        key = fold(nickname)
        own = None if session.nickname is None else fold(session.nickname)
        if self._holders.get(key, session) is not session:
            return True
        alike = self._skeletons.get(skeleton(nickname), ())
        return any(other not in (key, own) and not (other.isascii() and key.isascii()) for other in alike)

    def claim(self, session: Session, nickname: str) -> None:
        """
        Give the session this nickname, instead of the one it had.

        Raises:
            NicknameInUse: Somebody else has it, or one that looks like it, or will be back for it.
        """
        if self.is_taken(nickname, session):
            raise NicknameInUse(nickname)
        if session.nickname is not None:
            self._forget(session.nickname)
        self._remember(nickname, session)
        session.nickname = nickname
        session.update_info()

    def give_token(self, session: Session, token: str) -> None:
        """Let the token, instead of any earlier one, take the session's place."""
        if session.token is not None:
            self._tokens.pop(digest_of(session.token), None)
        session.token = token
        self._tokens[digest_of(token)] = session

    def release(self, session: Session, keep_seconds: float) -> None:
        """The session is over: free its nickname now, or after `keep_seconds` if it has a token."""
        if session.token is not None:
            self._tokens.pop(digest_of(session.token), None)
        if session.nickname is None:
            return
        self._forget(session.nickname)
        if session.token is not None and keep_seconds > 0:
            until = self._clock.monotonic() + keep_seconds
            parked = Parked(
                session.nickname,
                session.identity,
                session.room_names,
                session.away,
                session.realname,
                session.modes,
                until,
                account=session.account,
                ignored=session.ignored,
            )
            self.park(digest_of(session.token), parked)

    def park(self, digest: str, parked: Parked) -> None:
        """Keep something for the holder of a token, which nobody else has."""
        self._remember(parked.nickname, parked)
        self._parked[digest] = parked

    def holder_of(self, token: str) -> Session | Parked | None:
        """Return whose place the token takes: a session that still lives, or what is kept of a lost one."""
        self._drop_expired()
        digest = digest_of(token)
        return self._tokens.get(digest) or self._parked.get(digest)

    def unpark(self, token: str) -> None:
        """Free what is kept for the token, if it is still kept."""
        self._unpark(digest_of(token))

    def free_parked(self, nickname: str) -> None:
        """Let nobody come back for this nickname."""
        holder = self._holders.get(fold(nickname))
        if isinstance(holder, Parked):
            self._unpark(next(digest for digest, parked in self._parked.items() if parked is holder))

    def log_out(self, account: str) -> list[Session]:
        """Return who is logged in to an account; who comes back is not any more."""
        for digest, parked in self._parked.items():
            if parked.account == account:
                left = self._parked[digest] = parked._replace(account=None)
                self._holders[fold(parked.nickname)] = left
        return [session for session in self.sessions() if session.account == account]

    def _unpark(self, digest: str) -> None:
        parked = self._parked.pop(digest, None)
        if parked is not None:
            self._forget(parked.nickname)
            self._dropped(digest)

    def _remember(self, nickname: str, holder: Session | Parked) -> None:
        key = fold(nickname)
        self._holders[key] = holder
        self._skeletons.setdefault(skeleton(nickname), set()).add(key)

    def _forget(self, nickname: str) -> None:
        key, looks = fold(nickname), skeleton(nickname)
        del self._holders[key]
        keys = self._skeletons[looks]
        keys.discard(key)
        if not keys:
            del self._skeletons[looks]

    def _drop_expired(self) -> None:
        """Free the nicknames of those who did not come back in time."""
        now = self._clock.monotonic()
        while self._parked:
            digest, parked = next(iter(self._parked.items()))
            if parked.until > now:
                return
            self._unpark(digest)


def new_token() -> str:
    """Return a secret that nobody can guess: 128 random bits."""
    return secrets.token_urlsafe(16)


def digest_of(token: str) -> str:
    """Return what can be kept of a token: it tells whether a token is this one, and not what it is."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
