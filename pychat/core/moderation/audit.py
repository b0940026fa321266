"""
The audit record: who did what to others, in the same log as what was said.

It is the record of a room that is none: no room can have its name, nobody can join it, and it is in no list. For server
operators, and for `pychat history --audit`; the log of the server has it as well (`info`).
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pychat.core.history.reader import Reading
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
"""Events in an answer, if nobody says how many."""


class Audit:
    """Of one chat. Each entry is a `Notice`."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self.room = Room(chat, AUDIT)
        self._unwritten: deque[str] = deque()
        """Lines for the log of the server; put here under the order lock."""

    def note_locked(self, by: Session | str, what: str) -> None:
        """
        Record what somebody has done, on one line whatever was given. Under the chat's order lock.

        Args:
            by: A session; or the name of one who has none, because the server does not run.
        """
        text = clean_line(f"{by if isinstance(by, str) else _described(by)} {what}")
        self._unwritten.append(text)
        self._chat.order.append_locked(Notice(0, 0.0, AUDIT, text), self.room.alone)

    def write(self) -> None:
        """Write what was recorded into the log of the server, too. Not under a lock."""
        while self._unwritten:
            with suppress(IndexError):  # another thread was faster
                logger.info("%s", self._unwritten.popleft())

    def note(self, by: Session | str, what: str) -> None:
        """The same, without the lock."""
        with self._chat.order.change():
            self.note_locked(by, what)
        self.write()


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
