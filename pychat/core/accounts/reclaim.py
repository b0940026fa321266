"""
Taking a nickname back: whoever has proved to be its owner finds it free, unless somebody is there who has it.

A connection that is lost does not always end: the other side may just be silent, with a laptop that was closed, until
the server finds that out after `Limits.silence_seconds`. So for the owner it is asked whether it is still there. One
that answers keeps the nickname, or two devices that log in by themselves would put each other out for ever; to take it
from such a one is for people, who ask for it (`Regain`, `Hello.regain`).
"""

from __future__ import annotations

from threading import Event as ThreadEvent
from typing import TYPE_CHECKING, Final

from pychat.core.accounts.nickname_ownership import is_of_account, owner_of, take_back
from pychat.core.session import Session
from pychat.model.errors import NicknameAnswers, Refused

if TYPE_CHECKING:
    from pychat.core.chat import Chat

_ANSWER_SECONDS: Final = 4.0
"""How long a connection may take to answer that it is there; whoever waits for its nickname has patience for 10."""


class NotLoggedIn(Refused):
    """It is for those who have logged in."""

    code = "not_logged_in"

    def __init__(self) -> None:
        super().__init__("you are not logged in; use login, or register")


def account_of(session: Session) -> str:
    """
    Return the account of a session.

    Raises:
        NotLoggedIn: It has none.
    """
    if session.account is None:
        raise NotLoggedIn
    return session.account


def make_way(session: Session, nickname: str) -> None:
    """
    Let a connection that does not answer have the nickname no more, if the session is logged in as its owner.

    Raises:
        NicknameAnswers: Somebody has it who is there.
    """
    chat = session.chat
    if session.is_local or not is_of_account(session, nickname):
        return
    with chat.order.lock:
        holder = chat.nicknames.find(nickname)
    if holder is None or holder is session:
        return
    if holder.answers(_ANSWER_SECONDS):
        raise NicknameAnswers(nickname)
    _put_out(chat, holder)


def regain(chat: Chat, session: Session, nickname: str) -> None:
    """
    Let nobody else have the nickname; a connection of one's own that is left over is ended.

    Whether the nickname belongs to an account is not told to those who have not proved to be its owner.

    Raises:
        NotLoggedIn: The session has proved nothing.
        Refused: The nickname belongs to another account, or to none.
    """
    account_of(session)
    if not session.is_of(owner_of(chat, nickname)):
        text = f"nickname {nickname!r} does not belong to your account"
        raise Refused(text, code="bad_request", subject=(nickname,))
    with chat.order.lock:
        account_of(session)  # it may have been logged out meanwhile
        chat.nicknames.free_parked(nickname)
        holder = chat.nicknames.find(nickname)
        if holder is None or holder is session or holder.is_local:
            return
        own = holder.account == session.account
    if own:
        _put_out(chat, holder)
    else:
        take_back(holder)


def _put_out(chat: Chat, holder: Session) -> None:
    holder.unwanted = True
    end_old(chat, holder, "regained from elsewhere")


def end_old(chat: Chat, holder: Session, reason: str) -> None:
    """
    End another session of the same person, and wait for that.

    Raises:
        Refused: It does not end (`nickname_in_use`).
    """
    with chat.order.lock:
        if chat.nicknames.find(holder.nickname or "") is not holder:
            return  # it has just ended by itself
        holder.ended = ended = holder.ended or ThreadEvent()
    holder.kick(reason)
    if not ended.wait(chat.limits.stall_seconds):
        raise Refused("your old connection does not end; try again", code="nickname_in_use")
