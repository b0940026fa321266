"""
What a language is: a `Dialect` turns what members hear into bytes, a `Protocol` turns one peer's bytes into verbs.

Neither knows a socket, a thread, a clock or a log, so every edge case is a test of bytes in, verbs out. The dialect
has no state: one object serves every member that speaks it, so the writer encodes an event once for all of them. The
protocol belongs to one connection and is used by its reader thread only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, TypeAlias

from pychat.model.events import Event
from pychat.model.replies import Reply
from pychat.model.verbs import Verb

Item: TypeAlias = Event | Reply
"""What a session hears."""


class Dialect(ABC):
    """A way to write items. Stateless; called by the writer thread, for many members at once."""

    name: ClassVar[str]
    echoes: bool = False
    """Whether a session hears its own messages."""

    @abstractmethod
    def encode(self, items: Sequence[Item]) -> bytes:
        """Return the bytes of the items in order; empty if this language has nothing to say about them."""

    def encode_private(self, items: Sequence[Item], nickname: str | None) -> bytes:
        """Return the bytes of items for one session, which has this nickname; None: none yet."""
        return self.encode(items)

    def label(self, label: str, parts: Sequence[bytes]) -> list[bytes]:
        """
        Mark what answers a request that had a label (`replies.ResponseStart`); only where a protocol makes such.

        Args:
            parts: What `encode` or `encode_private` returned, in order; other things may be sent between them.

        Returns:
            As many parts, marked; one, if there were none.
        """
        return list(parts)


class Protocol(ABC):
    """
    One peer's side of a language.

    Feed it with `receive`, then take verbs until there are none; after the end of the stream call `receive_eof` and
    take once more. It may hold back verbs until `registered` was called, because in some languages the same line
    means another thing before a nickname is accepted and after.
    """

    dialect: Dialect
    """May be another one after a call of `take_verbs`: for what comes behind these verbs."""
    pings: ClassVar[bool] = False
    """Whether the peer can be asked, by `PingRequest`, if it is still there."""
    replays: ClassVar[bool] = False
    """Whether the `History` handler shall replay the last messages of a room to this peer unasked."""
    resumes: ClassVar[bool] = False
    """Whether the peer can come back with a token after it lost the connection."""
    asks_again: ClassVar[bool] = True
    """Whether a refused nickname may be followed by another try on the same connection."""
    asks_password: ClassVar[bool] = True
    """Whether a peer that did not give the server's password may still do so on the same connection."""

    @abstractmethod
    def receive(self, data: bytes) -> None:
        """Feed the next bytes of the stream, any split of it. What is not yet a verb is kept, bounded."""

    @abstractmethod
    def receive_eof(self) -> None:
        """The stream has ended; an unfinished last line counts as a line."""

    @abstractmethod
    def take_verbs(self) -> list[Verb]:
        """Return the verbs that are ready, in order; an empty list if more bytes are needed."""

    def registered(self, nickname: str) -> None:  # noqa: B027 -- most languages need not know
        """The session has this nickname now: its first one, or after a rename."""

    def lacks_password(self) -> None:  # noqa: B027 -- most languages give it with the nickname
        """The last try to come in was refused for want of the server's password."""
