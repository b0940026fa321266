"""
How members of each kind of server register, and a request of one line that each of them can send at any time.

They send at once what they have to say: a member with a terminal, for whom the text protocol waits a moment before it
asks with `NICK`, would measure that wait. No room is joined but the one into which a server puts everybody by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from benchmarks.errors import LoadError
from benchmarks.languages import IRC, Conversation, Language, Lines, pongs

_HEARD_KEPT: Final = 200
_END_OF_REGISTRATION: Final = (b"376", b"422")
"""The end of the message of the day, or that there is none: IRC servers send one of them last."""


class _Registration(Conversation):
    """Reads lines until one of them is the welcome; from then on only pings matter."""

    pings: ClassVar[bool] = True
    """True if the server may ping a member at any time."""

    def __init__(self, name: str, opening: str) -> None:
        super().__init__(name)
        self.opening = opening.encode()
        self._lines = Lines()
        self._last = b""

    @property
    def heard(self) -> bytes:
        return (self._lines.unfinished or self._last)[-_HEARD_KEPT:]

    def hear(self, data: bytes) -> bytes:
        if self.welcome and not self.pings:  # as fast as possible: a crowd hears of all who join
            self._last = data[-_HEARD_KEPT:]
            return b""
        whole = self._lines.whole(data)
        if self.welcome:
            self._last = whole[-_HEARD_KEPT:]  # a server says why it ends a connection
        elif whole:
            self._read(whole)
        return self._answers(whole)

    def _read(self, whole: bytes) -> None:
        for line in whole.split(b"\n")[:-1]:
            self._last = line
            if self._is_refusal(line):
                raise LoadError(f"{self.name}: {line.decode(errors='replace').strip()}")
            self.welcome = self.welcome or self._is_welcome(line)

    def _is_refusal(self, line: bytes) -> bool:
        raise NotImplementedError

    def _is_welcome(self, line: bytes) -> bool:
        raise NotImplementedError

    def _answers(self, whole: bytes) -> bytes:
        return b""


class TextRegistration(_Registration):
    """A nickname and a newline; the first line is the welcome."""

    pings: ClassVar[bool] = False

    def __init__(self, name: str) -> None:
        super().__init__(name, f"{name}\n")

    def _is_refusal(self, line: bytes) -> bool:
        return line.removeprefix(b"NICK").startswith(b"!")

    def _is_welcome(self, line: bytes) -> bool:
        return True


class JsonRegistration(_Registration):
    """A hello; the welcome is its answer."""

    def __init__(self, name: str) -> None:
        super().__init__(name, json.dumps({"type": "hello", "nick": name}) + "\n")

    def _is_refusal(self, line: bytes) -> bool:
        return line.startswith(b'{"type":"error"')

    def _is_welcome(self, line: bytes) -> bool:
        return line.startswith(b'{"type":"welcome"')

    def _answers(self, whole: bytes) -> bytes:
        return b'{"type":"pong"}\n' * whole.count(b'{"type":"ping"')


class IrcRegistration(_Registration):
    """NICK and USER; the welcome is complete at the end of the message of the day."""

    def __init__(self, name: str) -> None:
        super().__init__(name, f"NICK {name}\r\nUSER {name} 0 * :{name}\r\n")

    def _is_refusal(self, line: bytes) -> bool:
        command = _command(line)
        return command == b"ERROR" or (command[:1] in (b"4", b"5") and command not in _END_OF_REGISTRATION)

    def _is_welcome(self, line: bytes) -> bool:
        return _command(line) in _END_OF_REGISTRATION

    def _answers(self, whole: bytes) -> bytes:
        return pongs(IRC, whole)


def _command(line: bytes) -> bytes:
    words = line.split(None, 2)
    return (words[1:2] if line.startswith(b":") else words[:1] or [b""])[0]


@dataclass(frozen=True)
class Manner:
    """How members of a server register, and what they ask."""

    conversation: Callable[[str], Conversation]
    request: bytes
    """A request with a short answer; empty if the server has none."""
    answer: bytes
    """What is in that answer, and in nothing else that a silent member receives."""
    tls: bool = False
    talks: bool = False
    """True if all members are in one room, and hear plain lines of text there."""


_BY_TEXT: Final = Manner(TextRegistration, b"/help me\n", b"/me TEXT", talks=True)
_WITHOUT_COMMANDS: Final = Manner(TextRegistration, b"", b"", talks=True)
_BY_IRC: Final = Manner(IrcRegistration, b"PING wake\r\n", b" PONG ")
MANNERS: Final[Mapping[str, Manner]] = {
    "pychat-json": Manner(JsonRegistration, b'{"type":"ping","token":"wake"}\n', b'"token":"wake"'),
    "tutorial": _WITHOUT_COMMANDS,
    "blast": _WITHOUT_COMMANDS,
    "pychat-tls": Manner(_BY_IRC.conversation, _BY_IRC.request, _BY_IRC.answer, tls=True),
}
"""By the name of the server, where its language does not say enough."""


def manner_of(name: str, language: Language) -> Manner:
    """Return how members of this server register."""
    return MANNERS.get(name) or (_BY_IRC if language is IRC else _BY_TEXT)
