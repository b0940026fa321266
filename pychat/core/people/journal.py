"""
What the log of the server says of people: who came, from where, how they are known, and how they went.

For whoever runs the server, at the level `info`; nothing of it is sent to anybody. Nobody writes under a lock: what
happens there (the audit record) waits for the thread that has done it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pychat.core.session import Session

logger = logging.getLogger("pychat")


def described(session: Session) -> str:
    """Return who somebody is, for a line of the log: "ann from 192.0.2.1 (account Ann)"."""
    account = f" (account {session.account})" if session.account is not None else ""
    return f"{session.nickname or 'somebody'} from {session.address or 'inside'}{account}"


def note_coming(session: Session) -> None:
    """Write that somebody has a nickname now."""
    secure = ", TLS" if session.secure else ""
    logger.info("%s has come in: %s%s", described(session), session.language or "program", secure)


def note_going(session: Session, reason: str) -> None:
    """Write that somebody has gone who had a nickname."""
    if session.nickname is None:
        return
    seconds = session.chat.clock.monotonic() - session.began
    logger.info("%s is gone after %.0f s, messages: %d, %r", described(session), seconds, session.messages, reason)
