"""
The terminal without an editor: what is typed and what is heard follow each other, as in `nc`.

For a terminal that cannot move its cursor, and for an output that is no terminal. What is typed are commands and
messages all the same, and passwords are asked for where nobody sees them.
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
    Ask for a nickname; raises EOFError or KeyboardInterrupt if the person gives up.

    Args:
        proposal: That of a person who only presses Enter.
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
        """What is shown next."""
        self._typed = b""
        """The beginning of a line; a terminal gives whole ones, but for very long ones."""
        self._doubted: str | None = None
        """What the next line says whether it is meant so."""
        self._leaving: Leaving | None = None
        # From any thread; a pipe, because one waits for it and for stdin at once.
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)

    def run(self, talker: Talker, start: Callable[[], None]) -> Leaving:
        """Call `start`, take lines, and return when the person leaves."""
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
        """Let the talker look at what is new, soon. From any thread."""
        with contextlib.suppress(BlockingIOError):  # it is full of such
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
            self._talker.look()  # the room may be another one by now
            if self._talker.enter(text) is Typed.KEPT and self._doubted is not None:
                self._doubted = text
        elif text.strip().lower() in ("y", "yes"):
            self._talker.enter(doubted, confirmed=True)
        self.flush()

    # The screen

    def show(self, lines: Iterable[Line]) -> None:
        self._lines += ["".join([text for _, text in line]) for line in lines]

    def flush(self) -> None:
        """Print what was shown."""
        lines, self._lines = self._lines, []
        self._write(lines)

    def ring(self) -> None:
        """Ring nothing: the output may be a file."""

    def clear(self) -> None:
        """Clear nothing: such a terminal cannot."""

    def give_back(self, text: str) -> None:
        """Give nothing back: the text is on the screen, as it was typed."""

    def take_back(self, text: str) -> bool:
        """Nothing was given back."""
        return False

    def change_line(self, text: str) -> str:
        """Forget what is typed and not entered, as far as the terminal does."""
        with contextlib.suppress(termios.error):
            termios.tcflush(_STDIN, termios.TCIFLUSH)
        self._typed, self._doubted = b"", None
        return ""

    def put_away(self, text: str) -> None:
        """Keep nothing: there is no arrow up."""

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
