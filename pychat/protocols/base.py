"""
The interface of a language: a `Dialect` encodes what members receive, a `Protocol` decodes one peer's bytes into verbs.
Neither uses a socket, a thread, a clock or a log, so every edge case can be tested as bytes in, verbs out. A dialect
has no state: one object serves every member that speaks it, so the writer encodes an event once for all of them. A
protocol belongs to one connection, which is on one thread at a time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, TypeAlias

from pychat.model.events import Event
from pychat.model.replies import Reply
from pychat.model.verbs import Verb

Item: TypeAlias = Event | Reply
"""Anything that is sent to a session."""


class Dialect(ABC):
    """Encodes items. Stateless; the loop calls it for many members at once."""

    name: ClassVar[str]
    echoes: bool = False
    """True if a session receives its own messages."""

    @abstractmethod
    def encode(self, items: Sequence[Item]) -> bytes:
        """Return the bytes of the items in order; empty if this language has nothing to say about them."""

    def encode_private(self, items: Sequence[Item], nickname: str | None) -> bytes:
        """Return the bytes of items for one session with this nickname; None if it has none yet."""
        return self.encode(items)

    def label(self, label: str, parts: Sequence[bytes]) -> list[bytes]:
        """
        Mark the response to a labeled request (`replies.ResponseStart`), if the protocol supports labels.

        Args:
            parts: What `encode` or `encode_private` returned, in order; other items may be sent between them.

        Returns:
            As many parts, marked; one part if there were none.
        """
        return list(parts)


class Protocol(ABC):
    """
    One peer's side of a language.

    Call `receive`, then `take_verbs` until it returns none; at the end of the stream call `receive_eof` and take once
    more. Verbs may be held back until `registered` is called, because in some languages the meaning of a line depends
    on whether a nickname has been accepted.
    """

    __slots__ = ("dialect",)

    dialect: Dialect
    """May be replaced by `take_verbs`; the new one applies to everything after these verbs."""
    pings: ClassVar[bool] = False
    """True if the peer answers `PingRequest`, so that its connection can be checked."""
    replays: ClassVar[bool] = False
    """True if the `History` handler must replay the last messages of a room to this peer unasked."""
    resumes: ClassVar[bool] = False
    """True if the peer can resume its session with a token after its connection is lost."""
    asks_again: ClassVar[bool] = True
    """True if the peer may try another nickname on the same connection after a refusal."""
    asks_password: ClassVar[bool] = True
    """True if the peer may send the server password later on the same connection."""

    @abstractmethod
    def receive(self, data: bytes) -> None:
        """Feed the next bytes of the stream, in any chunks. Unfinished input is buffered, up to a limit."""

    @abstractmethod
    def receive_eof(self) -> None:
        """Report the end of the stream; an unfinished last line counts as a line."""

    @abstractmethod
    def take_verbs(self) -> list[Verb]:
        """Return the verbs that are ready, in order; an empty list if more bytes are needed."""

    def registered(self, nickname: str) -> None:  # noqa: B027 -- most languages need not know
        """Report that the session now has this nickname: its first one, or a new one after a rename."""

    def lacks_password(self) -> None:  # noqa: B027 -- most languages give it with the nickname
        """Report that the last attempt to register was refused because the server password is missing."""
