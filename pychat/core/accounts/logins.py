"""
What the chat knows about logins: how often they failed, from where they were good, and which are out of date.

To check a password takes time, and an exchange of SASL takes as long as the client likes; meanwhile the account may get
another password, be deleted, or be somebody else's. So what a check returns is a `Proof`, which names the generation
that the account had when the check began, and whoever uses it looks again, under the order lock: `require_locked`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from pychat.core.accounts.base import BadCredentials
from pychat.core.accounts.rate_limit import Attempts
from pychat.core.moderation.server_bans import BannedFromServer
from pychat.model.clock import Clock
from pychat.model.errors import Refused
from pychat.model.limits import Limits
from pychat.model.names import fold

if TYPE_CHECKING:
    from pychat.core.chat import Chat

_MOST_REMEMBERED: Final = 10_000
"""Accounts whose last change is remembered; names of which it is remembered from where they logged in last."""


class AccountInUse(Refused):
    """Its password is being changed, or it is being deleted, by somebody else."""

    code = "busy"

    def __init__(self) -> None:
        super().__init__("the account is being changed at this moment; try again")


class Proof(NamedTuple):
    """That somebody has proved to be the owner of an account."""

    account: str
    """As its name is shown."""
    moment: int
    """`Logins.moment` from before the check."""


class Logins:
    """All that is not said to be otherwise runs under the chat's order lock."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self.attempts = Attempts(limits.login_attempts_per_minute, 60.0, clock)
        """Thread-safe."""
        self.registrations = Attempts(limits.registrations_per_10_minutes, 600.0, clock)
        """Thread-safe."""
        self.moment = 0
        """How many changes of accounts there have been. May be read without the lock."""
        self._changed: dict[str, int] = {}
        """The moment of the last change of each account, by folded name, the oldest first."""
        self._forgotten = 0
        """Changes up to this moment may be those of any account."""
        self._changing: set[str] = set()
        self._places: dict[Hashable, Hashable] = {}

    def limit(self, limits: Limits) -> None:
        """From now on these are the limits. Needs no lock."""
        self.attempts.most = limits.login_attempts_per_minute
        self.registrations.most = limits.registrations_per_10_minutes

    # Generations

    def change_locked(self, account: str) -> None:
        """An account has another password now, or is another one: what was proved before is worth nothing."""
        self.moment += 1
        self._changed.pop(fold(account), None)
        self._changed[fold(account)] = self.moment
        if len(self._changed) > _MOST_REMEMBERED:
            self._forgotten = self._changed.pop(next(iter(self._changed)))

    def has_changed_locked(self, account: str) -> bool:
        """Whether the account has changed at all, as far as is remembered."""
        return fold(account) in self._changed

    def holds_locked(self, proof: Proof) -> bool:
        """Whether the account is what it was when the check began."""
        return self._changed.get(fold(proof.account), self._forgotten) <= proof.moment

    def is_changing_locked(self, account: str) -> bool:
        """Whether somebody changes or deletes the account at this moment."""
        return fold(account) in self._changing

    # Known devices

    def note_place_locked(self, name: Hashable, place: Hashable) -> None:
        """The password of a name was right, and came from this address (`attempts.address_key`)."""
        self._places.pop(name, None)
        self._places[name] = place
        if len(self._places) > _MOST_REMEMBERED:
            del self._places[next(iter(self._places))]

    def is_known_place_locked(self, name: Hashable, place: Hashable) -> bool:
        """Whether the last right password of a name came from this address."""
        return name in self._places and self._places[name] == place


def require_locked(chat: Chat, proof: Proof) -> None:
    """
    Return if whoever has proved it may be logged in to the account. Under the chat's order lock.

    Raises:
        BadCredentials: The account has changed since.
        BannedFromServer: It is banned.
    """
    if not chat.logins.holds_locked(proof):
        raise BadCredentials
    ban = chat.bans.of_account(proof.account)
    if ban is not None:
        raise BannedFromServer(ban)


@contextmanager
def changing(chat: Chat, account: str, proof: Proof | None = None) -> Iterator[None]:
    """
    Let nobody else change the account meanwhile, so that of two who know the old password the first one wins.

    Args:
        proof: What its owner has proved; None: it is changed by whoever runs the server.

    Raises:
        AccountInUse: Somebody does already.
        BadCredentials, BannedFromServer: As `require_locked`.
    """
    key = fold(account)
    with chat.order.lock:
        if proof is not None:
            require_locked(chat, proof)
        if chat.logins.is_changing_locked(key):
            raise AccountInUse
        chat.logins._changing.add(key)
    try:
        yield
    finally:
        with chat.order.lock:
            chat.logins._changing.discard(key)
