"""What a session hears of its account: see `model/replies.py`."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from pychat.model.queries import Ref


class LoggedIn(NamedTuple):
    """You are logged in to this account: the answer to `Register`, `LogIn` and `Authenticate`; also beside others."""

    ref: Ref
    account: str
    registered: bool = False
    """Whether the account is new."""
    nickname: str | None = None
    """Of the session, as for the next, as they were at that moment."""
    userhost: str = ""


class LoggedOut(NamedTuple):
    """You are logged in to no account: the answer to `LogOut` and `DropAccount`."""

    ref: Ref
    nickname: str | None = None
    """As in `LoggedIn`, as is the next."""
    userhost: str = ""


class SaslChallenge(NamedTuple):
    """The next message of the server in an exchange of SASL; one of `Authenticate` goes on with it."""

    ref: Ref
    message: bytes


AccountReply: TypeAlias = LoggedIn | LoggedOut | SaslChallenge
