"""
JSON lines, the native language: one object in UTF-8 on each line, both ways. docs/protocol.md is its specification.

`JsonProtocol` and `JsonDialect` are the server's side; `encode_verb` and `JsonClientProtocol` the client's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final

from pychat.model.errors import RemoteProtocolError
from pychat.model.events import Event, Message
from pychat.model.limits import Limits
from pychat.model.verbs import Verb
from pychat.protocols.base import Dialect, Item, Protocol
from pychat.protocols.http.request import BROWSER, is_host
from pychat.protocols.jsonl.asked import encode_verb
from pychat.protocols.jsonl.fields import Fields, bytes_for_rooms, line_bytes, load_object, to_bytes
from pychat.protocols.jsonl.heard import read_item
from pychat.protocols.jsonl.items import encode_item, encode_message
from pychat.protocols.jsonl.verbs import read_verb
from pychat.protocols.lines import VERBS_AT_ONCE, LineBuffer, LineDecoder, PendingLines, endless, too_long

__all__ = ["JsonClientProtocol", "JsonDialect", "JsonProtocol", "encode_verb"]

_CLIENT_LINE_BYTES: Final = 8 * 2**20
"""What a client takes from its server in one line: a full page of history, each event as large as it can be."""
_CLIENT_EVENT_BYTES: Final = 2**20
"""And in the line of one event, whose texts are those of people."""
_PROMPT: Final = "NICK"
_LINE_SHOWN: Final = 80


class JsonDialect(Dialect):
    """Items as JSON lines."""

    name: ClassVar[str] = "json"

    def encode(self, items: Sequence[Item]) -> bytes:
        """See `Dialect.encode`."""
        lines = [encode_message(item) if type(item) is Message else encode_item(item) for item in items]
        return to_bytes("".join([line + "\n" for line in lines if line]))


class JsonProtocol(Protocol):
    """A client that speaks JSON lines, as a server sees it."""

    pings = True
    resumes = True

    def __init__(self, limits: Limits, dialect: Dialect) -> None:
        self.dialect = dialect
        unfinished = limits.unfinished_bytes + bytes_for_rooms(limits)
        self._limits = replace(limits, line_bytes=line_bytes(limits), unfinished_bytes=unfinished)
        self._lines = LineBuffer(self._limits)
        self._decoder = LineDecoder()
        self._pending = PendingLines()
        self._ended = False
        self._registered = False

    def registered(self, nickname: str) -> None:
        """See `Protocol.registered`."""
        self._registered = True

    def receive(self, data: bytes) -> None:
        """See `Protocol.receive`."""
        self._pending.add(self._lines.receive(data))

    def receive_eof(self) -> None:
        """See `Protocol.receive_eof`."""
        self._pending.add(self._lines.receive_eof())

    def take_verbs(self) -> list[Verb]:
        """See `Protocol.take_verbs`."""
        verbs: list[Verb] = []
        while self._pending and len(verbs) < VERBS_AT_ONCE:
            run = self._pending.take(VERBS_AT_ONCE - len(verbs))
            if run is None:
                verbs.append(too_long(self._limits))
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
            verbs.append(endless(self._limits))
        return verbs


class JsonClientProtocol:
    """
    A server that speaks JSON lines, as a client sees it.

    The server prompts whoever is silent for a moment with the four bytes `NICK`, so the first line may begin with
    them, or with a line for people that begins so; what comes before the first object is dropped then.

    Args:
        line_bytes: Bytes that the server may send in one line.
    """

    def __init__(self, line_bytes: int = _CLIENT_LINE_BYTES) -> None:
        self._lines = LineBuffer(Limits(line_bytes=line_bytes, unfinished_bytes=line_bytes))
        self._started = False

    def receive(self, data: bytes) -> list[Item]:
        """
        Feed the next bytes, any split of the stream; return what the server said.

        Raises:
            RemoteProtocolError: If this is no pychat server, or one of another version. Nothing can follow.
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
