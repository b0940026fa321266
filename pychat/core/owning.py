"""
Whose nickname it is: one that belongs to an account can be borrowed for a while, and then it goes back.

Who comes with a nickname of an account has `Limits.nickname_grace_seconds` to log in. After that, the server gives
it another one. Programs inside this process may be called anything.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from pychat.core.errors import NicknameInUse, Refused
from pychat.core.events import Notice, Renamed
from pychat.core.session import Session

if TYPE_CHECKING:
    from pychat.core.chat import Chat

_GUEST: Final = "guest-"
_SHORT_GUEST: Final = "g"
_DIGITS: Final = 6
_TRIES: Final = 100


class NicknameRegistered(Refused):
    """The nickname belongs to an account that the session is not logged in to."""

    code = "nickname_registered"

    def __init__(self, nickname: str) -> None:
        self.subject = (nickname,)
        super().__init__(f"nickname {nickname!r} belongs to an account; log in, or take another")


def owner_of(session: Session, nickname: str) -> str | None:
    """Return the account that the nickname belongs to, if the session should not have it; None: it may."""
    if session.is_local:
        return None
    owner = session.chat.accounts.owner(nickname)
    return None if owner == session.account else owner


def require_own(session: Session, nickname: str) -> bool:
    """
    Return whether the session only borrows this nickname.

    Raises:
        NicknameRegistered: It belongs to somebody else, and the session has had its time to log in.
    """
    if owner_of(session, nickname) is None:
        return False
    chat = session.chat
    now = chat.clock.monotonic()
    until = session.borrows_until
    if until is None:
        until = now + chat.limits.nickname_grace_seconds
    if until <= now:
        raise NicknameRegistered(nickname)
    session.borrows_until = until
    return True


def lend(session: Session) -> None:
    """Tell a session that it borrows its nickname, and take it back in time."""
    chat, nickname = session.chat, session.nickname
    if nickname is None or session.borrows_until is None or owner_of(session, nickname) is None:
        return
    left = max(0.0, session.borrows_until - chat.clock.monotonic())
    session.notice(
        f"the nickname {nickname} belongs to an account: log in within {left:.0f} s (/login PASSWORD), "
        "or you will get another one"
    )
    chat.alarms.after(left, lambda: take_back(session))


def take_back(session: Session) -> None:
    """Give a session a nickname of a guest, if the one that it has is still not its own. On any thread."""
    chat = session.chat
    with chat.order.lock:
        old = session.nickname
        if session.closed or old is None or owner_of(session, old) is None:
            return
        new = _become_guest_locked(chat, session)
        text = f"the nickname {old} belongs to an account; you are {new} now"
        chat.order.send_locked(session, Notice(0, chat.clock.time(), None, text))
    chat.order.wake()
    chat.run_on(chat.chains.on_nick, session, old, new)


def rename_locked(chat: Chat, session: Session, nickname: str) -> None:
    """
    Let a session that has a nickname go by another one, which is checked. Under the chat's order lock.

    Raises:
        NicknameInUse: Somebody else has it.
    """
    old = session.nickname
    assert old is not None
    chat.nicknames.claim(session, nickname)
    chat.past.add(session, old)
    event = Renamed(0, 0.0, session.room_names, old, nickname, session.userhost)
    chat.order.append_locked(event, tuple(session.rooms.values()), also=session)
    chat.lasting.keep_session_locked(session)
    chat.watches.claimed_locked(session, old)


def _become_guest_locked(chat: Chat, session: Session) -> str:
    prefix = _GUEST if chat.limits.nickname_chars >= len(_GUEST) + _DIGITS else _SHORT_GUEST
    for _ in range(_TRIES):
        number = secrets.randbelow(10**_DIGITS)
        nickname = f"{prefix}{number:0{_DIGITS}}"[: chat.limits.nickname_chars]
        if chat.accounts.owner(nickname) is None:
            try:
                rename_locked(chat, session, nickname)
            except NicknameInUse:
                continue
            return nickname
    raise RuntimeError("no nickname is free for a guest")
