"""
The terminal without an editor: input and output alternate, as in `nc`.

For a terminal that cannot move its cursor, and for output that is not a terminal. Input still consists of commands and
messages, and passwords are read without echo.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import select
import sys
import termios
from collections.abc import Callable, Iterable
from typing import Final

from pychat.terminal.interfaces import Leaving, Talker, Typed
from pychat.terminal.view import Line

_STDIN: Final = 0
_READ_BYTES: Final = 65_536
_INTERRUPTED: Final = 130


def ask_nickname(proposal: str = "") -> str:
    """
    Ask for a nickname; raise EOFError or KeyboardInterrupt if the person gives up.

    Args:
        proposal: The nickname if the person just presses Enter.
    """
    print(f"Your nickname [{proposal}]: " if proposal else "Your nickname: ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer:
        raise EOFError
    return answer.strip() or proposal


class LineMode:
    """
    The `Screen` of a conversation.

    Args:
        write: Writes lines to stdout, at once.
    """

    def __init__(self, write: Callable[[Iterable[str]], None]) -> None:
        self._talker: Talker
        self._write = write
        self._lines: list[str] = []
        """Lines to print next."""
        self._typed = b""
        """The beginning of a line; terminals send whole lines, except very long ones."""
        self._doubted: str | None = None
        """The line that the next line must confirm."""
        self._leaving: Leaving | None = None
        # Written by any thread; a pipe, so that select can wait for it and stdin at once.
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)

    def run(self, talker: Talker, start: Callable[[], None]) -> Leaving:
        """Call `start`, process lines, and return when the person leaves."""
        self._talker = talker
        start()
        try:
            while self._leaving is None:
                talker.look()
                self.flush()
                if self._leaving is None:
                    self._wait()
        except KeyboardInterrupt:
            self._leaving = Leaving(_INTERRUPTED, at_once=True)
        return self._leaving

    def notify(self) -> None:
        """Let the talker check for news, soon. May be called from any thread."""
        with contextlib.suppress(BlockingIOError):  # the pipe is full of wake-ups
            os.write(self._wake, b"!")

    def _wait(self) -> None:
        ready, _, _ = select.select([_STDIN, self._woken], [], [], self._talker.look_again_in())
        if self._woken in ready:
            os.read(self._woken, _READ_BYTES)
        if _STDIN in ready:
            self._read()

    def _read(self) -> None:
        try:
            data = os.read(_STDIN, _READ_BYTES)
        except OSError:  # the terminal is gone
            data = b""
        *lines, self._typed = (self._typed + data).split(b"\n")
        for line in lines:
            self._enter(line.decode(errors="replace").removesuffix("\r"))
        if not data:
            self.leave(0)

    def _enter(self, text: str) -> None:
        doubted, self._doubted = self._doubted, None
        if self._leaving is not None:
            return
        if doubted is None:
            self._talker.look()  # the room may have changed meanwhile
            if self._talker.enter(text) is Typed.KEPT and self._doubted is not None:
                self._doubted = text
        elif text.strip().lower() in ("y", "yes"):
            self._talker.enter(doubted, confirmed=True)
        self.flush()

    # The screen

    def show(self, lines: Iterable[Line]) -> None:
        self._lines += ["".join([text for _, text in line]) for line in lines]

    def flush(self) -> None:
        """Print the pending lines."""
        lines, self._lines = self._lines, []
        self._write(lines)

    def ring(self) -> None:
        """Do nothing: the output may be a file."""

    def clear(self) -> None:
        """Do nothing: such a terminal cannot be cleared."""

    def give_back(self, text: str) -> None:
        """Do nothing: the text is still on the screen, as it was typed."""

    def take_back(self, text: str) -> bool:
        """Return False: no text was given back."""
        return False

    def change_line(self, text: str) -> str:
        """Discard input that was typed but not entered, as far as the terminal does."""
        with contextlib.suppress(termios.error):
            termios.tcflush(_STDIN, termios.TCIFLUSH)
        self._typed, self._doubted = b"", None
        return ""

    def put_away(self, text: str) -> None:
        """Do nothing: there is no arrow up."""

    def ask_secret(self, question: str, use: Callable[[str], None]) -> None:
        self.flush()
        try:
            secret = getpass.getpass(question)
        except (EOFError, KeyboardInterrupt):
            return
        if secret:
            use(secret)

    def confirm(self, question: str) -> None:
        self._doubted = ""
        self._lines.append(question)

    def leave(self, exit_code: int, reason: str = "") -> None:
        if self._leaving is None:
            self._leaving = Leaving(exit_code, reason)
