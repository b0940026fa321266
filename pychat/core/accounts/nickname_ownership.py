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
from pychat.core.accounts.changes import Claim, Grace, TakingBack
from pychat.core.moderation.server_bans import require_welcome
from pychat.core.outcome import Outdated
from pychat.core.session import Session
from pychat.model.errors import InternalFailure, InvalidNickname, NicknameInUse
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


def claim_of(session: Session, nickname: str) -> Claim:
    """
    Return what there is to know of a nickname that a session wants.

    Raises:
        BannedFromServer: If the session is banned under this nickname.
        InternalFailure: If the accounts fail.
    """
    chat = session.chat
    accounts, bans = chat.logins.moment, chat.bans.version
    require_welcome(session, nickname)
    owner, seconds = owner_of(chat, nickname), float(chat.limits.nickname_grace_seconds)
    return Claim(nickname, owner, session.is_local, seconds, accounts, bans)


def _seconds_left(session: Session) -> float:
    if session.grace_until is None:
        return session.chat.limits.nickname_grace_seconds
    return session.grace_until - session.chat.clock.monotonic()


def lend(session: Session) -> None:
    """Warn that the nickname is registered, and schedule the forced rename."""
    chat, nickname = session.chat, session.nickname
    left = max(0.0, _seconds_left(session))
    if session.grace_until is None:
        chat.propose(Grace(session.identity, left))
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
    for _ in range(_TRIES):
        accounts, old = chat.logins.moment, session.nickname
        owner = None if session.is_local or old is None else owner_of(chat, old)
        if session.closed or old is None or owner is None or session.is_of(owner):
            return
        guest = _guest_nickname(chat)
        if owner_of(chat, guest) is not None:
            continue
        try:
            outcome = chat.propose(TakingBack(session.identity, old, owner, guest, accounts))
        except (NicknameInUse, Outdated):
            continue
        if outcome.effects:
            chat.run_on(chat.chains.on_nick, session, old, guest)
        return
    raise RuntimeError("no nickname for a guest is free")


def _guest_nickname(chat: Chat) -> str:
    prefix = _GUEST if chat.limits.nickname_chars >= len(_GUEST) + _DIGITS else _SHORT_GUEST
    return f"{prefix}{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"[: chat.limits.nickname_chars]
