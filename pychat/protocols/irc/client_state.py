"""The state of an IRC client, besides its bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.model.limits import Limits

if TYPE_CHECKING:
    from pychat.protocols.irc.dialect import IrcDialect


class Client:
    """The state of one connection, changed by the commands of registration and capability negotiation."""

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
        """The dialect of everything that the next commands cause."""
        self.capabilities: tuple[str, ...] = ()
        """In the order of CAP LS. A set would be six times as large, for as long as the client is connected."""
        self.nickname: str | None = None
        """None until the client is registered."""
        self.wanted = ""
        """The nickname from NICK, until it is requested."""
        self.password: str | None = None
        """The password from PASS."""
        self.username = ""
        """The user name from USER; empty until USER arrives."""
        self.realname = ""
        self.sasl: str | None = None
        """The mechanism from AUTHENTICATE, until its first message is complete."""
        self.sasl_parts = ""
        """The part of a message received so far."""
        self.sasl_messages = 0
        """How many messages the client still has to send; 0 outside an exchange."""
        self.negotiating = False
        """True while registration waits for CAP END."""
        self.notified = False
        """True if cap-notify cannot be disabled, because CAP LS named a version that implies it."""
        self.waits = False
        """
        True if the last command must be performed before the next one is read: the meaning of the next one depends on
        the nickname, and its effects are written with the capabilities that the last one left.
        """
