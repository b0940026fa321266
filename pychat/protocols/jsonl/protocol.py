"""
JSON lines, the native language: one object in UTF-8 on each line, both ways. docs/protocol.md is its specification.

`JsonProtocol` and `JsonDialect` are the server's side; `encode_verb` and `JsonClientProtocol` the client's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from pychat.model.errors import RemoteProtocolError
from pychat.model.events import Event, Message
from pychat.model.limits import Limits
from pychat.model.verbs import Verb
from pychat.protocols.base import Dialect, Item, Protocol
from pychat.protocols.http.request import BROWSER, is_host
from pychat.protocols.jsonl.fields import Fields, line_bytes, load_object, to_bytes, unfinished_bytes
from pychat.protocols.jsonl.items import encode_item, encode_message, read_item
from pychat.protocols.jsonl.verbs import encode_verb, read_verb
from pychat.protocols.lines import VERBS_AT_ONCE, LineBuffer, LineDecoder, PendingLines, endless, too_long

__all__ = ["JsonClientProtocol", "JsonDialect", "JsonProtocol", "encode_verb"]

_CLIENT_LINE_BYTES: Final = 8 * 2**20
"""Limit of a line from the server: a full page of history, each event with the largest size."""
_CLIENT_EVENT_BYTES: Final = 2**20
"""Limit of the line of one event, whose texts come from people."""
_PROMPT: Final = "NICK"
_LINE_SHOWN: Final = 80


class JsonDialect(Dialect):
    """Encodes items as JSON lines."""

    name: ClassVar[str] = "json"

    def encode(self, items: Sequence[Item]) -> bytes:
        """Return a line for each item; see `Dialect.encode`."""
        lines = [encode_message(item) if type(item) is Message else encode_item(item) for item in items]
        return to_bytes("".join([line + "\n" for line in lines if line]))


class JsonProtocol(Protocol):
    """A client that speaks JSON lines, as seen by the server."""

    __slots__ = ("_decoder", "_ended", "_limits", "_lines", "_pending", "_registered")

    pings = True
    resumes = True

    def __init__(self, limits: Limits, dialect: Dialect) -> None:
        self.dialect = dialect
        self._limits = limits
        self._lines = LineBuffer(line_bytes(limits), unfinished_bytes(limits))
        self._decoder = LineDecoder()
        self._pending = PendingLines()
        self._ended = False
        self._registered = False

    def registered(self, nickname: str) -> None:
        """Remember that the client is registered; see `Protocol.registered`."""
        self._registered = True

    def receive(self, data: bytes) -> None:
        """Split the bytes into lines; see `Protocol.receive`."""
        self._pending.add(self._lines.receive(data))

    def receive_eof(self) -> None:
        """Complete the last line; see `Protocol.receive_eof`."""
        self._pending.add(self._lines.receive_eof())

    def take_verbs(self) -> list[Verb]:
        """Return the verbs of the next lines; see `Protocol.take_verbs`."""
        verbs: list[Verb] = []
        while self._pending and len(verbs) < VERBS_AT_ONCE:
            run = self._pending.take(VERBS_AT_ONCE - len(verbs))
            if run is None:
                verbs.append(too_long(line_bytes(self._limits)))
                continue
            for line in self._decoder.decode(run):
                if not isinstance(line, str):
                    verbs.append(line)
                elif not self._registered and is_host(line):
                    verbs.append(BROWSER)
                elif line and not line.isspace():
                    verbs.append(read_verb(line))
        if self._lines.broken and not self._pending and not self._ended:
            self._ended = True
            verbs.append(endless(unfinished_bytes(self._limits)))
        return verbs


class JsonClientProtocol:
    """
    A server that speaks JSON lines, as seen by a client.

    The server sends a peer that is silent for a moment the four bytes `NICK`, sometimes as part of a line for people.
    If the first line begins with them, anything before the first object is dropped.

    Args:
        line_bytes: Maximum bytes of a line from the server.
    """

    def __init__(self, line_bytes: int = _CLIENT_LINE_BYTES) -> None:
        self._lines = LineBuffer(line_bytes, line_bytes)
        self._started = False

    def receive(self, data: bytes) -> list[Item]:
        """
        Feed the next bytes, in any chunks; return the items that they complete.

        Raises:
            RemoteProtocolError: If this is not a pychat server, or one of another version. The object must not be used
                any more.
        """
        items: list[Item] = []
        for run in self._lines.receive(data):
            for line in () if run is None else run.split(b"\n"):
                item = self._read(line.decode(errors="replace"))
                if item is not None:
                    items.append(item)
        if self._lines.broken:
            raise RemoteProtocolError("the server sent a line that is too long")
        return items

    def _read(self, line: str) -> Item | None:
        if not self._started:
            self._started = True
            if line.startswith(_PROMPT):
                line = line[line.find("{") :] if "{" in line else ""
        if not line or line.isspace():
            return None
        try:
            item = read_item(Fields(load_object(line)))
            if len(line) > _CLIENT_EVENT_BYTES and isinstance(item, Event):
                raise RemoteProtocolError(f"an event has at most {_CLIENT_EVENT_BYTES} characters")
        except RemoteProtocolError as error:
            raise RemoteProtocolError(f"the server sent {line[:_LINE_SHOWN]!r}: {error}") from None
        return item
