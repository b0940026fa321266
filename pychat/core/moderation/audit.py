"""
The audit record: who did what to others, in the same log as the messages.

It is stored as a room that does not exist: no room can have its name, nobody can join it, and no list contains it. It
is for server operators, and for `pychat history --audit`; the server's log has it as well (`info`).
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pychat.core.history.reader import Reading
from pychat.core.outcome import Author
from pychat.core.price import Effort
from pychat.core.rooms.room import Room
from pychat.model.events import Notice
from pychat.model.names import AUDIT
from pychat.model.queries import ReadAudit
from pychat.model.replies import HistoryPage
from pychat.model.text import clean_line

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.session import Session

logger = logging.getLogger("pychat")

_USUAL: Final = 20
"""The default number of events in a reply."""


class Audit:
    """The audit record of one chat. Each entry is a `Notice`."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self.room = Room(chat, AUDIT)
        self._unwritten: deque[str] = deque()
        """Lines for the server's log; added under the order lock."""

    def note_locked(self, by: Session | str, what: str) -> None:
        """
        Record an action, always on one line. Hold the chat's order lock.

        Args:
            by: The session that did it; or a name if there is none, because the server is not running.
        """
        text = clean_line(f"{by if isinstance(by, str) else _described(by)} {what}")
        self._unwritten.append(text)
        self._chat.order.append_locked(Notice(0, 0.0, AUDIT, text), self.room.as_tuple)

    def write(self) -> None:
        """Write the recorded lines to the server's log, too. Do not hold a lock."""
        while self._unwritten:
            with suppress(IndexError):  # another thread took it first
                logger.info("%s", self._unwritten.popleft())

    def note(self, by: Session | str, what: str) -> None:
        """Record an action, without holding the lock."""
        with self._chat.order.change():
            self.note_locked(by, what)
        self.write()


def author_of(session: Session) -> Author:
    """Return a session as the author of a proposal."""
    return Author(session.identity, _described(session))


def _described(session: Session) -> str:
    known = [session.address] if session.address else []
    known += [f"account {session.account}"] if session.account is not None else []
    where = f" ({', '.join(known)})" if known else ""
    return f"{session.nickname or 'somebody'}!{session.userhost}{where}"


def read_audit(chat: Chat, session: Session, verb: ReadAudit) -> None:
    limit = min(chat.limits.history_page, _USUAL if verb.limit is None else verb.limit)
    found = Reading(chat, session, chat.audit.room, Effort(), before=verb.before).last(limit)
    then = found.end if found.more else None
    chat.send(session, HistoryPage(verb.ref, AUDIT, tuple(found.events), found.more, next=then))
