"""
The languages of benchmark members: the plain text protocol, or IRC. Bytes in, bytes out, no sockets.

- Plain text: a server asks with the four bytes `NICK`, the answer is the nickname and a newline, and the next line is
  the welcome. From then on each line is sent to everybody else as `nickname: line`.
- IRC: NICK and USER at once, JOIN after the welcome (001), complete at the end of the list of names (366). No
  capabilities are requested, so that every server sends its plainest lines: `:nickname!user@host PRIVMSG #lobby :text`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from benchmarks.errors import LoadError

_LOBBY = b"#lobby"
_SAID = b" PRIVMSG "
_WELCOME, _END_OF_NAMES, _NO_MOTD = b"001", b"366", b"422"
_HEARD_KEPT = 200


class Conversation(ABC):
    """How a connection becomes a member."""

    opening: bytes
    """The bytes to send at once."""
    welcome: bool
    """True once it is a member."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.opening = b""
        self.welcome = False

    @property
    @abstractmethod
    def heard(self) -> bytes:
        """Return the last input that did not lead to the welcome, for the text of an error."""

    @abstractmethod
    def hear(self, data: bytes) -> bytes:
        """
        Process input and return the answer.

        Raises:
            LoadError: If the server refuses this member.
        """


class Language(ABC):
    """The lines of members. It does not change, so it can be sent to another process."""

    newline: ClassVar[bytes]
    pings: ClassVar[bool]
    """True if the server may ping a member at any time."""

    @abstractmethod
    def conversation(self, name: str) -> Conversation:
        """Begin a registration."""

    @abstractmethod
    def line(self, text: bytes) -> bytes:
        """Return the line that sends a text."""

    @abstractmethod
    def heard(self, line: bytes) -> tuple[bytes, bytes]:
        """Return the sender and the text of a line without its LF; no text if it is not a message."""

    def pong(self, line: bytes) -> bytes:
        """Return the answer to a line without its LF: empty unless it is a PING."""
        return b""


class _TextConversation(Conversation):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._heard = b""
        self._asked = False

    @property
    def heard(self) -> bytes:
        return self._heard

    def hear(self, data: bytes) -> bytes:
        if self.welcome:
            return b""
        self._heard += data
        if not self._asked:
            if not b"NICK".startswith(self._heard):
                raise LoadError(f"{self.name}: the server did not ask with NICK but with {self._heard!r}")
            if self._heard != b"NICK":
                return b""
            self._asked = True
            self._heard = b""
            return f"{self.name}\n".encode()
        if self._heard.startswith(b"!") and b"\n" in self._heard:
            raise LoadError(f"{self.name}: {self._heard.decode(errors='replace').strip()}")
        self.welcome = b"\n" in self._heard
        return b""


class _PlainText(Language):
    newline = b"\n"
    pings = False

    def conversation(self, name: str) -> Conversation:
        return _TextConversation(name)

    def line(self, text: bytes) -> bytes:
        return text + b"\n"

    def heard(self, line: bytes) -> tuple[bytes, bytes]:
        sender, _, text = line.partition(b": ")
        return sender, text


class _IrcConversation(Conversation):
    def __init__(self, name: str, channels: tuple[bytes, ...]) -> None:
        super().__init__(name)
        self._channels = channels
        self._missing = set(channels)
        self.opening = f"NICK {name}\r\nUSER {name} 0 * :{name}\r\n".encode()
        self._last = b""
        self._lines = Lines()

    @property
    def heard(self) -> bytes:
        return (self._lines.unfinished or self._last)[-_HEARD_KEPT:]

    def hear(self, data: bytes) -> bytes:
        whole = self._lines.whole(data)
        if self.welcome:  # others join, and a crowd receives many lines: only pings matter now
            return pongs(IRC, whole)
        return b"".join([self._answer(line) for line in whole.split(b"\n")])

    def _answer(self, line: bytes) -> bytes:
        self._last = line or self._last
        command, *parameters = _without_source(line).split() or [b""]
        if command == _WELCOME:
            return b"JOIN " + b",".join(self._channels) + b"\r\n"
        if command == _END_OF_NAMES:
            self._missing.difference_update(parameters)
            self.welcome = not self._missing
        elif command == b"ERROR" or (command[:1] in (b"4", b"5") and command != _NO_MOTD):
            raise LoadError(f"{self.name}: {line.decode(errors='replace').strip()}")
        return IRC.pong(line)


class Irc(Language):
    """IRC in these channels; what a member says goes to the first one."""

    newline = b"\r\n"
    pings = True

    def __init__(self, *channels: bytes) -> None:
        self._channels = channels
        self._say = b"PRIVMSG " + channels[0] + b" :"

    def conversation(self, name: str) -> Conversation:
        return _IrcConversation(name, self._channels)

    def line(self, text: bytes) -> bytes:
        return self._say + text + b"\r\n"

    def heard(self, line: bytes) -> tuple[bytes, bytes]:
        source, _, said = line.partition(_SAID)
        channel, _, text = said.partition(b" :")
        if channel not in self._channels:
            return source, b""
        if not text.endswith(b"\r"):
            return source, b""
        return source[1:].partition(b"!")[0], text[:-1]

    def pong(self, line: bytes) -> bytes:
        command, _, token = _without_source(line).partition(b" ")
        return b"PONG " + token.rstrip(b"\r") + b"\r\n" if command == b"PING" else b""


def _without_source(line: bytes) -> bytes:
    """Return a line of IRC without `:server ` before its command."""
    return line.partition(b" ")[2] if line.startswith(b":") else line


class Lines:
    """Joins the lines of a stream that arrives in pieces."""

    def __init__(self) -> None:
        self.unfinished = b""
        """The beginning of the next line."""

    def whole(self, data: bytes | memoryview) -> bytes:
        """Add input; return it up to the end of the last complete line."""
        data = self.unfinished + data
        end = data.rfind(b"\n") + 1
        self.unfinished = data[end:]
        return data[:end]


def pongs(language: Language, whole: bytes) -> bytes:
    """Return the answers to the pings in these lines."""
    if b"PING " not in whole:  # nearly always
        return b""
    return b"".join([language.pong(line) for line in whole.split(b"\n")])


def without_pings(language: Language, whole: bytes) -> bytes:
    """Return these lines without pings."""
    if b"PING " not in whole:
        return whole
    return b"".join([line + b"\n" for line in whole.split(b"\n")[:-1] if not language.pong(line)])


TEXT = _PlainText()
IRC = Irc(_LOBBY)
