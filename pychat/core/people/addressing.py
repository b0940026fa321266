"""
Whom a name means that somebody gives: a person, and never whoever has the nickname later.

What a client sends may wait in flood control, and in the buffers of the system, while nicknames change hands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.core.session import Session
from pychat.model.errors import NoSuchNickname, Refused

if TYPE_CHECKING:
    from pychat.core.chat import Chat


class HasLeft(Refused):
    """The one who is meant is not here any more; somebody else has the nickname."""

    code = "no_such_nickname"

    def __init__(self, nickname: str) -> None:
        self.subject = (nickname,)
        super().__init__(f"{nickname[:64]!r} has left; whoever is called so now is somebody else")


def find_person(chat: Chat, session: Session, nickname: str) -> Session:
    """
    Return whom a session means by a nickname.

    Raises:
        NoSuchNickname, HasLeft: That one is not here.
    """
    person = chat.find(nickname)
    if person is None:
        raise NoSuchNickname(nickname)
    require_same(session, person)
    return person


def require_same(session: Session, person: Session) -> None:
    """
    Return if somebody had the nickname already when the session asked for what is done now.

    Raises:
        HasLeft: Another one may have had it then.
    """
    if session.held_back is not None and person.named > session.held_back and person is not session:
        raise HasLeft(person.nickname or "")
