"""
Parse IRC on the server: bytes to lines, lines to verbs.

The table in `commands/table.py` defines each command, before registration and after it. Only two kinds of input
disconnect a client: a line without an end, and one that only a web browser sends (`http/request.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from pychat.model.limits import Limits
from pychat.model.replies import ResponseEnd, ResponseStart
from pychat.model.verbs import Abort, Answer, Verb
from pychat.protocols.base import Protocol
from pychat.protocols.http.request import BROWSER, is_host
from pychat.protocols.irc.asked import BODY_BYTES, TAGS_BYTES
from pychat.protocols.irc.capabilities import BATCH, LABELED_RESPONSE
from pychat.protocols.irc.client_state import Client
from pychat.protocols.irc.commands.errors import broken_line, not_utf8, too_long
from pychat.protocols.irc.commands.table import COMMANDS, perform
from pychat.protocols.irc.fast_path import pieces, read_run
from pychat.protocols.irc.grammar import ParsedLine, escape, parse_line
from pychat.protocols.lines import LINES_AT_ONCE, VERBS_AT_ONCE, LineBuffer, PendingLines, Run, endless

if TYPE_CHECKING:
    from pychat.protocols.irc.dialect import IrcDialect

_LINE_BYTES: Final = 1 + TAGS_BYTES + 1 + BODY_BYTES
_UNFINISHED: Final = 16
"""
How many times `Limits.unfinished_bytes` may arrive without a newline.

A list of channels that is far too long must be refused without disconnecting the client; the excess is not buffered.
"""
_WITH_PASSWORD: Final = (b"PASS ", b"OPER ", b"REGISTER ")
"""Lines that may contain a password of any length, because a truncated one would be a different password."""
_LABEL_BYTES: Final = 64
"""Longer labels are invalid (IRCv3 labeled-response, "Tags")."""


class IrcProtocol(Protocol):
    """A client that speaks IRC, as seen by the server."""

    __slots__ = ("_client", "_ended", "_lines", "_pending", "_unfinished_bytes")

    dialect: IrcDialect
    pings: ClassVar[bool] = True
    asks_password: ClassVar[bool] = False  # it sent PASS before, or has no password

    def __init__(self, limits: Limits, dialect: IrcDialect) -> None:
        self.dialect = dialect
        self._client = Client(limits, dialect)
        # The specification sets the length of a line here, not `Limits.line_bytes`.
        self._unfinished_bytes = max(_LINE_BYTES, limits.unfinished_bytes * _UNFINISHED)
        self._lines = LineBuffer(_LINE_BYTES, self._unfinished_bytes)
        self._pending = PendingLines()
        self._ended = False

    def receive(self, data: bytes) -> None:
        """Split the bytes into lines; see `Protocol.receive`."""
        self._pending.add(self._lines.receive(data))

    def receive_eof(self) -> None:
        """Complete the last line; see `Protocol.receive_eof`."""
        self._pending.add(self._lines.receive_eof())

    def registered(self, nickname: str) -> None:
        """Remember the nickname, and forget what only registration needed; see `Protocol.registered`."""
        client = self._client
        client.nickname = nickname
        client.wanted = client.username = client.realname = ""
        client.password = None

    def take_verbs(self) -> list[Verb]:
        """Return verbs up to one that must be performed before the next line can be read; see `Protocol.take_verbs`."""
        client = self._client
        client.waits = False
        verbs: list[Verb] = []
        while self._pending and not client.waits and len(verbs) < VERBS_AT_ONCE:
            verbs += self._read(self._pending.take(LINES_AT_ONCE))
        self.dialect = client.dialect
        if self._lines.broken and not self._pending and not client.waits and not self._ended:
            self._ended = True
            code, text, _ = endless(self._unfinished_bytes)
            verbs.append(Abort(code, text, too_long().ref))
        return verbs

    def _read(self, run: Run) -> Sequence[Verb]:
        if run is None:
            return [too_long()]
        if b"\n" not in run:
            return self._read_line(run)
        verbs = None if self._client.nickname is None else read_run(run)
        if verbs is None:
            parts = pieces(run)
            self._pending.put_back(run.split(b"\n") if len(parts) == 1 else parts)
        return verbs or []

    def _read_line(self, raw: bytes) -> Sequence[Verb]:
        if len(raw) > BODY_BYTES and _is_too_long(raw):
            return [too_long()]
        line = raw.decode(errors="replace")
        if self._client.nickname is None and is_host(line):
            return [BROWSER]
        command = parse_line(line)
        if not command.command.isupper():
            command = command._replace(command=command.command.upper())
        if not command.command:
            return []  # "Empty messages are silently ignored" (RFC 2812 section 2.3.1)
        # A replacement character may have been sent as such; a replaced one encodes to other bytes.
        if "\ufffd" in line and line.encode() != raw:
            verbs: Sequence[Verb] = [not_utf8(_known(command))]
        elif "\0" in line or "\r" in line:
            verbs = [broken_line(_known(command))]
        else:
            verbs = perform(self._client, command)
        return self._labelled(command, verbs) if command.tags else verbs

    def _labelled(self, command: ParsedLine, verbs: Sequence[Verb]) -> Sequence[Verb]:
        """Put the verbs between markers that identify their answers (IRCv3 labeled-response)."""
        label = command.tags.get("label", "")
        if not label or len(label.encode()) > _LABEL_BYTES:
            return verbs
        capabilities = self._client.capabilities
        if BATCH not in capabilities or LABELED_RESPONSE not in capabilities:  # which needs it ("Dependencies")
            return verbs
        return [Answer((ResponseStart(escape(label)),)), *verbs, Answer((ResponseEnd(),))]


def _is_too_long(raw: bytes) -> bool:
    tags, _, body = raw[1:].partition(b" ") if raw.startswith(b"@") else (b"", b"", raw)
    if len(tags) > TAGS_BYTES:
        return True
    return len(body) > BODY_BYTES and not body[:16].upper().startswith(_WITH_PASSWORD)


def _known(command: ParsedLine) -> str:
    """Return the command if it is known, otherwise "*": in an invalid line not even the command is certain."""
    return command.command if command.command in COMMANDS else "*"
