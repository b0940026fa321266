"""
Plain text, for people with `nc`, telnet or the tutorial's client: a line is a message, a slash makes it a command.

The first line is the nickname, the second the server's password, if it wants one. Two languages share the grammar: in
`TextProtocol` a message ends with a newline; in `ClassicProtocol` it is whatever one `recv` returned, because the
tutorial's client sends no newlines.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import ClassVar, Final

from pychat.core.burst import Burst
from pychat.core.events import Message
from pychat.core.limits import Limits
from pychat.core.verbs import Hello, Say, SetNickname, Verb
from pychat.protocols import slash
from pychat.protocols.base import Dialect, Item, Protocol
from pychat.protocols.lines import LineBuffer, LineDecoder, Run, endless, said, too_long
from pychat.protocols.plain import DEFAULT_ROOM, Style, in_room, render, render_all
from pychat.protocols.telnet import TelnetFilter

_NAMES_KEPT: Final = 16
"""Nicknames of one session whose own prefix is still recognised, beside the first two."""


class TextDialect(Dialect):
    """
    Items as lines for people (`plain.py`), each ended by a newline.

    Args:
        default_room: The room whose name is not put before its messages.
        ascii: Whether what is not ASCII is written as an escape, for programs that would die of it.
    """

    name: ClassVar[str] = "text"

    def __init__(self, default_room: str = DEFAULT_ROOM, *, ascii: bool = False) -> None:
        self._style = Style(default_room)
        self._charset = "ascii" if ascii else "utf-8"

    def encode(self, items: Sequence[Item]) -> bytes:
        """See `Dialect.encode`."""
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
        # Text in a room is clean already (`core/text.py`), so the way above does not clean it again. Should anything
        # get past that, it still must not end a line here.
        return text if "\r" not in text and "\0" not in text else "".join(f"{s}\n" for s in render_all(items, style))


class ClassicDialect(TextDialect):
    """The same in ASCII: the tutorial's client decodes ASCII, and ends at anything else."""

    name: ClassVar[str] = "classic"

    def __init__(self, default_room: str = DEFAULT_ROOM) -> None:
        super().__init__(default_room, ascii=True)


class _Grammar(Protocol):
    """
    What a line means, which depends on whether there is a nickname yet.

    Before, one line at a time is tried as a nickname, and the rest waits for what becomes of it.
    """

    replays = True

    def __init__(self, limits: Limits, dialect: Dialect) -> None:
        self.dialect = dialect
        self._limits = limits
        self._telnet = TelnetFilter(limits.unfinished_bytes)
        self._registered = False
        self._decoder = LineDecoder()
        self._waiting: deque[str | Verb] = deque()  # while there is no nickname: lines, and what was no line
        self._tried = ""  # the last nickname as the peer wrote it
        self._lacks_password = False  # whether the next line is the server's password
        self._password: str | None = None

    def registered(self, nickname: str) -> None:
        """See `Protocol.registered`: from now on lines are messages."""
        self._registered = True
        self._password = None

    def lacks_password(self) -> None:
        """See `Protocol.lacks_password`: the next line is the password, whatever it looks like."""
        self._lacks_password = True

    def _try_nickname(self) -> list[Verb]:
        """Take what waits, up to the first try to come in."""
        verbs: list[Verb] = []
        while self._waiting:
            item = self._waiting.popleft()
            verb = self._first_verb(item) if isinstance(item, str) else item
            verbs.append(verb)
            if isinstance(verb, Hello):
                self._tried = verb.nickname
                break
        return verbs

    def _first_verb(self, line: str) -> Verb:
        if self._lacks_password:
            self._lacks_password, self._password = False, line
            return self._hello(self._tried)
        if not line.startswith("/"):
            return self._hello(line.strip())
        verb = slash.parse(line)
        # Who answers the question for a nickname with "/nick ann" means the same.
        return self._hello(verb.nickname) if isinstance(verb, SetNickname) else verb

    def _hello(self, nickname: str) -> Hello:
        return Hello(nickname, replay=True, password=self._password)

    def _verb(self, line: str) -> Verb | None:
        """What a line means once there is a nickname; None: nothing."""
        if line.startswith("/"):
            return slash.parse(line)
        refused = slash.behind_blanks(line) if line[:1] == " " else None
        return refused or (Say(line) if line else None)

    def _take_waiting(self) -> list[Verb]:
        """Take everything that waited for a nickname."""
        verbs = [self._verb(item) if isinstance(item, str) else item for item in self._waiting]
        self._waiting.clear()
        return [verb for verb in verbs if verb is not None]


