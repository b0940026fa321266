"""
The audit record: who did what to others, in the same log as what was said.

It is the record of a room that is none: no room can have its name, nobody can join it, and it is in no list. For server
operators, and for `pychat history --audit`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pychat.core.events import Notice
from pychat.core.queries import ReadAudit
from pychat.core.replies import HistoryPage
from pychat.core.room import Room

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.session import Session

AUDIT: Final = "*audit"
"""The name of what is no room: no room may be called so."""
_USUAL: Final = 20
"""Events in an answer, if nobody says how many."""


class Audit:
    """Of one chat. Each entry is a `Notice`."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._room = Room(chat, AUDIT)

    def note_locked(self, session: Session, what: str) -> None:
        """Record what a session has done. Under the chat's order lock."""
        account = f" (account {session.account})" if session.account is not None else ""
        text = f"{session.nickname or 'somebody'}!{session.userhost}{account} {what}"
        self._chat.order.append_locked(Notice(0, 0.0, AUDIT, text), self._room.alone)

    def note(self, session: Session, what: str) -> None:
        """The same, without the lock."""
        self._chat.order.flush()
        with self._chat.order.lock:
            self.note_locked(session, what)
        self._chat.order.wake()


def read_audit(chat: Chat, session: Session, verb: ReadAudit) -> None:
    limit = min(chat.limits.history_page, _USUAL if verb.limit is None else verb.limit)
    page = chat.log.read_before(AUDIT, verb.before, limit)
    chat.send(session, HistoryPage(verb.ref, AUDIT, tuple(page.events), page.more))
