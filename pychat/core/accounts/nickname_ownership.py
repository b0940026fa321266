"""
Nickname ownership: a registered nickname may be used by others only for a grace period.

A session with a nickname of another account has `Limits.nickname_grace_seconds` to log in. After that, the server
renames it. The period is granted once: a session that logs out after it is renamed at once. Programs inside this
process may use any nickname.
"""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Final

from pychat.core.accounts.base import checked_name
from pychat.core.people.changes import note_named
from pychat.core.session import Session
from pychat.model.errors import InternalFailure, InvalidNickname, NicknameInUse, NicknameRegistered
from pychat.model.events import Notice, Renamed
from pychat.model.names import fold
from pychat.model.reserved_names import reserved_word

if TYPE_CHECKING:
    from pychat.core.chat import Chat

logger = logging.getLogger("pychat")

_GUEST: Final = "guest-"
_SHORT_GUEST: Final = "g"
_DIGITS: Final = 6
_TRIES: Final = 100


def owner_of(chat: Chat, nickname: str) -> str | None:
    """
    Return the account that a nickname belongs to; None if to none. The chat's order lock may be held.

    Raises:
        InternalFailure: If the accounts, which may belong to a program, fail.
    """
    try:
        return checked_name(chat.accounts, "owner", chat.accounts.owner(nickname))
    except KeyboardInterrupt:
        raise
    except BaseException:
        logger.exception("the accounts failed to tell whose a nickname is")
        raise InternalFailure from None


def require_unreserved(session: Session, nickname: str) -> None:
    """
    Check that a valid nickname is not reserved; programs inside this process may use any.

    A registered nickname is exempt: it was registered before it was reserved, or by an administrator.

    Raises:
        InvalidNickname: If it is reserved, or looks like a reserved one.
    """
    chat = session.chat
    word = None if session.is_local else reserved_word(nickname, chat.name)
    if word is not None and owner_of(chat, nickname) is None:
        problem = (
            f"{word!r} is reserved" if fold(nickname) == fold(word) else f"it looks like {word!r}, which is reserved"
        )
        raise InvalidNickname(nickname, problem, chat.limits.nickname_chars)


def is_of_account(session: Session, nickname: str) -> bool:
    """Return whether a nickname belongs to the account that the session is logged in to."""
    return session.account is not None and session.is_of(owner_of(session.chat, nickname))


def is_own(session: Session, nickname: str) -> bool:
    """Return whether the session may keep this nickname, because it belongs to no other account."""
    owner = None if session.is_local else owner_of(session.chat, nickname)
    return owner is None or session.is_of(owner)


def require_own(session: Session, nickname: str) -> bool:
    """
    Return whether the session may keep this nickname; if not, it may use it for the grace period (`lend`).

    Raises:
        NicknameRegistered: If it belongs to somebody else, and the grace period is over.
    """
    if is_own(session, nickname):
        return True
    if _seconds_left(session) <= 0:
        raise NicknameRegistered(nickname)
    return False


def _seconds_left(session: Session) -> float:
    if session.grace_until is None:
        return session.chat.limits.nickname_grace_seconds
    return session.grace_until - session.chat.clock.monotonic()


def lend(session: Session) -> None:
    """Warn that the nickname is registered, and schedule the forced rename."""
    chat, nickname = session.chat, session.nickname
    left = max(0.0, _seconds_left(session))
    if session.grace_until is None:
        session.grace_until = chat.clock.monotonic() + left
        chat.alarms.after(left, lambda: take_back(session))
    session.notice(
        f"the nickname {nickname} belongs to an account: log in within {left:.0f} s (/login PASSWORD), "
        "or you will be renamed"
    )


def reconsider(session: Session) -> None:
    """Warn or rename a session whose nickname has become somebody else's."""
    nickname = session.nickname
    if nickname is None or is_own(session, nickname):
        return
    if _seconds_left(session) > 0:
        lend(session)
    else:
        take_back(session)


def take_back(session: Session) -> None:
    """Rename a session to a guest nickname if its own still belongs to another account. Runs on any thread."""
    chat = session.chat
    with chat.order.change():
        old = session.nickname
        if session.closed or old is None or is_own(session, old):
            return
        new = _become_guest_locked(chat, session)
        text = f"the nickname {old} belongs to an account; you are now {new}"
        chat.order.send_locked(session, Notice(0, chat.clock.time(), None, text))
    chat.run_on(chat.chains.on_nick, session, old, new)


def rename_locked(chat: Chat, session: Session, nickname: str) -> None:
    """
    Rename a session that has a nickname; the new one must be checked. Hold the chat's order lock.

    Raises:
        NicknameInUse: If somebody else has it.
    """
    old = session.nickname
    assert old is not None
    chat.nicknames.claim(session, nickname)
    chat.past.add(session, old)
    note_named(session.person, chat.clock.monotonic(), chat.log.last_id())
    event = Renamed(0, 0.0, session.room_names, old, nickname, *session.origin)
    chat.order.append_locked(event, tuple(session.rooms.values()), extra=session)
    chat.persistence.save_session_locked(session)
    chat.watches.claimed_locked(session, old)


def _become_guest_locked(chat: Chat, session: Session) -> str:
    prefix = _GUEST if chat.limits.nickname_chars >= len(_GUEST) + _DIGITS else _SHORT_GUEST
    for _ in range(_TRIES):
        number = secrets.randbelow(10**_DIGITS)
        nickname = f"{prefix}{number:0{_DIGITS}}"[: chat.limits.nickname_chars]
        if owner_of(chat, nickname) is None:
            try:
                rename_locked(chat, session, nickname)
            except NicknameInUse:
                continue
            return nickname
    raise RuntimeError("no nickname for a guest is free")
