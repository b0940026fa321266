"""Passwords that can be checked but not shown, because only digests are kept; and the server's password."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from typing import TYPE_CHECKING

from pychat.core.accounts.authentication import attempt
from pychat.core.people.journal import described
from pychat.model.errors import PasswordRequired, WrongServerPassword

if TYPE_CHECKING:
    from pychat.core.session import Session

logger = logging.getLogger("pychat")


class Password:
    """One password. The time that `fits` takes reveals nothing about it."""

    def __init__(self, text: str) -> None:
        if not text:
            raise ValueError("the password is empty")
        self._key = secrets.token_bytes(32)
        self._digest = self._digest_of(text)

    def _digest_of(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(errors="surrogatepass"), hashlib.sha256)

    def fits(self, text: str) -> bool:
        """Return whether this is the password."""
        return hmac.compare_digest(self._digest, self._digest_of(text))


def require_password(session: Session, given: str | None) -> None:
    """
    Check the server's password, if it has one.

    A session that resumes with a token is not asked, unless the server was restarted meanwhile: then the password may
    have changed.

    Raises:
        PasswordRequired: If none was given.
        WrongServerPassword: If it is wrong.
    """
    password = _password_for(session)
    session.lacks_password = password is not None
    if password is None:
        return
    if given is None:
        raise PasswordRequired
    session.lacks_password = not attempt(session, None, lambda: password.fits(given) or None)
    if not session.lacks_password:
        return
    logger.warning("%s gave a wrong password for the server", described(session))
    raise WrongServerPassword


def require_entry(session: Session) -> None:
    """
    Check that the session has a nickname, or needs no server password to get one.

    Raises:
        PasswordRequired: If it still has to give the password.
    """
    if session.nickname is None and _password_for(session) is not None:
        raise PasswordRequired


def _password_for(session: Session) -> Password | None:
    """Return the password that the session must give; None for sessions inside this process."""
    return None if session.is_local else session.chat.password
