"""Verbs about accounts. Those that log in are answered by `LoggedIn`."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeAlias

from pychat.model.queries import Ref

PLAIN: Final = "PLAIN"
SCRAM: Final = "SCRAM-SHA-256"
"""Mechanisms of SASL."""
_SECRETS: Final = frozenset({"password", "new_password", "account_password", "message", "token", "keys"})
_MAYBE_SECRET: Final = "account"
"""Secret, too, if `LogIn.typed` is set: it may be the beginning of the password."""


def without_secrets(verb: Any) -> str:
    """Return the representation of a verb for logs and tracebacks."""
    secrets = {*_SECRETS, _MAYBE_SECRET} if getattr(verb, "typed", False) else _SECRETS
    shown = [f"{name}={'***' if name in secrets and value else repr(value)}" for name, value in verb._asdict().items()]
    return f"{type(verb).__name__}({', '.join(shown)})"


class Register(NamedTuple):
    """Create an account and log in to it. Default: one with the session's own nickname."""

    password: str
    account: str | None = None
    ref: Ref = None

    def __repr__(self) -> str:
        return without_secrets(self)


class LogIn(NamedTuple):
    """Log in to an account. Default: the one of the session's own nickname."""

    password: str
    account: str | None = None
    ref: Ref = None
    typed: bool = False
    """
    True if the account and the password were typed with a blank between them. If there is no such account, both
    together are the password for the session's own nickname.
    """

    @property
    def typed_password(self) -> str:
        """The account and the password together."""
        return f"{self.account} {self.password}"

    def __repr__(self) -> str:
        return without_secrets(self)


class Authenticate(NamedTuple):
    """Log in by a SASL message (`core/accounts/sasl.py`); answered by `SaslChallenge` while the exchange continues."""

    mechanism: str | None
    """The mechanism to begin; None to continue the current exchange."""
    message: bytes | None
    """None to abort the exchange."""
    ref: Ref = None

    def __repr__(self) -> str:
        return without_secrets(self)


class LogOut(NamedTuple):
    """Become a guest again."""

    ref: Ref = None


class ChangePassword(NamedTuple):
    """Change the password of the session's account."""

    password: str
    """The current password."""
    new_password: str
    ref: Ref = None

    def __repr__(self) -> str:
        return without_secrets(self)


class DropAccount(NamedTuple):
    """Delete the session's account; its nickname becomes free."""

    password: str
    ref: Ref = None

    def __repr__(self) -> str:
        return without_secrets(self)


class Regain(NamedTuple):
    """Take a nickname of the session's account from its holder; with a password, log in first."""

    nickname: str
    password: str | None = None
    ref: Ref = None

    def __repr__(self) -> str:
        return without_secrets(self)


AccountVerb: TypeAlias = Register | LogIn | Authenticate | LogOut | ChangePassword | DropAccount | Regain
