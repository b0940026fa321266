"""
The verbs for accounts.

Passwords are checked without a lock; the result is used under the order lock (`logins.py`).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pychat.core.accounts import reclaim as reclaiming
from pychat.core.accounts.authentication import ask_accounts, check_password, name_of
from pychat.core.accounts.base import finish
from pychat.core.accounts.changes import EndOfLogins, NewAccount, NewLogin
from pychat.core.accounts.hello import claim
from pychat.core.accounts.logins import Proof, changing, require_locked
from pychat.core.accounts.nickname_ownership import owner_of, reconsider, require_unreserved
from pychat.core.accounts.reclaim import account_of
from pychat.core.accounts.server_password import require_entry
from pychat.core.attempts import address_key
from pychat.core.outcome import Outcome, SendTo
from pychat.core.people.rules import set_account
from pychat.core.rooms.account_roles import forget_account
from pychat.core.session import Session
from pychat.model import verbs
from pychat.model.errors import (
    AccountExists,
    BadCredentials,
    BannedFromServer,
    InvalidNickname,
    NotLoggedIn,
    NotRegistered,
    Refused,
    refusal,
)
from pychat.model.events import AccountChanged
from pychat.model.names import check_nickname, fold
from pychat.model.queries import Ref
from pychat.model.replies import LoggedIn, LoggedOut, Ok

if TYPE_CHECKING:
    from pychat.core.chat import Chat

logger = logging.getLogger("pychat")


def register(chat: Chat, session: Session, verb: verbs.Register) -> None:
    """
    Register an account for the session's own nickname or a free one, so that nobody loses a nickname in use.

    A session without a nickname must not need the server's password, because an account takes a nickname for good.
    """
    require_entry(session)
    wanted = verb.account if verb.account is not None else session.nickname
    if session.account is not None:
        error = refusal(f"you are already logged in as {session.account!r}", code="bad_request")
        if not session.is_of(wanted):
            raise error
        become(chat, session, _prove_again(session, session.account, verb.password, error), verb.ref, registered=True)
        return
    name = check_nickname(wanted or "", chat.limits)
    require_unreserved(session, name)
    if fold(verb.password.partition(" ")[0]) == fold(name) and " " in verb.password:  # "/register ann sesame"
        raise refusal("the password begins with the nickname; type only the password", code="bad_password")
    ban = chat.bans.of_account(name)
    if ban is not None:
        raise BannedFromServer(ban.reason)
    with chat.order.change(session):
        chat.nicknames.require_free(name, session)
        if chat.logins.is_changing_locked(name):  # it is being deleted
            raise AccountExists(name)
    chat.logins.registrations.count(place := address_key(session.address))
    try:
        ask_accounts(session, lambda: finish(chat.accounts.register, name, verb.password))
    except AccountExists as error:
        become(chat, session, _prove_again(session, name, verb.password, error), verb.ref, registered=True)
        return
    moments: list[int] = []

    def note_locked(outcome: Outcome) -> None:
        chat.logins.note_place_locked(name_of(name), place)
        moments.append(chat.logins.moment)

    chat.propose(NewAccount(name), then=note_locked)
    proof = Proof(name, moments[0])
    chat.audit.note(session, f"registered the account {name}")
    become(chat, session, proof, verb.ref, registered=True)
    holder = chat.find(name)
    if holder is not None and holder is not session:  # it took the nickname while the password was hashed
        reconsider(holder)


def _prove_again(session: Session, account: str, password: str, error: Refused) -> Proof:
    """
    Return a proof if a repeated request has the right password: the reply to the first one may have been lost.

    Raises:
        Refused: If the password is wrong: the given error, as if nothing had been checked.
    """
    try:
        return check_password(session, account, password)
    except BadCredentials:
        raise error from None


def log_in(chat: Chat, session: Session, verb: verbs.LogIn) -> None:
    wanted, password = verb.account if verb.account is not None else session.nickname, verb.password
    if wanted is None:
        raise NotRegistered
    own = session.nickname
    if verb.typed and own is not None and not _has_account(chat, wanted) and _has_account(chat, own):
        wanted, password = own, verb.typed_password
    become(chat, session, check_password(session, wanted, password), verb.ref)


def _has_account(chat: Chat, name: str) -> bool:
    try:
        return owner_of(chat, check_nickname(name, chat.limits)) is not None
    except InvalidNickname:
        return False


def log_out(chat: Chat, session: Session, verb: verbs.LogOut) -> None:
    if session.account is None:
        raise NotLoggedIn
    become(chat, session, None, verb.ref)


def change_password(chat: Chat, session: Session, verb: verbs.ChangePassword) -> None:
    """Change the password, and log out all other sessions, which may know only the old one."""
    try:
        proof = check_password(session, account_of(session), verb.password)
    except BadCredentials as error:
        account = account_of(session)
        with chat.order.lock:
            changed = chat.logins.has_changed_locked(account)
        if not changed:  # so it is a mistake, and one attempt is enough
            raise
        _prove_again(session, account, verb.new_password, error)
        chat.send(session, Ok(verb.ref))
        return
    account = proof.account
    with changing(chat, account, proof):
        ask_accounts(session, lambda: finish(chat.accounts.change_password, account, verb.new_password))
        chat.audit.note(session, f"changed the password of the account {account}")
        log_out_everybody(chat, account, but=session)
    session.notice(f"the password of the account {account} was changed")
    chat.send(session, Ok(verb.ref))


def drop_account(chat: Chat, session: Session, verb: verbs.DropAccount) -> None:
    proof = check_password(session, account_of(session), verb.password)
    account = proof.account
    with changing(chat, account, proof):
        ask_accounts(session, lambda: finish(chat.accounts.drop, account))
        chat.audit.note(session, f"deleted the account {account}")
        session.notice(f"the account {account} was deleted")
        forget_account(chat, account)
        log_out_everybody(chat, account, by=session, ref=verb.ref)


def log_out_everybody(
    chat: Chat, account: str, *, but: Session | None = None, by: Session | None = None, ref: Ref = None
) -> None:
    """
    Log everybody out of an account, and invalidate every proof of its old password.

    That concerns live sessions, lost ones that may come back, and logins that are still being checked.

    Args:
        but: A session that stays logged in.
        by: The session whose verb asked for it, with this `ref`.
    """
    strangers: list[Session] = []

    def log_out_locked(outcome: Outcome) -> None:
        strangers.extend([one for one in chat.census.strangers if one.is_of(account) and one is not but])
        for one in strangers:
            _be_logged_in_locked(chat, one, None, ref if one is by else None)

    proposal = EndOfLogins(account, None if but is None else but.identity, chat.cloaks.server)
    effects = chat.propose(proposal, ref=ref, asker=by, first=log_out_locked).effects
    others = [chat.nicknames.get(effect.identity) for effect in effects if type(effect) is SendTo]
    for other in [*strangers, *others]:
        if other is not None:
            reconsider(other)


def regain(chat: Chat, session: Session, verb: verbs.Regain) -> None:
    """Log in, if a password is given, and take the nickname. Its holder is renamed or disconnected (`reclaim.py`)."""
    nickname = check_nickname(verb.nickname, chat.limits)
    owner = owner_of(chat, nickname)
    if verb.password is not None and not session.is_of(owner):
        become(chat, session, check_password(session, owner or nickname, verb.password), None)
    reclaiming.regain(chat, session, nickname)
    claim(chat, session, nickname)
    chat.send(session, Ok(verb.ref))


def become(chat: Chat, session: Session, proof: Proof | None, ref: Ref, *, registered: bool = False) -> None:
    """
    Log a session in to an account it has proved to own, or out if the proof is None, and tell it and the others.

    From now on, it may use a nickname of its previous account only for the grace period.

    Raises:
        BadCredentials: If the account has changed since the proof.
        BannedFromServer: If the account is banned.
    """
    account, moment = (None, 0) if proof is None else (proof.account, proof.moment)
    with chat.order.change(session):
        if session.nickname is None:
            if proof is not None:
                require_locked(chat, proof)
            _be_logged_in_locked(chat, session, account, ref, registered=registered)
            return
    login = NewLogin(session.identity, account, moment, registered, chat.cloaks.server)
    if isinstance(chat.propose(login, session, ref).event, AccountChanged):
        reconsider(session)


def _be_logged_in_locked(
    chat: Chat, session: Session, account: str | None, ref: Ref, *, registered: bool = False
) -> None:
    """Set the account of a session that has no nickname yet, so that this is no part of the shared state."""
    set_account(session.person, account)
    if not session.closed:
        place = session.nickname, session.userhost
        answer = LoggedOut(ref, *place) if account is None else LoggedIn(ref, account, registered, *place)
        chat.order.send_locked(session, answer)
