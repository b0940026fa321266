"""
The accounts that pychat keeps itself: in memory, and in the log, if that lasts.

An account has the name of one nickname, which is its owner's from then on.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from pychat.core.accounts.base import AccountExists, Accounts, NotOffered
from pychat.core.accounts.password_hash import Cost, PasswordHash
from pychat.core.accounts.scram import ITERATIONS, BadPassword, ScramKeys, fake_keys, make_keys
from pychat.core.worker_pool import Workers, caller
from pychat.model.errors import NotStored, Refused
from pychat.model.names import fold, skeleton

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pychat.core.history.log import Log, Storing

MOST_PASSWORD_CHARS: Final = 512
_HASHERS: Final = 1
"""Passwords that are hashed at the same time: each takes a processor and 16 MiB, and five a second are enough."""


class UnusablePassword(Refused):
    """The text cannot be a password; `str(error)` has nothing of it."""

    code = "bad_password"


class KeptAccount(NamedTuple):
    """One account, as it is in memory and in a file."""

    name: str
    password: PasswordHash
    scram: ScramKeys
    created: float
    """POSIX seconds."""


class KeptAccounts(Accounts):
    """
    The default. Passwords are kept as hashes of scrypt, and as the keys of SCRAM-SHA-256.

    What changes is guarded by the lock of the chat that it belongs to; nothing is hashed and nobody waits for the disk
    under it. Whoever makes, changes or deletes an account waits until that is stored, or is refused.
    """

    def __init__(
        self,
        *,
        registers: bool = True,
        least_password_chars: int = 8,
        cost: Cost = Cost(),  # noqa: B008 -- immutable
        iterations: int = ITERATIONS,
    ) -> None:
        """
        Args:
            registers: Whether everybody can make an account. Those that there are work without it.
            least_password_chars: What a password must have.
            cost: Of hashing; a password with another cost is hashed again when its owner logs in.
            iterations: Of the keys of SCRAM, the same.
        """
        self.registers = registers
        self._least_chars = least_password_chars
        self._cost, self._iterations = cost, iterations
        self._workers = Workers(_HASHERS, "pychat-hash", background=True)
        self._accounts: dict[str, KeptAccount] = {}
        """By folded name."""
        self._looks: dict[str, list[str]] = {}
        """Folded names, by what they look like."""
        self._nobody = PasswordHash(cost, secrets.token_bytes(16), secrets.token_bytes(32))
        """What no password fits, so that it takes as long for names that there are not."""
        self._secret = secrets.token_bytes(32)
        self._log: Log | None = None
        self._lock: AbstractContextManager[object] = nullcontext()
        self._time: Callable[[], float] = lambda: 0.0

    def begin(self, log: Log, lock: threading.Lock, time: Callable[[], float]) -> None:
        self._log, self._lock, self._time = log, lock, time
        if log.secret is not None:  # then the salts of names without an account last as long as those of accounts
            self._secret = hmac.digest(log.secret, b"accounts that there are not", hashlib.sha256)
        for account in log.kept_accounts():
            self._put(account)

    def end(self) -> None:
        self._workers.cancel()

    # Asked by the chat

    def check(self, name: str, password: str) -> str | None:
        account = self._accounts.get(fold(name))
        kept = self._nobody if account is None else account.password
        try:
            fits = self._workers.run(caller(), lambda: kept.fits(password))
        except BadPassword:
            return None
        if account is None or not fits:
            return None
        if (kept.cost, account.scram.iterations) != (self._cost, self._iterations):
            with suppress(NotStored):  # next time, then
                self._replace(account, password)
        return account.name

    def owner(self, nickname: str) -> str | None:
        key = fold(nickname)
        account = self._accounts.get(key)
        if account is None:
            alike = self._looks.get(skeleton(nickname), ())
            account = next((self._accounts[other] for other in alike if not (other.isascii() and key.isascii())), None)
        return None if account is None else account.name

    def scram(self, name: str) -> ScramKeys:
        account = self._accounts.get(fold(name))
        return fake_keys(fold(name), self._secret, self._iterations) if account is None else account.scram

    def shown(self, name: str) -> str | None:
        account = self._accounts.get(fold(name))
        return None if account is None else account.name

    def register(self, name: str, password: str) -> None:
        """
        Make an account.

        Raises:
            AccountExists: There is one.
            UnusablePassword: It is too short, too long, or has control characters, or blanks at an end.
            NotOffered: Nobody can make one.
            NotStored: It could not be kept.
        """
        if not self.registers:
            raise NotOffered("made")
        self._check_free(name)
        self._check_password(password)
        account = self._make(name, password)
        with self._lock:
            self._check_free(name)  # again: hashing takes time
            self._put(account)
            storing = self._keep(account)
        try:
            self._wait(storing, "your account")
        except NotStored:
            with self._lock:
                self._remove(account)
            raise

    def change_password(self, name: str, password: str) -> None:
        """
        Raises:
            UnusablePassword: It is too short, too long, or has control characters, or blanks at an end.
            NotStored: The old password stays.
        """
        self._check_password(password)
        account = self._accounts.get(fold(name))
        if account is not None:
            self._replace(account, password)

    def drop(self, name: str) -> None:
        """
        Raises:
            NotStored: The account stays.
        """
        with self._lock:
            account = self._accounts.get(fold(name))
            if account is None:
                return
            storing = None if self._log is None else self._log.keep_account(fold(account.name), None)
        self._wait(storing, "that your account is deleted")
        with self._lock:
            self._remove(account)

    # Inside

    def _check_free(self, name: str) -> None:
        if self.owner(name) is not None:
            raise AccountExists(name)

    def _check_password(self, password: str) -> None:
        if not self._least_chars <= len(password) <= MOST_PASSWORD_CHARS:
            raise UnusablePassword(f"a password has {self._least_chars} to {MOST_PASSWORD_CHARS} characters")
        if password != password.strip():  # most of what asks for it takes them away
            raise UnusablePassword("a password does not begin or end with a blank")

    def _make(self, name: str, password: str) -> KeptAccount:
        try:
            return self._workers.run(
                caller(),
                lambda: KeptAccount(
                    name, PasswordHash.of(password, self._cost), make_keys(password, self._iterations), self._time()
                ),
            )
        except BadPassword as error:
            raise UnusablePassword(str(error)) from None

    def _replace(self, account: KeptAccount, password: str) -> None:
        """Keep another password of an account, unless somebody else has changed or dropped it meanwhile."""
        made = self._make(account.name, password)._replace(created=account.created)
        with self._lock:
            if self._accounts.get(key := fold(account.name)) is not account:
                return
            self._accounts[key] = made
            storing = self._keep(made)
        try:
            self._wait(storing, "your new password")
        except NotStored:
            with self._lock:
                if self._accounts.get(key) is made:
                    self._accounts[key] = account
            raise

    def _put(self, account: KeptAccount) -> None:
        key = fold(account.name)
        self._accounts[key] = account
        self._looks.setdefault(skeleton(account.name), []).append(key)

    def _remove(self, account: KeptAccount) -> None:
        """Forget an account, unless there is another one in its place."""
        key, look = fold(account.name), skeleton(account.name)
        if self._accounts.get(key) is account:
            del self._accounts[key]
            self._looks[look].remove(key)
            if not self._looks[look]:
                del self._looks[look]

    def _keep(self, account: KeptAccount) -> Storing | None:
        return None if self._log is None else self._log.keep_account(fold(account.name), account)

    def _wait(self, storing: Storing | None, what: str) -> None:
        if self._log is not None and storing is not None:
            self._log.wake()
            storing.wait(what)
