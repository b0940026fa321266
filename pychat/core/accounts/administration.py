"""
Account administration without the passwords of the accounts.

`by` names the administrator in the audit record; functions return the account's canonical name. A lock is a server ban
of the account (`core/moderation/server_bans.py`): `/serverban a:ann` and `/serverunban a:ann` do the same.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pychat.core.accounts.actions import log_out_everybody
from pychat.core.accounts.base import finish
from pychat.core.accounts.logins import changing
from pychat.core.accounts.nickname_ownership import owner_of, reconsider
from pychat.core.moderation.changes import NewServerBan, ServerBanLift
from pychat.core.outcome import Author
from pychat.core.people.changes import ReservationEnd
from pychat.core.rooms.account_roles import forget_account
from pychat.model.errors import AccountExists, ChatError, Refused
from pychat.model.masks import ACCOUNT
from pychat.model.names import check_nickname
from pychat.model.server_ban import normal_target
from pychat.model.text import because, checked_short_text

if TYPE_CHECKING:
    from pychat.core.chat import Chat


class NoSuchAccount(ChatError):
    """There is no account of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"there is no account {self.name!r}"


class NotLocked(ChatError):
    """The account is not locked."""

    def __init__(self, account: str) -> None:
        super().__init__(account)
        self.account = account

    def __str__(self) -> str:
        return f"the account {self.account!r} is not locked"


def account_named(chat: Chat, name: str) -> str:
    """
    Return the canonical name of an account.

    Raises:
        NoSuchAccount: If there is none.
    """
    account = chat.accounts.shown(name)
    if account is None:
        raise NoSuchAccount(name)
    return account


def new_name(chat: Chat, name: str) -> str:
    """
    Return the name if it can be registered.

    Raises:
        InvalidNickname: If it is not a valid nickname.
        AccountExists: If there is an account of this name or of one that looks like it.
    """
    if owner_of(chat, account := check_nickname(name, chat.limits)) is not None:
        raise AccountExists(account)
    return account


def add_account(chat: Chat, by: str, name: str, password: str) -> str:
    """
    Create an account; its name may be a reserved one.

    Raises:
        InvalidNickname, AccountExists: See `new_name`.
        UnusablePassword, NotStored: See `Accounts.register`.
    """
    account = new_name(chat, name)
    finish(chat.accounts.register, account, password)
    chat.audit.note(by, f"created the account {account}")
    log_out_everybody(chat, account)
    holder = chat.find(account)
    if holder is not None:
        reconsider(holder)
    return account


def reset_password(chat: Chat, by: str, name: str, password: str) -> str:
    """
    Set the password of an account, and log out everybody who used the old one.

    Raises:
        NoSuchAccount: If there is none.
        UnusablePassword, NotStored, AccountInUse: If it fails; the old password stays.
    """
    account = account_named(chat, name)
    with changing(chat, account):
        finish(chat.accounts.change_password, account, password)
        chat.audit.note(by, f"reset the password of the account {account}")
        end_logins(chat, account)
    return account


def delete_account(chat: Chat, by: str, name: str) -> str:
    """
    Delete an account with its roles and its lock, so that a new account of the same name inherits nothing.

    Raises:
        NoSuchAccount: If there is none.
        NotStored, AccountInUse: If it fails; the account stays.
    """
    account = account_named(chat, name)
    with changing(chat, account):
        end_logins(chat, account)
        finish(chat.accounts.drop, account)
        chat.audit.note(by, f"deleted the account {account}")
        forget_account(chat, account)
        end_logins(chat, account)
        with suppress(Refused):  # it was not locked
            chat.propose(ServerBanLift(Author(None, by), target_of(account), None))
    return account


def lock_account(chat: Chat, by: str, name: str, reason: str) -> str:
    """
    Lock an account: nobody can log in until it is unlocked, and its name stays registered.

    Raises:
        NoSuchAccount: If there is none.
        LimitExceeded: If the reason is too long.
    """
    account, reason = account_named(chat, name), checked_short_text("reason", reason, chat.limits)
    note = f"locked the account {account}{because(reason)}"
    chat.propose(NewServerBan(Author(None, by), by, target_of(account), None, reason, note))
    end_logins(chat, account)
    return account


def unlock_account(chat: Chat, by: str, name: str) -> str:
    """
    Unlock an account.

    Raises:
        NoSuchAccount: If there is none.
        NotLocked: If it is not locked.
    """
    account = account_named(chat, name)
    try:
        chat.propose(ServerBanLift(Author(None, by), target_of(account), f"unlocked the account {account}"))
    except Refused:
        raise NotLocked(account) from None
    return account


def target_of(account: str) -> str:
    """Return the server-ban target that means an account."""
    return normal_target(ACCOUNT + account)


def end_logins(chat: Chat, account: str) -> None:
    """
    Log everybody out of an account, and drop all reservations of its nickname.

    After a restart, a reservation is known only by its nickname.
    """
    log_out_everybody(chat, account)
    gone = tuple([digest for digest, one in chat.reservations() if owner_of(chat, one.nickname) == account])
    if gone:
        chat.propose(ReservationEnd(gone))
