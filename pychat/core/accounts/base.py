"""
Accounts: whose names stay theirs. The interface for programs that have accounts of their own.

What pychat itself does about them is in `stored.py`; what the verbs do, in `actions.py`.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, ParamSpec

from pychat.core.accounts.scram import ScramKeys
from pychat.model.errors import Refused
from pychat.model.functions import check_plain, check_ran, title_of

if TYPE_CHECKING:
    from pychat.core.history.log import Log


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


P = ParamSpec("P")

NAME_CHARS: Final = 200
"""How long the name of an account may be that a program tells."""


class Accounts(ABC):
    """
    Who has an account: `ChatServer(accounts=MyAccounts())`. Only `check` has to be written.

    The methods that get a password are called on the thread of the session that sent it, with no lock held, by several
    sessions at the same time: they may wait for a database. How often they are called is limited before
    (`Limits.login_attempts_per_minute`). Each may raise `Refused` with what the person is to be told; anything else is
    logged with its traceback, and the person is told "internal error"; so is a result of another type. The name of an
    account has 1 to 200 printable characters and no spaces.
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

    def end(self) -> None:  # noqa: B027
        """The chat is ending: let nobody wait any more. May be called several times."""

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


_METHODS: Final = ("check", "owner", "scram", "shown", "register", "change_password", "drop", "begin", "end")


def check_accounts(accounts: object) -> Accounts:
    """
    Return the accounts if a chat can use them.

    Raises:
        TypeError: They are none, or one of their methods is `async`.
    """
    if not isinstance(accounts, Accounts):
        shown = f"the class itself: {accounts.__name__}()" if isinstance(accounts, type) else repr(accounts)
        raise TypeError(f"accounts must be an object of a class derived from pychat.Accounts, not {shown}")
    for name in _METHODS:
        check_plain(getattr(accounts, name), "methods of accounts", f"{type(accounts).__name__}.{name}")
    return accounts


def checked_name(accounts: Accounts, method: str, result: object) -> str | None:
    """
    Return what a method of the accounts has returned, if it is the name of an account, or None.

    Raises:
        TypeError: It is neither. A program's bug may make it a secret, so it is not shown.
    """
    check_ran(result, getattr(accounts, method))
    if result is None:
        return None
    title = f"{type(accounts).__name__}.{method}"
    if not isinstance(result, str):
        shown = result if isinstance(result, bool) else f"an object of type {type(result).__name__}"
        raise TypeError(f"{title} returned {shown}, not a name or None")
    if not 0 < len(result) <= NAME_CHARS or " " in result or not result.isprintable():
        raise ValueError(f"{title} returned no name: use 1 to {NAME_CHARS} printable characters without spaces")
    return result


def checked_keys(accounts: Accounts, result: object) -> ScramKeys | None:
    """
    Return what `scram` has returned, if it is keys or None.

    Raises:
        TypeError: It is neither.
    """
    check_ran(result, accounts.scram)
    if result is None or isinstance(result, ScramKeys):
        return result
    title = f"{type(accounts).__name__}.scram"
    raise TypeError(f"{title} returned an object of type {type(result).__name__}, not ScramKeys or None")


def finish(method: Callable[P, object], *args: P.args, **more: P.kwargs) -> None:
    """
    Call a method that raises `Refused` to say no.

    Raises:
        TypeError: It has returned False instead, or a coroutine.
    """
    result = method(*args, **more)
    check_ran(result, method)
    if result is False:
        raise TypeError(f"{title_of(method)} returned False; raise Refused to say no")
