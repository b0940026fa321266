"""What the protocol knows of the client at the other end, beside the bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.model.limits import Limits

if TYPE_CHECKING:
    from pychat.protocols.irc.dialect import IrcDialect


class Client:
    """One connection's state, changed by the commands that register it and negotiate its capabilities."""

    __slots__ = (
        "capabilities",
        "dialect",
        "limits",
        "negotiating",
        "nickname",
        "notified",
        "password",
        "realname",
        "sasl",
        "sasl_messages",
        "sasl_parts",
        "username",
        "waits",
        "wanted",
    )

    def __init__(self, limits: Limits, dialect: IrcDialect) -> None:
        self.limits = limits
        self.dialect = dialect
        """The one for what the next commands cause."""
        self.capabilities: frozenset[str] = frozenset()
        self.nickname: str | None = None
        """None: not registered yet."""
        self.wanted = ""
        """What NICK said, until it is asked for."""
        self.password: str | None = None
        """What PASS said."""
        self.username = ""
        """What USER said; empty: it did not come yet."""
        self.realname = ""
        self.sasl: str | None = None
        """The mechanism that AUTHENTICATE has named, until its first message is complete."""
        self.sasl_parts = ""
        """What came of a message."""
        self.sasl_messages = 0
        """How many the client has still to send; 0: no exchange goes on."""
        self.negotiating = False
        """Whether registration waits for CAP END."""
        self.notified = False
        """Whether cap-notify stays on: CAP LS has named a version that it belongs to."""
        self.waits = False
        """
        Whether the last command has to be performed before the next one is read: what that means depends on the
        nickname, and what it causes is written with the capabilities that it left.
        """
