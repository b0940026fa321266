"""Server operators: who may become one, and what these may do. What their verbs do."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from pychat.core import verbs
from pychat.core.credentials import attempt
from pychat.core.errors import NoSuchNickname, Refused
from pychat.core.modes import ModeChange
from pychat.core.passwords import Password
from pychat.core.profiles import change_modes
from pychat.core.replies import Failure, Killed, Ok, Wallops
from pychat.core.session import Session
from pychat.core.text import because

if TYPE_CHECKING:
    from pychat.core.chat import Chat

logger = logging.getLogger("pychat")

_TRIES: Final = 3
"""Wrong passwords after which a session is ended."""


class WrongPassword(Refused):
    """The name or the password of an operator is wrong; which one is not told."""

    code = "wrong_password"

    def __init__(self) -> None:
        super().__init__("wrong name or password")


class Operators:
    """Names and passwords."""

    def __init__(self, passwords: Mapping[str, str]) -> None:
        self._passwords = {name: Password(password) for name, password in passwords.items()}
        self._nobody = Password(secrets.token_urlsafe())

    def check(self, name: str, password: str) -> bool:
        """Whether the password is that of the name. It takes as long for names that there are not."""
        return self._passwords.get(name, self._nobody).fits(password)


def become_operator(chat: Chat, session: Session, verb: verbs.BecomeOperator) -> None:
    if not attempt(session, ("operator", verb.name), lambda: chat.operators.check(verb.name, verb.password) or None):
        # Not the name: people type the password there.
        logger.warning("%s from %s gave a wrong operator password", session.nickname, session.address or "inside")
        tries = session.memo[Operators] = session.memo.get(Operators, 0) + 1
        chat.send(session, Failure.of(WrongPassword(), verb.ref))
        if tries >= _TRIES:
            session.end(f"{_TRIES} wrong passwords")
        return
    session.memo.pop(Operators, None)
    chat.audit.note(session, f"became server operator {verb.name}")
    logger.info("%s from %s is server operator %s now", session.nickname, session.address or "inside", verb.name)
    change_modes(chat, session, [ModeChange(True, "o")], verb.ref)


def kill(chat: Chat, session: Session, verb: verbs.Kill) -> None:
    target = chat.find(verb.nickname)
    if target is None:
        raise NoSuchNickname(verb.nickname)
    reason = chat.checked_short_text("reason", verb.reason)
    target.unwanted = True
    chat.audit.note(session, f"disconnected {target.nickname}!{target.userhost}{because(reason)}")
    logger.info("%r from %s disconnects %r: %r", session.nickname, session.address, target.nickname, reason)
    chat.send(target, Killed(session.nickname or "", session.userhost, reason))
    session.notice(f"{target.nickname} is disconnected")  # who shares no room with them sees nothing of it
    target.kick(f"killed by {session.nickname}{because(reason)}")
    chat.send(session, Ok(verb.ref))


def send_wallops(chat: Chat, session: Session, verb: verbs.SendWallops) -> None:
    text = chat.checked_short_text("message", verb.text)
    if not text:
        raise Refused("the message is empty", code="empty")
    chat.order.flush()
    with chat.order.lock:
        item = Wallops(session.nickname or "", session.userhost, text)
        for listener in chat.census.having["w"]:
            chat.order.send_locked(listener, item)
    chat.order.wake()
    chat.send(session, Ok(verb.ref))
