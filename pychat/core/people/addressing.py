"""
Resolving nicknames in verbs: a verb means the person who had the nickname when it was sent, never a later one.

A verb may wait in flood control and in the system's buffers while nicknames change hands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.core.session import Session
from pychat.model.errors import HasLeft, NoSuchNickname

if TYPE_CHECKING:
    from pychat.core.chat import Chat


def find_person(chat: Chat, session: Session, nickname: str) -> Session:
    """
    Return the person that a session means by a nickname.

    Raises:
        NoSuchNickname, HasLeft: If that person is not here.
    """
    person = chat.find(nickname)
    if person is None:
        raise NoSuchNickname(nickname)
    require_same(session, person)
    return person


def require_same(session: Session, person: Session) -> None:
    """
    Check that the person already had the nickname when the session sent the verb.

    Raises:
        HasLeft: If somebody else may have had it then.
    """
    if session.held_back is not None and person.named > session.held_back and person is not session:
        raise HasLeft(person.nickname or "")