class TextProtocol(_Grammar):
    """One line, one message: `nc`, telnet, and whatever people write in an afternoon."""

    def __init__(self, limits: Limits, dialect: Dialect) -> None:
        super().__init__(limits, dialect)
        self._lines = LineBuffer(limits)
        self._runs: list[Run] = []
        self._ended = False

    def receive(self, data: bytes) -> None:
        """See `Protocol.receive`."""
        self._runs += self._lines.receive(self._telnet.strip(data))

    def receive_eof(self) -> None:
        """See `Protocol.receive_eof`."""
        self._runs += self._lines.receive_eof()

    def take_verbs(self) -> list[Verb]:
        """See `Protocol.take_verbs`."""
        runs, self._runs = self._runs, []
        if not self._registered:
            for run in runs:
                self._waiting += self._items(run)
            self._waiting += self._end()
            return self._try_nickname()
        verbs = self._take_waiting() if self._waiting else []
        for run in runs:
            verbs += self._verbs(run)
        return verbs + self._end()

    def _verbs(self, run: Run) -> list[Verb]:
        """The verbs of a run of lines: the hot path of the server, so all at once where nothing is special."""
        if run is None:
            return [too_long(self._limits)]
        try:
            text = run.decode()
        except UnicodeDecodeError:
            items = self._items(run)
        else:
            lines = text.split("\n")
            # To look for one character costs nothing, for two some time in each line.
            plain = "\n\n" not in text and ("/" not in text or ("\n/" not in text and "\n " not in text))
            if plain and text[:1] not in _SPECIAL and text[-1] != "\n":
                return said(lines)
            items = list(lines)
        verbs = [self._verb(item) if isinstance(item, str) else item for item in items]
        return [verb for verb in verbs if verb is not None]

    def _items(self, run: Run) -> list[str | Verb]:
        return [too_long(self._limits)] if run is None else [*self._decoder.decode(run)]

    def _end(self) -> list[Verb]:
        """What to say, once, of a stream that cannot be followed any further."""
        if self._ended or not (self._lines.broken or self._telnet.broken):
            return []
        self._ended = True
        return [endless(self._limits)]


_SPECIAL: Final = ("", "/", "\n", " ")
"""First characters of a run that begins with an empty line or a command, or with what may be meant as one."""


class ClassicProtocol(_Grammar):
    """
    The tutorial's client: one `receive`, one message.

    It answers the prompt with its bare nickname and then sends "nickname: text", always with the nickname it began
    with. Its own prefix is stripped; anybody else's is text, for nobody speaks in another's name.
    """

    asks_again = False  # it would answer with the same nickname for ever
    asks_password = False

    def __init__(self, limits: Limits, dialect: Dialect) -> None:
        super().__init__(limits, dialect)
        self._prefixes: list[str] = []
        self._ended = False

    def receive(self, data: bytes) -> None:
        """See `Protocol.receive`; what has newlines is several messages."""
        if self._ended:
            return
        for line in self._telnet.strip(data).split(b"\n"):
            line = line.removesuffix(b"\r")
            if len(line) > self._limits.unfinished_bytes or self._telnet.broken:
                self._ended = True
                self._waiting.append(endless(self._limits))
                break
            if len(line) > self._limits.line_bytes:
                self._waiting.append(too_long(self._limits))
            elif line:
                self._waiting += self._decoder.decode(line)

    def receive_eof(self) -> None:
        """See `Protocol.receive_eof`: nothing is ever unfinished here."""

    def take_verbs(self) -> list[Verb]:
        """See `Protocol.take_verbs`."""
        return self._take_waiting() if self._registered else self._try_nickname()

    def registered(self, nickname: str) -> None:
        """See `Protocol.registered`: this nickname is one whose prefix is stripped."""
        super().registered(nickname)
        names = [f"{self._tried}: ", f"{nickname}: "] if not self._prefixes else [f"{nickname}: "]
        self._prefixes += [name for name in names if name not in self._prefixes]
        del self._prefixes[2:-_NAMES_KEPT]

    def _verb(self, line: str) -> Verb | None:
        for prefix in self._prefixes:
            if line.startswith(prefix):
                return super()._verb(line.removeprefix(prefix))
        return super()._verb(line)
