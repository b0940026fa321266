"""
Accounts of others: what those who run the server do with them, without their passwords.

`by` says who it was, for the audit record; what is returned is the name of the account as it is shown. A lock is a ban
of the account from the server (`core/moderation/server_bans.py`): `/serverban a:ann` and `/serverunban a:ann` do
the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.core.accounts.actions import log_out_everybody
from pychat.core.accounts.base import AccountExists, finish
from pychat.core.accounts.logins import changing
from pychat.core.accounts.nickname_ownership import owner_of, reconsider
from pychat.core.rooms.account_roles import forget_account
from pychat.model.errors import ChatError
from pychat.model.masks import ACCOUNT
from pychat.model.names import check_nickname
from pychat.model.server_ban import ServerBan, normal_target
from pychat.model.text import because

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
    Return the name of an account as it is shown.

    Raises:
        NoSuchAccount: There is none.
    """
    account = chat.accounts.shown(name)
    if account is None:
        raise NoSuchAccount(name)
    return account


def new_name(chat: Chat, name: str) -> str:
    """
    Return a name if an account can be made of it.

    Raises:
        InvalidNickname: Nobody could have it.
        AccountExists: There is one of this name, or of one that looks like it.
    """
    if owner_of(chat, account := check_nickname(name, chat.limits)) is not None:
        raise AccountExists(account)
    return account


def add_account(chat: Chat, by: str, name: str, password: str) -> str:
    """
    Make an account, whose name may be a reserved one.

    Raises:
        InvalidNickname, AccountExists: See `new_name`.
        UnusablePassword, NotStored: As `Accounts.register`.
    """
    account = new_name(chat, name)
    finish(chat.accounts.register, account, password)
    chat.audit.note(by, f"made the account {account}")
    log_out_everybody(chat, account)
    holder = chat.find(account)
    if holder is not None:
        reconsider(holder)
    return account


def reset_password(chat: Chat, by: str, name: str, password: str) -> str:
    """
    Give an account another password; whoever knew the old one is logged out.

    Raises:
        NoSuchAccount: There is none.
        UnusablePassword, NotStored, AccountInUse: The password stays.
    """
    account = account_named(chat, name)
    with changing(chat, account):
        finish(chat.accounts.change_password, account, password)
        chat.audit.note(by, f"reset the password of the account {account}")
        end_logins(chat, account)
    return account


def delete_account(chat: Chat, by: str, name: str) -> str:
    """
    Delete an account with its roles, and its lock: whoever makes another one of that name inherits nothing.

    Raises:
        NoSuchAccount: There is none.
        NotStored, AccountInUse: The account stays.
    """
    account = account_named(chat, name)
    with changing(chat, account):
        end_logins(chat, account)
        finish(chat.accounts.drop, account)
        chat.audit.note(by, f"deleted the account {account}")
        forget_account(chat, account)
        end_logins(chat, account)
        with chat.order.change():
            chat.bans.remove_locked(target_of(account))
    return account


def lock_account(chat: Chat, by: str, name: str, reason: str) -> str:
    """
    Let nobody log in to an account, with whatever password, until it is unlocked; its name stays its own.

    Raises:
        NoSuchAccount: There is none.
        LimitExceeded: The reason is too long.
    """
    account, reason = account_named(chat, name), chat.checked_short_text("reason", reason)
    with chat.order.change():
        chat.bans.add_locked(ServerBan(target_of(account), reason, by, chat.clock.time()))
        chat.audit.note_locked(by, f"locked the account {account}{because(reason)}")
    end_logins(chat, account)
    return account


def unlock_account(chat: Chat, by: str, name: str) -> str:
    """
    Let people log in to an account again.

    Raises:
        NoSuchAccount: There is none.
        NotLocked: It is not.
    """
    account = account_named(chat, name)
    with chat.order.change():
        if not chat.bans.remove_locked(target_of(account)):
            raise NotLocked(account)
        chat.audit.note_locked(by, f"unlocked the account {account}")
    return account


def target_of(account: str) -> str:
    """Return by which target a ban from the server means an account."""
    return normal_target(ACCOUNT + account)


def end_logins(chat: Chat, account: str) -> None:
    """
    Let nobody be logged in to an account, nor come back for its nickname with a token.

    A token that was kept over a restart is known by the nickname only.
    """
    log_out_everybody(chat, account)
    with chat.order.change():
        gone = [digest for digest, person in chat.nicknames.parked() if owner_of(chat, person.nickname) == account]
        for digest in gone:
            chat.nicknames.drop_parked(digest)
