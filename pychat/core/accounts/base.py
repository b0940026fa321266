"""
Accounts: registered owners of nicknames. The interface for programs with accounts of their own.

pychat's own implementation is in `stored.py`; the verbs are in `actions.py`.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, ParamSpec

from pychat.core.accounts.scram import ScramKeys
from pychat.model.errors import NotOffered
from pychat.model.functions import check_plain, check_ran, title_of

if TYPE_CHECKING:
    from pychat.core.log.log import Log


P = ParamSpec("P")

NAME_CHARS: Final = 200
"""The maximum length of an account name that a program returns."""


class Accounts(ABC):
    """
    The registered accounts: `ChatServer(accounts=MyAccounts())`. Only `check` must be implemented.

    The methods that get a password are called on the thread of the session that sent it, without a lock, and
    concurrently: they may wait for a database. Calls are rate limited first (`Limits.login_attempts_per_minute`). Each
    may raise `Refused` with a text for the person. Any other error, or a result of the wrong type, is logged with its
    traceback, and the person is told "internal error". The name of an account has 1 to 200 printable characters and no
    spaces.
    """

    registers: bool = False
    """True if `register`, `change_password` and `drop` are supported."""

    def begin(self, log: Log, lock: threading.Lock, time: Callable[[], float]) -> None:  # noqa: B027
        """
        Start working for a chat, which has no sessions yet.

        Args:
            log: Storage that may be used.
            lock: The chat's order lock, under which `owner` is called.
            time: Returns POSIX seconds.
        """

    def end(self) -> None:  # noqa: B027
        """Release all waiting threads, because the chat is ending. May be called several times."""

    @abstractmethod
    def check(self, name: str, password: str) -> str | None:
        """
        Return the canonical name of the account with this name and password; None if there is none.

        It should take as long for unknown names.
        """

    def owner(self, nickname: str) -> str | None:
        """
        Return the account that a nickname belongs to; None if to none.

        Called for every nickname that is claimed, on the thread that serves others, too: it must only look into memory.
        """
        return None

    def scram(self, name: str) -> ScramKeys | None:
        """
        Return the keys to check a proof of the password (SCRAM-SHA-256); None if that is not supported.

        For unknown names, return keys as well, the same at each call.
        """
        return None

    def shown(self, name: str) -> str | None:
        """Return the canonical name of an account after a valid proof; None if there is none."""
        return name

    def register(self, name: str, password: str) -> None:
        """Create an account. The name is a nickname that nobody else has at the moment."""
        raise NotOffered("made")

    def change_password(self, name: str, password: str) -> None:
        """Set the password of an account; the old one has been checked."""
        raise NotOffered("changed")

    def drop(self, name: str) -> None:
        """Delete an account; its password has been checked."""
        raise NotOffered("deleted")


_METHODS: Final = ("check", "owner", "scram", "shown", "register", "change_password", "drop", "begin", "end")


def check_accounts(accounts: object) -> Accounts:
    """
    Return the accounts if a chat can use them.

    Raises:
        TypeError: If they are not `Accounts`, or a method is `async`.
    """
    if not isinstance(accounts, Accounts):
        shown = f"the class itself: {accounts.__name__}()" if isinstance(accounts, type) else repr(accounts)
        raise TypeError(f"accounts must be an object of a class derived from pychat.Accounts, not {shown}")
    for name in _METHODS:
        check_plain(getattr(accounts, name), "methods of accounts", f"{type(accounts).__name__}.{name}")
    return accounts


def checked_name(accounts: Accounts, method: str, result: object) -> str | None:
    """
    Return the result of a method of the accounts if it is an account name or None.

    Raises:
        TypeError: If it is neither. The value is not shown, because a program's bug may make it a secret.
        ValueError: If it is not a valid name.
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
    Return the result of `scram` if it is keys or None.

    Raises:
        TypeError: If it is neither.
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
        TypeError: If it returns False instead, or a coroutine.
    """
    result = method(*args, **more)
    check_ran(result, method)
    if result is False:
        raise TypeError(f"{title_of(method)} returned False; raise Refused to say no")
