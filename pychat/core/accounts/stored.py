"""
pychat's own accounts: in memory, and in the log if that is persistent.

An account has the name of one nickname, which belongs to it from then on.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from pychat.core.accounts.base import Accounts
from pychat.core.accounts.password_hash import Cost, PasswordHash
from pychat.core.accounts.scram import ITERATIONS, BadPassword, ScramKeys, fake_keys, make_keys
from pychat.core.worker_pool import Workers, caller
from pychat.model.errors import AccountExists, NotOffered, NotStored, UnusablePassword
from pychat.model.names import fold, skeleton
from pychat.renamed import find_renamed

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pychat.core.log.log import Log
    from pychat.core.log.pending_write import PendingWrite

MOST_PASSWORD_CHARS: Final = 512
_HASHERS: Final = 1
"""The number of passwords hashed concurrently: each takes a CPU and 16 MiB, and five a second are enough."""


class StoredAccount(NamedTuple):
    """One account, in memory and in the file."""

    name: str
    password: PasswordHash
    scram: ScramKeys
    created: float
    """POSIX seconds."""


class StoredAccounts(Accounts):
    """
    The default accounts. Passwords are stored as scrypt hashes and as SCRAM-SHA-256 keys.

    Changes are guarded by the lock of the chat; nothing is hashed and no thread waits for the disk under it. A session
    that creates, changes or deletes an account waits until the change is stored, or is refused.
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
            registers: True if people can create accounts. Existing ones work in any case.
            least_password_chars: The minimum length of a password.
            cost: The cost of hashing; a password with another cost is hashed again when its owner logs in.
            iterations: The iterations of the SCRAM keys, updated in the same way.
        """
        self.registers = registers
        self._least_chars = least_password_chars
        self._cost, self._iterations = cost, iterations
        self._workers = Workers(_HASHERS, "pychat-hash", background=True)
        self._accounts: dict[str, StoredAccount] = {}
        """Accounts by folded name."""
        self._looks: dict[str, list[str]] = {}
        """Folded names by skeleton."""
        self._nobody = PasswordHash(cost, secrets.token_bytes(16), secrets.token_bytes(32))
        """A hash that no password fits, so that checking an unknown name takes as long."""
        self._secret = secrets.token_bytes(32)
        self._log: Log | None = None
        self._lock: AbstractContextManager[object] = nullcontext()
        self._time: Callable[[], float] = lambda: 0.0

    def begin(self, log: Log, lock: threading.Lock, time: Callable[[], float]) -> None:
        self._log, self._lock, self._time = log, lock, time
        if log.secret is not None:  # so that fake salts persist like those of real accounts
            self._secret = hmac.digest(log.secret, b"accounts that there are not", hashlib.sha256)
        for account in log.load_accounts():
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
            with suppress(NotStored):  # it is tried again at the next login
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
        Create an account.

        Raises:
            AccountExists: If there is one.
            UnusablePassword: If it is too short or too long, or has control characters or blanks at an end.
            NotOffered: If registration is closed.
            NotStored: If it could not be stored.
        """
        if not self.registers:
            raise NotOffered("made")
        self._check_free(name)
        self._check_password(password)
        account = self._make(name, password)
        with self._lock:
            self._check_free(name)  # check again: hashing takes time
            self._put(account)
            storing = self._save(account)
        try:
            self._wait(storing, "your account")
        except NotStored:
            with self._lock:
                self._remove(account)
            raise

    def change_password(self, name: str, password: str) -> None:
        """
        Set the password of an account.

        Raises:
            UnusablePassword: If it is too short or too long, or has control characters or blanks at an end.
            NotStored: If it could not be stored; the old password stays.
        """
        self._check_password(password)
        account = self._accounts.get(fold(name))
        if account is not None:
            self._replace(account, password)

    def drop(self, name: str) -> None:
        """
        Delete an account.

        Raises:
            NotStored: If that could not be stored; the account stays.
        """
        with self._lock:
            account = self._accounts.get(fold(name))
            if account is None:
                return
            storing = None if self._log is None else self._log.save_account(fold(account.name), None)
        self._wait(storing, "the deletion of your account")
        with self._lock:
            self._remove(account)

    # Inside

    def _check_free(self, name: str) -> None:
        if self.owner(name) is not None:
            raise AccountExists(name)

    def _check_password(self, password: str) -> None:
        if not self._least_chars <= len(password) <= MOST_PASSWORD_CHARS:
            raise UnusablePassword(f"a password must have {self._least_chars} to {MOST_PASSWORD_CHARS} characters")
        if password != password.strip():  # most programs that ask for one strip them
            raise UnusablePassword("a password must not begin or end with a blank")

    def _make(self, name: str, password: str) -> StoredAccount:
        try:
            return self._workers.run(
                caller(),
                lambda: StoredAccount(
                    name, PasswordHash.of(password, self._cost), make_keys(password, self._iterations), self._time()
                ),
            )
        except BadPassword as error:
            raise UnusablePassword(str(error)) from None

    def _replace(self, account: StoredAccount, password: str) -> None:
        """Store another password of an account, unless it was changed or deleted meanwhile."""
        made = self._make(account.name, password)._replace(created=account.created)
        with self._lock:
            if self._accounts.get(key := fold(account.name)) is not account:
                return
            self._accounts[key] = made
            storing = self._save(made)
        try:
            self._wait(storing, "your new password")
        except NotStored:
            with self._lock:
                if self._accounts.get(key) is made:
                    self._accounts[key] = account
            raise

    def _put(self, account: StoredAccount) -> None:
        key = fold(account.name)
        self._accounts[key] = account
        self._looks.setdefault(skeleton(account.name), []).append(key)

    def _remove(self, account: StoredAccount) -> None:
        """Remove an account, unless it has been replaced by another one."""
        key, look = fold(account.name), skeleton(account.name)
        if self._accounts.get(key) is account:
            del self._accounts[key]
            self._looks[look].remove(key)
            if not self._looks[look]:
                del self._looks[look]

    def _save(self, account: StoredAccount) -> PendingWrite | None:
        return None if self._log is None else self._log.save_account(fold(account.name), account)

    def _wait(self, storing: PendingWrite | None, what: str) -> None:
        if self._log is not None and storing is not None:
            self._log.wake()
            storing.wait(what)


if not TYPE_CHECKING:
    __getattr__ = find_renamed(__name__, {"KeptAccount": "StoredAccount", "KeptAccounts": "StoredAccounts"})
