"""
Log lines about people: their arrival, address, identity and departure.

They are for the server's administrator, at level `info`, and are not sent to anybody. Nothing is written under a lock:
the audit record waits for the thread that made the change.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pychat.core.session import Session

logger = logging.getLogger("pychat")


def described(session: Session) -> str:
    """Return a description of a session for a log line: "ann from 192.0.2.1 (account Ann)"."""
    account = f" (account {session.account})" if session.account is not None else ""
    return f"{session.nickname or 'somebody'} from {session.address or 'inside'}{account}"


def note_coming(session: Session) -> None:
    """Log that a session has its first nickname."""
    secure = ", TLS" if session.secure else ""
    logger.info("%s joined the server: %s%s", described(session), session.language or "program", secure)


def note_going(session: Session, reason: str) -> None:
    """Log that a session with a nickname has ended."""
    if session.nickname is None:
        return
    seconds = session.chat.clock.monotonic() - session.began
    logger.info(
        "%s left the server after %.0f s, messages: %d, %r", described(session), seconds, session.messages, reason
    )
