"""
Accounts: whose names stay theirs. The interface for programs that have accounts of their own.

What pychat itself does about them is in `kept_accounts.py`; what the verbs do, in `identifying.py`.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from pychat.core.errors import Refused
from pychat.core.scram import ScramKeys

if TYPE_CHECKING:
    from pychat.core.log import Log


class BadCredentials(Refused):
    """There is no such account, or the password is another one; which of the two is not told."""

    code = "bad_credentials"

    def __init__(self) -> None:
        super().__init__("wrong account or password")


class AccountExists(Refused):
    """Somebody has an account of this name, or of one that looks like it."""

    code = "account_exists"

    def __init__(self, name: str) -> None:
        self.subject = (name,)
        super().__init__(f"{name!r} has an account already; log in, or take another name")


class NotOffered(Refused):
    """The accounts of this server cannot do that."""

    code = "unsupported"

    def __init__(self, what: str) -> None:
        super().__init__(f"accounts of this server cannot be {what} here")


class Accounts(ABC):
    """
    Who has an account: `ChatServer(accounts=MyAccounts())`. Only `check` has to be written.

    The methods that get a password are called on the thread of the session that sent it, with no lock held, by several
    sessions at the same time: they may wait for a database. How often they are called is limited before
    (`Limits.login_attempts_per_minute`). Each may raise `Refused` with what the person is to be told; anything else is
    logged with its traceback, and the person is told "internal error".
    """

    registers: bool = False
    """Whether `register`, `change_password` and `drop` do something."""

    def begin(self, log: Log, lock: threading.Lock, time: Callable[[], float]) -> None:  # noqa: B027
        """
        The chat that the accounts belong to has begun; nobody is in it yet.

        Args:
            log: Where something could be kept.
            lock: The chat's order lock, under which `owner` is called.
            time: Tells POSIX seconds.
        """

    @abstractmethod
    def check(self, name: str, password: str) -> str | None:
        """
        Return the name of the account as it is to be shown, if there is one of this name with this password; or None.

        It should take as long for names that there are not.
        """

    def owner(self, nickname: str) -> str | None:
        """
        Return the account that a nickname belongs to, None if to nobody.

        Called for every nickname that is claimed, under the lock of the chat: it must look into memory only.
        """
        return None

    def scram(self, name: str) -> ScramKeys | None:
        """
        Return what a proof of the password is checked with (SCRAM-SHA-256); None: that is not offered.

        For names that there are not, return keys as well, the same at each call.
        """
        return None

    def shown(self, name: str) -> str | None:
        """Return the name of an account, of whom a proof was right, as it is to be shown; None: there is none."""
        return name

    def register(self, name: str, password: str) -> None:
        """Make an account. The name is that of a nickname which nobody else has at the moment."""
        raise NotOffered("made")

    def change_password(self, name: str, password: str) -> None:
        """Give an account another password; that it knows the old one has been checked."""
        raise NotOffered("changed")

    def drop(self, name: str) -> None:
        """Delete an account; that it knows the password has been checked."""
        raise NotOffered("deleted")
