"""
Plain text, for people with `nc`, telnet or the tutorial's client: a line is a message, or a command if it begins with a
slash.

The first line is the nickname, the second the server password, if there is one. Two languages share the grammar: in
`TextProtocol` a message ends with a newline; in `ClassicProtocol` a message is one chunk from `recv`, because the
tutorial's client sends no newlines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from pychat.model.burst import Burst
from pychat.model.events import Message
from pychat.model.limits import Limits
from pychat.model.verbs import Abort, Hello, Regain, Say, SetNickname, Verb
from pychat.protocols.base import Dialect, Item, Protocol
from pychat.protocols.http.request import BROWSER, is_host
from pychat.protocols.lines import (
    LINES_AT_ONCE,
    VERBS_AT_ONCE,
    LineBuffer,
    LineDecoder,
    PendingLines,
    Run,
    endless,
    said,
    too_long,
)
from pychat.protocols.text import slash_commands as slash
from pychat.protocols.text.confidential import HIDDEN, hidden
from pychat.protocols.text.render import DEFAULT_ROOM, Style, in_room, render, render_all
from pychat.protocols.text.telnet import TelnetFilter

_BINARY: Final = Abort("bad_request", "this is not text: it contains a NUL")
"""For a line before there is a nickname: the peer speaks another protocol, and its lines are not tried as nicknames."""
_NOT_TRIED: Final = Hello("")
_NAMES_KEPT: Final = 16
"""Nicknames of one session whose own prefix is still recognised, besides the first two."""


class TextDialect(Dialect):
    """
    Encodes items as lines for people (`render.py`), each ended by a newline.

    Args:
        default_room: The room whose messages have no room name before them.
        ascii: True to write non-ASCII characters as escapes, for programs that would fail on them.
    """

    name: ClassVar[str] = "text"

    def __init__(self, default_room: str = DEFAULT_ROOM, *, ascii: bool = False) -> None:
        self._style = Style(default_room)
        self._charset = "ascii" if ascii else "utf-8"

    def encode(self, items: Sequence[Item]) -> bytes:
        """Return the items as lines of text; see `Dialect.encode`."""
        return self._text(items).encode(self._charset, "backslashreplace")

    def _text(self, items: Sequence[Item]) -> str:
        style = self._style
        if type(items) is Burst:
            head = f"{in_room(items.room, style)}{items.sender}: "
            between = f"\n{head}"
            return f"{head}{between.join(items.texts)}\n"
        last_room: str | None = style.default_room
        before = ""
        parts: list[str] = []
        add = parts.append
        for item in items:
            if type(item) is Message:
                room, sender, text, action = item[2:6]
                if not action and "\n" not in text and room is not None and not item.role:
                    if room != last_room:
                        before, last_room = in_room(room, style), room
                    add(f"{before}{sender}: {text}\n")
                    continue
            for line in render(item, style):
                add(line + "\n")
        text = "".join(parts)
        # Text in a room is clean already (`model/text.py`), so the loop above does not clean it again. If that ever
        # fails, the text still must not end a line here.
        return text if "\r" not in text and "\0" not in text else "".join(f"{s}\n" for s in render_all(items, style))


class ClassicDialect(TextDialect):
    """The same in ASCII: the tutorial's client decodes ASCII, and exits at anything else."""

    name: ClassVar[str] = "classic"

    def __init__(self, default_room: str = DEFAULT_ROOM) -> None:
        super().__init__(default_room, ascii=True)


