"""
Remove the commands that telnet programs send between characters (RFC 854); they begin with the byte 0xFF, "IAC".

They are dropped, because the server offers no option and needs none. This happens before lines are split: a
subnegotiation may contain any byte, including a newline (a window 10 columns wide).
"""

from __future__ import annotations

from enum import Enum, auto

IAC = 0xFF
_SUBNEGOTIATION = 0xFA
_SUBNEGOTIATION_END = 0xF0
_WITH_OPTION = range(0xFB, 0xFF)
"""WILL, WONT, DO and DONT: one byte follows, the option."""


class _State(Enum):
    TEXT = auto()
    COMMAND = auto()
    OPTION = auto()
    SUBNEGOTIATION = auto()
    SUBNEGOTIATION_COMMAND = auto()


class TelnetFilter:
    """
    Strips telnet commands from a stream, in any chunks.

    Args:
        most: Bytes that one subnegotiation may have; a longer one makes the stream `broken`, because it would swallow
            all further input.
    """

    __slots__ = ("_most", "_state", "_subnegotiated", "broken")

    def __init__(self, most: int) -> None:
        self._most = most
        self._state = _State.TEXT
        self._subnegotiated = 0
        self.broken = False

    def strip(self, data: bytes) -> bytes:
        """Return the next part of the text, without commands; nothing once the stream is `broken`."""
        if self._state is _State.TEXT and IAC not in data and not self.broken:
            return data
        text = bytearray()
        at = 0
        while at < len(data) and not self.broken:
            at = self._text(data, at, text) if self._state is _State.TEXT else self._command(data, at, text)
        return bytes(text)

    def _text(self, data: bytes, at: int, text: bytearray) -> int:
        """Copy up to the next command, and return the position after its first byte."""
        end = data.find(IAC, at)
        if end < 0:
            text += data[at:]
            return len(data)
        text += data[at:end]
        self._state = _State.COMMAND
        return end + 1

    def _command(self, data: bytes, at: int, text: bytearray) -> int:
        """Skip one byte of a command, or the body of a subnegotiation, and return the position after it."""
        byte = data[at]
        match self._state:
            case _State.COMMAND:
                if byte == IAC:  # doubled: it stands for the byte itself
                    text.append(IAC)
                self._subnegotiated = 0
                self._state = _AFTER_COMMAND.get(byte, _State.TEXT)
            case _State.SUBNEGOTIATION:
                return self._skip_subnegotiation(data, at)
            case _State.SUBNEGOTIATION_COMMAND:
                self._state = _State.TEXT if byte == _SUBNEGOTIATION_END else _State.SUBNEGOTIATION
                self._count(2)
            case _:
                self._state = _State.TEXT
        return at + 1

    def _skip_subnegotiation(self, data: bytes, at: int) -> int:
        end = data.find(IAC, at)
        if end < 0:
            self._count(len(data) - at)
            return len(data)
        self._count(end - at)
        self._state = _State.SUBNEGOTIATION_COMMAND
        return end + 1

    def _count(self, swallowed: int) -> None:
        self._subnegotiated += swallowed
        self.broken = self._subnegotiated > self._most


_AFTER_COMMAND = {_SUBNEGOTIATION: _State.SUBNEGOTIATION} | dict.fromkeys(_WITH_OPTION, _State.OPTION)
