"""Trying a password: an account's, an operator's, the server's. Who is wrong too often has to wait."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Final, TypeVar

from pychat.core.accounts import BadCredentials
from pychat.core.attempts import address_key
from pychat.core.errors import InternalFailure, Refused
from pychat.core.hashing import Busy
from pychat.core.names import fold
from pychat.core.server_bans import BannedFromServer

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.session import Session

T = TypeVar("T")

logger = logging.getLogger("pychat")

_NAME_CHARS: Final = 64
"""What counts of a name: nobody fills the memory with names that no account has."""


def attempt(session: Session, name: Hashable, check: Callable[[], T | None]) -> T | None:
    """
    Return what the check returns, which is None if the password was wrong.

    An attempt counts for the name at once, so that many at the same time are no more than one after the other; for
    the address it counts only when it has failed, because many who log in may share one. What nobody could check
    does not count.

    Args:
        name: Whose password it is; None: everybody's.

    Raises:
        TooManyAttempts: It has been wrong too often, for this name or from this address.
    """
    chat, place = session.chat, address_key(session.address)
    with chat.order.lock:
        chat.logins.require(place, name)
        chat.logins.add(name)
    try:
        found = check()
    except (Busy, InternalFailure):
        with chat.order.lock:
            chat.logins.take_back(name)
        raise
    with chat.order.lock:
        if found is not None:
            chat.logins.take_back(name)
        else:
            chat.logins.add(place)
    return found


def check_password(session: Session, account: str, password: str) -> str:
    """
    Return the name of the account, if this is its password.

    Raises:
        BadCredentials: It is not, or there is no such account.
        TooManyAttempts: It has been wrong too often.
    """
    return require_account(session, account, lambda: session.chat.accounts.check(account, password))


def require_account(session: Session, account: str, check: Callable[[], str | None]) -> str:
    """The same, whatever the check is: it returns the name of the account, or None."""
    found = attempt(session, ("account", fold(account[:_NAME_CHARS])), lambda: ask_accounts(session.chat, check))
    if found is None:
        # Not the name: people type the password there.
        logger.warning("a wrong account or password from %s", session.address or "inside")
        raise BadCredentials
    ban = session.chat.bans.of_account(found)
    if ban is not None:
        raise BannedFromServer(ban)
    return found


def ask_accounts(chat: Chat, function: Callable[[], T]) -> T:
    """
    Call a function of the accounts, which may be those of a program.

    Raises:
        Refused: What the accounts say, or `InternalFailure` if they failed.
    """
    chat.order.flush()
    try:
        return function()
    except Refused:
        raise
    except Exception:
        logger.exception("the accounts failed")
        raise InternalFailure from None
