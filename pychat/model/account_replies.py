"""Replies about a session's account: see `model/replies.py`."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from pychat.model.queries import Ref


class LoggedIn(NamedTuple):
    """
    You are logged in to this account: the reply to `Register`, `LogIn` and `Authenticate`; also sent with other
    replies.
    """

    ref: Ref
    account: str
    registered: bool = False
    """True if the account is new."""
    nickname: str | None = None
    """The session's nickname and user@host at that moment."""
    userhost: str = ""


class LoggedOut(NamedTuple):
    """You are logged out: the reply to `LogOut` and `DropAccount`."""

    ref: Ref
    nickname: str | None = None
    """The session's nickname and user@host at that moment."""
    userhost: str = ""


class SaslChallenge(NamedTuple):
    """The server's next message in a SASL exchange; `Authenticate` continues it."""

    ref: Ref
    message: bytes


AccountReply: TypeAlias = LoggedIn | LoggedOut | SaslChallenge
