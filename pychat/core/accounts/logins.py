"""
Logins: failed attempts, known addresses and outdated proofs.

A password check takes time, and a SASL exchange takes as long as the client likes. Meanwhile the account may get
another password, be deleted, or be registered by somebody else. So a check returns a `Proof` with the generation the
account had when the check began, and that is compared again where the login is applied (`changes.require_login`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from pychat.core.accounts.changes import require_login
from pychat.core.accounts.state import LoginState
from pychat.core.attempts import Attempts
from pychat.model.clock import Clock
from pychat.model.errors import AccountInUse
from pychat.model.limits import Limits
from pychat.model.names import fold

if TYPE_CHECKING:
    from pychat.core.chat import Chat

_MOST_REMEMBERED: Final = 10_000
"""The number of names whose last login address is remembered."""


class Proof(NamedTuple):
    """Evidence that a session has proved to own an account."""

    account: str
    """The account's canonical name."""
    moment: int
    """`Logins.moment` from before the check."""


class Logins:
    """What one server knows of logins. Runs under the chat's order lock unless stated otherwise."""

    def __init__(self, state: LoginState, limits: Limits, clock: Clock) -> None:
        self._state = state
        self.attempts = Attempts(limits.login_attempts_per_minute, 60.0, clock)
        """Thread-safe."""
        self.registrations = Attempts(limits.registrations_per_10_minutes, 600.0, clock)
        """Thread-safe."""
        self._changing: set[str] = set()
        self._places: dict[Hashable, Hashable] = {}

    def limit(self, limits: Limits) -> None:
        """Apply new limits from now on. Needs no lock."""
        self.attempts.most = limits.login_attempts_per_minute
        self.registrations.most = limits.registrations_per_10_minutes

    # Generations

    @property
    def moment(self) -> int:
        """The number of changes of accounts so far. May be read without the lock."""
        return self._state.moment

    def has_changed_locked(self, account: str) -> bool:
        """Return whether a change of the account is remembered."""
        return fold(account) in self._state.changed

    def is_changing_locked(self, account: str) -> bool:
        """Return whether another session is changing or deleting the account."""
        return fold(account) in self._changing

    # Known devices

    def note_place_locked(self, name: Hashable, place: Hashable) -> None:
        """Record the address of a successful login for a name (`attempts.address_key`)."""
        self._places.pop(name, None)
        self._places[name] = place
        if len(self._places) > _MOST_REMEMBERED:
            del self._places[next(iter(self._places))]

    def is_known_place_locked(self, name: Hashable, place: Hashable) -> bool:
        """Return whether the last successful login of a name came from this address."""
        return name in self._places and self._places[name] == place


def require_locked(chat: Chat, proof: Proof) -> None:
    """
    Check that the owner of a proof may still be logged in to the account. Hold the chat's order lock.

    Raises:
        BadCredentials: If the account has changed since.
        BannedFromServer: If it is banned.
    """
    require_login(chat.state, proof.account, proof.moment, chat.clock.monotonic())


@contextmanager
def changing(chat: Chat, account: str, proof: Proof | None = None) -> Iterator[None]:
    """
    Lock the account for one change, so that of two people who know the old password the first one wins.

    Args:
        proof: The proof of its owner; None for an administrator.

    Raises:
        AccountInUse: If somebody else is changing it.
        BadCredentials, BannedFromServer: See `require_locked`.
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
