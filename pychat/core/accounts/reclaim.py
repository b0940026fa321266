"""
Reclaiming a nickname: its proven owner gets it, unless somebody is there who has it.

A lost connection does not always end: a closed laptop is just silent, until the server notices after
`Limits.silence_seconds`. So when the owner wants the nickname, the server probes the old connection. If that answers,
it keeps the nickname, because otherwise two devices that log in automatically would disconnect each other for ever. To
take the nickname from it, a person must ask for that (`Regain`, `Hello.regain`).
"""

from __future__ import annotations

from threading import Event as ThreadEvent
from typing import TYPE_CHECKING, Final

from pychat.core.accounts.nickname_ownership import is_of_account, owner_of, take_back
from pychat.core.people.changes import ReservationEnd
from pychat.core.session import Session
from pychat.core.waiting import before_wait
from pychat.model.errors import NicknameAnswers, NotLoggedIn, refusal

if TYPE_CHECKING:
    from pychat.core.chat import Chat

_ANSWER_SECONDS: Final = 4.0
"""How long a connection may take to answer the probe; the client that wants its nickname waits up to 10 s."""


def account_of(session: Session) -> str:
    """
    Return the account of a session.

    Raises:
        NotLoggedIn: If it has none.
    """
    if session.account is None:
        raise NotLoggedIn
    return session.account


def make_way(session: Session, nickname: str) -> None:
    """
    End a connection that has the nickname and does not answer, if the session is logged in as the owner.

    Raises:
        NicknameAnswers: If the connection answers.
    """
    chat = session.chat
    if session.is_local or not is_of_account(session, nickname):
        return
    holder = chat.find(nickname)
    if holder is None or holder is session:
        return
    if holder.answers(_ANSWER_SECONDS):
        raise NicknameAnswers(nickname)
    _disconnect_for_good(chat, holder)


def regain(chat: Chat, session: Session, nickname: str) -> None:
    """
    Free the nickname for its owner: end the owner's other connection, or rename somebody else's.

    A session that has not proved to be the owner is not told whether the nickname is registered.

    Raises:
        NotLoggedIn: If the session is not logged in.
        Refused: If the nickname belongs to another account, or to none.
    """
    account_of(session)
    owner = owner_of(chat, nickname)
    if not session.is_of(owner):
        text = f"nickname {nickname!r} does not belong to your account"
        raise refusal(text, code="bad_request", subject=(nickname,))
    with chat.order.change(session):
        if not session.is_of(owner):  # check again: it may have been logged out meanwhile
            raise NotLoggedIn
        holder = chat.nicknames.find(nickname)
        own = holder is not None and holder.account == session.account
        digest = chat.state.people.reservation_of(nickname)
        if digest is not None:
            by = None if session.nickname is None else session.identity
            chat.sequencer.apply_locked(ReservationEnd((digest,), by, owner))
    if holder is None or holder is session or holder.is_local:
        return
    if own:
        _disconnect_for_good(chat, holder)
    else:
        take_back(holder)


def _disconnect_for_good(chat: Chat, holder: Session) -> None:
    holder.must_not_return = True
    end_old(chat, holder, "regained from elsewhere")


def end_old(chat: Chat, holder: Session, reason: str) -> None:
    """
    End another session of the same person, and wait for that.

    Raises:
        Refused: If it does not end in time (`nickname_in_use`).
    """
    with chat.order.lock:
        if chat.nicknames.find(holder.nickname or "") is not holder:
            return  # it has just ended by itself
        holder.ended = ended = holder.ended or ThreadEvent()
    holder.disconnect(reason)
    before_wait()
    if not ended.wait(chat.limits.stall_seconds):
        raise refusal("your old connection has not ended yet; try again", code="nickname_in_use")
