"""Server operators: their passwords, and their verbs."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from pychat.core.accounts.authentication import attempt
from pychat.core.accounts.server_password import Password
from pychat.core.people.addressing import find_person
from pychat.core.people.journal import described
from pychat.core.people.user_modes import change_modes
from pychat.core.session import Session
from pychat.model import verbs
from pychat.model.arguments import texts_by_name
from pychat.model.errors import WrongOperatorPassword
from pychat.model.events import Notice
from pychat.model.modes import ModeChange
from pychat.model.replies import Failure, Killed, Ok, Wallops
from pychat.model.text import because, checked_announcement, checked_short_text

if TYPE_CHECKING:
    from pychat.core.chat import Chat

logger = logging.getLogger("pychat")

_TRIES: Final = 3
"""The number of wrong passwords after which a session is ended."""


class Operators:
    """The names and passwords of server operators."""

    def __init__(self, passwords: Mapping[str, str]) -> None:
        passwords = texts_by_name("operators", passwords, "{'root': 'secret'}")
        self._passwords = {name: Password(password) for name, password in passwords.items()}
        self._nobody = Password(secrets.token_urlsafe())

    def check(self, name: str, password: str) -> bool:
        """Return whether the password belongs to the name. It takes as long for unknown names."""
        return self._passwords.get(name, self._nobody).fits(password)


def become_operator(chat: Chat, session: Session, verb: verbs.BecomeOperator) -> None:
    name, password = verb.name, verb.password
    if not attempt(session, ("operator", name), lambda: chat.operators.check(name, password) or None):
        # Not the name: people type the password there.
        logger.warning("%s gave a wrong operator password", described(session))
        tries = session.memo[Operators] = session.memo.get(Operators, 0) + 1
        chat.send(session, Failure.of(WrongOperatorPassword(), verb.ref))
        if tries >= _TRIES:
            session.disconnect_self(f"{_TRIES} wrong passwords")
        return
    session.memo.pop(Operators, None)
    chat.audit.note(session, f"became server operator {verb.name}")
    change_modes(chat, session, [ModeChange(True, "o")], verb.ref)


def kill(chat: Chat, session: Session, verb: verbs.Kill) -> None:
    target = find_person(chat, session, verb.nickname)
    reason = checked_short_text("reason", verb.reason, chat.limits)
    target.must_not_return = True
    chat.audit.note(session, f"disconnected {target.nickname}!{target.userhost}{because(reason)}")
    chat.send(target, Killed(session.nickname or "", session.userhost, reason))
    # Sent first, so that it always comes before the leave line. An operator who shares no room with them sees only
    # this.
    session.notice(f"{target.nickname} is disconnected")
    target.disconnect(f"killed by {session.nickname}{because(reason)}")
    chat.send(session, Ok(verb.ref))


def announce(chat: Chat, session: Session, verb: verbs.Announce) -> None:
    text = checked_announcement(verb.text, chat.limits)
    with chat.order.change(session):
        chat.audit.note_locked(session, f"announced: {text}")
        notice = Notice(0, chat.clock.time(), None, text)
        for person in chat.nicknames.sessions():
            chat.order.send_locked(person, notice)
    chat.send(session, Ok(verb.ref))


def send_wallops(chat: Chat, session: Session, verb: verbs.SendWallops) -> None:
    text = checked_announcement(verb.text, chat.limits)
    with chat.order.change(session):
        item = Wallops(session.nickname or "", session.userhost, text)
        for listener in chat.census.having["w"]:
            chat.order.send_locked(listener, item)
    chat.send(session, Ok(verb.ref))