class _Grammar(Protocol):
    """
    The meaning of a line, which depends on whether there is a nickname yet.

    Before that, one line at a time is tried as a nickname, and the rest waits for the result.
    """

    __slots__ = (
        "_decoder",
        "_ended",
        "_lacks_password",
        "_limits",
        "_lines",
        "_password",
        "_pending",
        "_registered",
        "_telnet",
        "_tried",
    )

    replays = True

    def __init__(self, limits: Limits, dialect: Dialect) -> None:
        self.dialect = dialect
        self._limits = limits
        self._telnet = TelnetFilter(limits.unfinished_bytes)
        self._lines = LineBuffer(limits.line_bytes, limits.unfinished_bytes)
        self._registered = False
        self._decoder = LineDecoder()
        self._pending = PendingLines()
        self._ended = False
        self._tried = _NOT_TRIED  # the last attempt, with the nickname as the peer wrote it
        self._lacks_password = False  # True if the next line is the server password
        self._password: str | None = None

    def registered(self, nickname: str) -> None:
        """Treat lines as messages from now on; see `Protocol.registered`."""
        self._registered = True
        self._password, self._tried = None, _NOT_TRIED

    def lacks_password(self) -> None:
        """Treat the next line as the password, whatever it looks like; see `Protocol.lacks_password`."""
        self._lacks_password = True

    def take_verbs(self) -> list[Verb]:
        """Return the verbs of the next lines; see `Protocol.take_verbs`."""
        verbs: list[Verb] = []
        while self._pending and not verbs:
            if self._registered:
                verbs = self._verbs(self._pending.take(LINES_AT_ONCE))
            else:
                verbs = self._first_verbs(self._pending.take(1))
        if not verbs and not self._ended and (self._lines.broken or self._telnet.broken):
            self._ended = True
            verbs.append(endless(self._limits.unfinished_bytes))
        return verbs

    def _first_verbs(self, line: Run) -> list[Verb]:
        """Return the verbs for a line before there is a nickname: mostly an attempt to register."""
        verbs = [self._first_verb(item) if isinstance(item, str) else item for item in self._items(line)]
        for verb in verbs:
            if isinstance(verb, Hello):
                self._tried = verb
        return verbs

    def _first_verb(self, line: str) -> Verb:
        if is_host(line):
            return BROWSER
        if "\0" in line:
            return _BINARY
        if self._lacks_password:
            self._lacks_password, self._password = False, line
            return self._tried._replace(password=line)
        if not line.startswith("/"):
            return self._hello(line.strip())
        verb = slash.parse(line)
        match verb:
            case SetNickname():  # "/nick ann" as the answer to the prompt means the same as "ann"
                return self._hello(verb.nickname)
            case Regain():
                return self._hello(verb.nickname)._replace(regain=True, account_password=verb.password or "")
        return verb

    def _hello(self, nickname: str) -> Hello:
        return Hello(nickname, replay=True, password=self._password)

    def _verb(self, line: str) -> Verb | None:
        """Return the verb for a line once there is a nickname; None if it is empty."""
        if line.startswith("/"):
            return slash.parse(line)
        return hidden(line) or (Say(line) if line else None)

    def _verbs(self, run: Run) -> list[Verb]:
        """Return the verbs for the first lines of a run once there is a nickname; the others are put back."""
        items = self._items(self._pending.keep_rest(run, VERBS_AT_ONCE))
        verbs = [self._verb(item) if isinstance(item, str) else item for item in items]
        return [verb for verb in verbs if verb is not None]

    def _items(self, run: Run) -> list[str | Verb]:
        return [too_long(self._limits.line_bytes)] if run is None else [*self._decoder.decode(run)]


class TextProtocol(_Grammar):
    """One line, one message: `nc`, telnet, and simple clients that people write themselves."""

    __slots__ = ()

    def receive(self, data: bytes) -> None:
        """Split the bytes into lines; see `Protocol.receive`."""
        self._pending.add(self._lines.receive(self._telnet.strip(data)))

    def receive_eof(self) -> None:
        """Complete the last line; see `Protocol.receive_eof`."""
        self._pending.add(self._lines.receive_eof())

    def _verbs(self, run: Run) -> list[Verb]:
        """Return all lines in one verb if nothing in them is special; this is the server's hot path."""
        try:
            text = "" if run is None else run.decode()
        except UnicodeDecodeError:
            return super()._verbs(run)
        # Searching for one character costs nothing; searching for two costs time for each line.
        plain = "\n\n" not in text and (("/" not in text and "\uff0f" not in text) or HIDDEN.search(text) is None)
        if plain and text[:1] not in _SPECIAL and text[-1] != "\n":
            lines = text.split("\n")
            return said(lines) if len(lines) > 1 else [Say(text)]
        return super()._verbs(run)


_SPECIAL: Final = ("", "\n")
"""First characters of a run that begins with an empty line."""


class ClassicProtocol(_Grammar):
    """
    The tutorial's client: one `receive`, one message.

    It answers the prompt with its bare nickname and then sends "nickname: text", always with its first nickname. Its
    own prefix is stripped; any other prefix is text, because nobody may speak in another's name. A client that missed
    the prompt, because the hint arrived with it, begins with "nickname: text"; the nickname is taken from that.
    """

    __slots__ = ("_prefixes", "_started")

    asks_again = False  # it would answer with the same nickname for ever
    asks_password = False

    def __init__(self, limits: Limits, dialect: Dialect) -> None:
        super().__init__(limits, dialect)
        self._prefixes: list[str] = []
        self._started = False

    def receive(self, data: bytes) -> None:
        """Treat each chunk as one message, or as several if it has newlines; see `Protocol.receive`."""
        lines = [line for line in self._telnet.strip(data).split(b"\n") if line.strip(b"\r")]
        if lines:
            nickname, colon, _ = lines[0].partition(b": ")
            if colon and not self._started:
                lines.insert(0, nickname)
            self._started = True
            self._pending.add(self._lines.receive(b"\n".join(lines) + b"\n"))

    def receive_eof(self) -> None:
        """Do nothing, because no message is ever unfinished; see `Protocol.receive_eof`."""

    def registered(self, nickname: str) -> None:
        """Strip the prefix of this nickname from now on; see `Protocol.registered`."""
        names = [f"{self._tried.nickname}: ", f"{nickname}: "] if not self._prefixes else [f"{nickname}: "]
        self._prefixes += [name for name in names if name not in self._prefixes]
        del self._prefixes[2:-_NAMES_KEPT]
        super().registered(nickname)

    def _verb(self, line: str) -> Verb | None:
        for prefix in self._prefixes:
            if line.startswith(prefix):
                return super()._verb(line.removeprefix(prefix))
        return super()._verb(line)
