"""Password checks for accounts, operators and the server, with a rate limit for failures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Final, TypeVar

from pychat.core.accounts.base import checked_name
from pychat.core.accounts.logins import Proof
from pychat.core.accounts.nickname_ownership import owner_of
from pychat.core.attempts import address_key
from pychat.core.people.journal import described
from pychat.core.waiting import before_wait
from pychat.core.worker_pool import on_behalf_of
from pychat.model.errors import BadCredentials, Busy, InternalFailure, Refused
from pychat.model.names import fold

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.session import Session

T = TypeVar("T")

logger = logging.getLogger("pychat")

_NAME_CHARS: Final = 64
"""The maximum length of a name that is counted, so that made-up names cannot fill the memory."""


def attempt(
    session: Session, name: tuple[str, str] | None, check: Callable[[], T | None], *, own: bool = False
) -> T | None:
    """
    Return the result of the check, which is None if the password was wrong.

    An attempt counts for the name and for the address as soon as it begins, and stops counting if it succeeds
    (`Attempts`). An attempt that could not be checked does not count. A known device of the owner (`own`, or the
    address of the last success) is counted separately, so that strangers who guess cannot lock the owner out.

    Args:
        name: Whose password it is: a kind, and a name of any length. None for the server's password.

    Raises:
        TooManyAttempts: If too many have failed for this name or from this address.
        Busy: If too many are being checked.
    """
    chat, place = session.chat, address_key(session.address)
    chat.order.flush()  # so that nobody waits for this session's events
    key = None if name is None else _count_of(session, name, place, own)
    chat.logins.attempts.begin(place, key)
    failed = True
    try:
        found = check()
        failed = found is None
    except (Busy, InternalFailure):
        failed = False
        raise
    finally:
        chat.logins.attempts.end(place, key, failed=failed)
    if not failed and name is not None:
        with chat.order.lock:
            chat.logins.note_place_locked(_cut(name), place)
    return found


def name_of(account: str) -> tuple[str, str]:
    """Return the rate-limit key of an account."""
    return _cut(("account", fold(account)))


def _cut(name: tuple[str, str]) -> tuple[str, str]:
    return name[0], name[1][:_NAME_CHARS]


def _count_of(session: Session, name: tuple[str, str], place: Hashable, own: bool) -> Hashable:
    """Return the rate-limit key of an attempt."""
    if own:
        return *_cut(name), "own"
    chat = session.chat
    with chat.order.lock:
        return (*_cut(name), place) if chat.logins.is_known_place_locked(_cut(name), place) else _cut(name)


def check_password(session: Session, account: str, password: str, *, own: bool = False) -> Proof:
    """
    Return a proof if this is the account's password; it is valid until the account changes.

    Args:
        own: True if the session is known to belong to the account's owner.

    Raises:
        BadCredentials: If the password is wrong or there is no such account.
        TooManyAttempts: If too many attempts have failed.
        Busy: If too many sessions are logging in.
    """
    accounts, moment = session.chat.accounts, session.chat.logins.moment

    def check() -> str | None:
        return checked_name(accounts, "check", accounts.check(account, password))

    return require_account(session, account, check, moment, own=own)


def require_account(
    session: Session, account: str, check: Callable[[], str | None], moment: int, *, own: bool = False
) -> Proof:
    """
    Return a proof by any check, which returns the name of the account, or None.

    Args:
        moment: `Logins.moment`, read before any data that the check compares with.
    """
    own = own or session.is_of(account)
    found = attempt(session, name_of(account), lambda: ask_accounts(session, check), own=own)
    if found is None:
        # Not an unknown name: people type the password there.
        known = owner_of(session.chat, account) is not None
        name = f"the account {account}" if known else "an account that does not exist"
        logger.warning("%s gave a wrong password for %s", described(session), name)
        raise BadCredentials
    return Proof(found, moment)


def ask_accounts(session: Session, function: Callable[[], T]) -> T:
    """
    Call a function of the accounts, which may belong to a program, on behalf of a session.

    Raises:
        Refused: If the accounts refuse. `InternalFailure` if they fail.
    """
    session.chat.order.flush()
    before_wait()
    try:
        with on_behalf_of(address_key(session.address)):
            return function()
    except (Refused, KeyboardInterrupt):
        raise
    except BaseException:
        logger.exception("the accounts failed")
        raise InternalFailure from None


def release_waiting(chat: Chat) -> None:
    """Refuse the sessions that wait for a password check, because the chat is ending."""
    chat.logins.attempts.stop()
    try:
        chat.accounts.end()
    except KeyboardInterrupt:
        raise
    except BaseException:
        logger.exception("the accounts failed")
