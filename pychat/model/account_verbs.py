"""What a session asks for that has to do with accounts. Those that log in are answered by `LoggedIn`."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeAlias

from pychat.model.queries import Ref

PLAIN: Final = "PLAIN"
SCRAM: Final = "SCRAM-SHA-256"
"""Mechanisms of SASL."""
_SECRETS: Final = frozenset({"password", "new_password", "account_password", "message", "token", "keys"})
_MAYBE_SECRET: Final = "account"
"""If it is `LogIn.typed`: it may be the beginning of the password."""


def without_secrets(verb: Any) -> str:
    """Return how a verb is shown in logs and tracebacks."""
    secrets = {*_SECRETS, _MAYBE_SECRET} if getattr(verb, "typed", False) else _SECRETS
    shown = [f"{name}={'***' if name in secrets and value else repr(value)}" for name, value in verb._asdict().items()]
    return f"{type(verb).__name__}({', '.join(shown)})"


class Register(NamedTuple):
    """Make an account and log in to it; None: that of the session's own nickname."""

    password: str
    account: str | None = None
    ref: Ref = None

    def __repr__(self) -> str:
        return without_secrets(self)


class LogIn(NamedTuple):
    """Log in to an account; None: that of the session's own nickname."""

    password: str
    account: str | None = None
    ref: Ref = None
    typed: bool = False
    """
    Somebody has typed account and password with a blank between them: if nobody has such an account, the password is
    both of them together, that of the session's own nickname.
    """

    @property
    def typed_password(self) -> str:
        """Both of them together."""
        return f"{self.account} {self.password}"

    def __repr__(self) -> str:
        return without_secrets(self)


class Authenticate(NamedTuple):
    """Log in by a message of SASL (`core/accounts/sasl.py`); answered by `SaslChallenge` while there is more to say."""

    mechanism: str | None
    """Which one begins; None: the one that has begun goes on."""
    message: bytes | None
    """None: it ends here, without result."""
    ref: Ref = None

    def __repr__(self) -> str:
        return without_secrets(self)


class LogOut(NamedTuple):
    """Be a guest again."""

    ref: Ref = None


class ChangePassword(NamedTuple):
    """Give one's account another password."""

    password: str
    """That which it has."""
    new_password: str
    ref: Ref = None

    def __repr__(self) -> str:
        return without_secrets(self)


class DropAccount(NamedTuple):
    """Delete one's account; its nickname is free for everybody."""

    password: str
    ref: Ref = None

    def __repr__(self) -> str:
        return without_secrets(self)


class Regain(NamedTuple):
    """Take a nickname of one's account back from whoever has it; with a password, log in first."""

    nickname: str
    password: str | None = None
    ref: Ref = None

    def __repr__(self) -> str:
        return without_secrets(self)


AccountVerb: TypeAlias = Register | LogIn | Authenticate | LogOut | ChangePassword | DropAccount | Regain
