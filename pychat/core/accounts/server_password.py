"""Passwords that can be checked and not be shown: they themselves are not kept. And who lacks the server's."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from typing import TYPE_CHECKING

from pychat.core.accounts.authentication import attempt
from pychat.core.people.journal import described
from pychat.model.errors import Refused

if TYPE_CHECKING:
    from pychat.core.session import Session

logger = logging.getLogger("pychat")


class PasswordRequired(Refused):
    """Nobody comes in without the server's password."""

    code = "password_required"

    def __init__(self) -> None:
        super().__init__("this server wants a password")


class WrongServerPassword(Refused):
    """It is another one."""

    code = "wrong_password"

    def __init__(self) -> None:
        super().__init__("wrong password")


class Password:
    """One password. How long `fits` takes tells nothing of it."""

    def __init__(self, text: str) -> None:
        if not text:
            raise ValueError("the password is empty")
        self._key = secrets.token_bytes(32)
        self._digest = self._digest_of(text)

    def _digest_of(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(errors="surrogatepass"), hashlib.sha256)

    def fits(self, text: str) -> bool:
        """Whether this is it."""
        return hmac.compare_digest(self._digest, self._digest_of(text))


def require_password(session: Session, given: str | None) -> None:
    """
    Return if the session may come in: the server has no password, or this is it.

    Those who come back with a token have proved that they are those who came in before, and are not asked, unless
    the server was started anew meanwhile: then the password may be another one.

    Raises:
        PasswordRequired: None was given.
        WrongServerPassword: It is another one.
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
    logger.warning("%s gave a wrong password of the server", described(session))
    raise WrongServerPassword


def require_entry(session: Session) -> None:
    """
    Return if the session has come in, or needs no password for that.

    Raises:
        PasswordRequired: Whether it knows the password is not known yet.
    """
    if session.nickname is None and _password_for(session) is not None:
        raise PasswordRequired


def _password_for(session: Session) -> Password | None:
    """Return what the session has to say to come in; None for those inside this process."""
    return None if session.is_local else session.chat.password
