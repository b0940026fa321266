"""Accounts: what the verbs about them do. Passwords are checked on the thread of the session, with no lock held."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pychat.core import account_verbs as verbs
from pychat.core.account_replies import LoggedIn, LoggedOut
from pychat.core.arriving import claim, end_old
from pychat.core.attempts import address_key
from pychat.core.credentials import ask_accounts, check_password
from pychat.core.errors import NicknameInUse, NotRegistered, Refused
from pychat.core.events import AccountChanged
from pychat.core.names import check_nickname
from pychat.core.owners import forget_account, meet_locked
from pychat.core.owning import owner_of, reconsider, take_back
from pychat.core.passwords import require_entry
from pychat.core.queries import Ref
from pychat.core.replies import Ok
from pychat.core.session import Session

if TYPE_CHECKING:
    from pychat.core.chat import Chat

logger = logging.getLogger("pychat")


class NotLoggedIn(Refused):
    """It is for those who have logged in."""

    code = "not_logged_in"

    def __init__(self) -> None:
        super().__init__("you are not logged in; use login, or register")


def register(chat: Chat, session: Session, verb: verbs.Register) -> None:
    """
    The nickname must be one's own at the moment, or nobody's, so that nobody loses the one that they have.

    Who has not come in may lack the server's password, which is for taking nicknames for ever, too.
    """
    require_entry(session)
    if session.account is not None:
        raise Refused(f"you are logged in as {session.account!r} already", code="bad_request")
    wanted = verb.account if verb.account is not None else session.nickname
    name = check_nickname(wanted or "", chat.limits)
    with chat.order.lock:
        if chat.nicknames.is_taken(name, session):
            raise NicknameInUse(name)
        chat.registrations.require(key := address_key(session.address))
        chat.registrations.add(key)
    ask_accounts(chat, lambda: chat.accounts.register(name, verb.password))
    logger.info("%r from %s has registered the account %r", session.nickname, session.address or "inside", name)
    chat.audit.note(session, f"registered the account {name}")
    become(chat, session, name, verb.ref, registered=True)
    holder = chat.find(name)
    if holder is not None and holder is not session:  # it took the nickname while the password was hashed
        reconsider(holder)


def log_in(chat: Chat, session: Session, verb: verbs.LogIn) -> None:
    wanted = verb.account if verb.account is not None else session.nickname
    if wanted is None:
        raise NotRegistered
    become(chat, session, check_password(session, wanted, verb.password), verb.ref)


def log_out(chat: Chat, session: Session, verb: verbs.LogOut) -> None:
    if session.account is None:
        raise NotLoggedIn
    become(chat, session, None, verb.ref)


def change_password(chat: Chat, session: Session, verb: verbs.ChangePassword) -> None:
    """Whoever else is logged in to the account may know the old password only, and is logged out."""
    account = check_password(session, _account_of(session), verb.password)
    ask_accounts(chat, lambda: chat.accounts.change_password(account, verb.new_password))
    logger.info("%r has changed the password of the account %r", session.nickname, account)
    _log_out_others(chat, session, account)
    session.notice(f"the account {account} has another password now")
    chat.send(session, Ok(verb.ref))


def drop_account(chat: Chat, session: Session, verb: verbs.DropAccount) -> None:
    account = check_password(session, _account_of(session), verb.password)
    ask_accounts(chat, lambda: chat.accounts.drop(account))
    logger.info("%r has deleted the account %r", session.nickname, account)
    chat.audit.note(session, f"deleted the account {account}")
    forget_account(chat, account)
    _log_out_others(chat, session, account)
    session.notice(f"the account {account} is no more")
    become(chat, session, None, verb.ref)


def _log_out_others(chat: Chat, session: Session, account: str) -> None:
    """Let all other sessions of an account be guests, also those that may come back."""
    with chat.order.lock:
        others = [other for other in chat.nicknames.log_out(account) if other is not session]
    for other in others:
        become(chat, other, None, None)


def regain(chat: Chat, session: Session, verb: verbs.Regain) -> None:
    """Who has the nickname gets another one; a connection of one's own that is left over is ended."""
    nickname = check_nickname(verb.nickname, chat.limits)
    owner = owner_of(chat, nickname)
    if owner is None:
        raise Refused(f"nickname {nickname!r} belongs to no account", code="bad_request", subject=(nickname,))
    if verb.password is not None and session.account != owner:
        become(chat, session, check_password(session, owner, verb.password), None)
    if session.account != owner:
        raise NotLoggedIn
    _free(chat, session, nickname)
    claim(chat, session, nickname)
    chat.send(session, Ok(verb.ref))


def _free(chat: Chat, session: Session, nickname: str) -> None:
    """Let nobody else have the nickname."""
    with chat.order.lock:
        chat.nicknames.free_parked(nickname)
        holder = chat.nicknames.find(nickname)
        if holder is None or holder is session or holder.is_local:
            return
        own = holder.account == session.account
    if own:
        holder.unwanted = True
        end_old(chat, holder, "regained from elsewhere")
    else:
        take_back(holder)


def _account_of(session: Session) -> str:
    if session.account is None:
        raise NotLoggedIn
    return session.account


def become(chat: Chat, session: Session, account: str | None, ref: Ref, *, registered: bool = False) -> None:
    """
    Let a session be logged in to an account, or to none (None), and tell it and the others.

    A nickname that belonged to the account it had before is only lent from now on.
    """
    chat.order.flush()
    with chat.order.lock:
        if session.closed:
            return
        changed = session.account != account
        session.account = account
        if changed and session.nickname is not None:
            session.update_info()
            userhost, _, bot = session.origin
            event = AccountChanged(0, 0.0, session.room_names, session.nickname, account, userhost, bot)
            chat.order.append_locked(event, tuple(session.rooms.values()), also=session)
        for room in session.rooms.values():
            meet_locked(chat, session, room)
        place = session.nickname, session.userhost
        chat.order.send_locked(
            session, LoggedOut(ref, *place) if account is None else LoggedIn(ref, account, registered, *place)
        )
    chat.order.wake()
    if changed:
        reconsider(session)
