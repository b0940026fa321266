"""`pychat connect` on a terminal, for the tests: keys go in, and what is on the screen comes out."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pyte
import pytest
from chat_clients import DEADLINE
from chat_programs import PYCHAT, Process, Programs

_LOOK_SECONDS: Final = 0.05

ENTER = "\r"
TAB = "\t"
BACKSPACE = "\x7f"
BACK_TAB = "\x1b[Z"
CTRL_C = "\x03"
CTRL_D = "\x04"
CTRL_R = "\x12"
CTRL_U = "\x15"
CTRL_Z = "\x1a"
ARROW_UP = "\x1b[A"
ARROW_DOWN = "\x1b[B"
ARROW_LEFT = "\x1b[D"
ALT = "\x1b"


class Screen(pyte.Screen):
    """A screen that remembers what has left it at the top, and how often the bell rang."""

    def __init__(self, columns: int, rows: int) -> None:
        super().__init__(columns, rows)
        self.scrolled: list[str] = []
        self.bells = 0

    def index(self) -> None:
        """Go down one row; in the last one, the first one leaves."""
        if self.cursor.y == self.lines - 1:
            self.scrolled.append(self.display[0].rstrip())
        super().index()

    def bell(self, *args: object) -> None:
        """Ring."""
        self.bells += 1

    def rows(self) -> list[str]:
        """The rows down to the last one with something in it, without blanks at their ends."""
        rows = [row.rstrip() for row in self.display]
        while rows and not rows[-1]:
            rows.pop()
        return rows


class Terminal:
    """A program on a pseudo-terminal."""

    def __init__(self, start: Callable[[int], Process], columns: int = 80, rows: int = 24) -> None:
        """
        Args:
            start: Starts it with this descriptor as its terminal.
        """
        self._master, slave = pty.openpty()
        self.screen = Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._set_size(columns, rows)
        self.process = start(slave)
        os.close(slave)
        self.written = b""
        """Everything that the program has written."""

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def paste(self, text: str) -> None:
        """Paste: the terminal says where it begins and ends."""
        self.type(f"\x1b[200~{text}\x1b[201~")

    def resize(self, columns: int, rows: int) -> None:
        """Make the window smaller or larger. This terminal cuts rows off, and does not wrap them again."""
        self.screen.resize(rows, columns)
        self._set_size(columns, rows)

    def wait_for(self, holds: Callable[[], object], what: str) -> None:
        """Read until something holds of the screen."""
        deadline = time.monotonic() + DEADLINE
        while not holds():
            assert self._read_more(deadline), f"{what} did not come, but\n" + "\n".join(self.text())

    def see(self, text: str) -> str:
        """Wait until a row that is not the last one has this text in it; return the row."""
        self.wait_for(lambda: any(text in row for row in self.text()[:-1]), repr(text))
        return next(row for row in reversed(self.text()[:-1]) if text in row)

    def see_line(self, text: str) -> None:
        """Wait until the line to type in is this, with what stands before it."""
        self.wait_for(lambda: self.line == text, f"the line {text!r}")

    def see_status(self, text: str) -> None:
        """Wait until the status below the line has this text in it."""
        self.wait_for(lambda: text in self.status, f"the status {text!r}")

    @property
    def line(self) -> str:
        """The row with the cursor."""
        return self.screen.display[self.screen.cursor.y].rstrip()

    @property
    def status(self) -> str:
        """The last row."""
        rows = self.screen.rows()
        return rows[-1] if rows else ""

    def text(self) -> list[str]:
        """All rows, with those that have left the screen, wrapped ones as one, without the times before them."""
        rows: list[str] = []
        wrapped = False
        for row in [*self.screen.scrolled, *self.screen.rows()]:
            if rows and row.startswith(" " * 8):  # broken between words
                rows[-1] += row[7:]
            elif wrapped:
                rows[-1] += row
            else:
                rows.append(without_time(row))
            wrapped = len(row) == self.screen.columns
        return rows

    def styles(self, text: str) -> set[str]:
        """The colours of the characters of a text that is on the screen, "bold" and "reverse"."""
        row, column = next((y, r.index(text)) for y, r in enumerate(self.screen.display) if text in r)
        chars = [self.screen.buffer[row][x] for x in range(column, column + len(text))]
        return {
            name
            for char in chars
            for name in (char.fg, char.bg, "bold" * char.bold, "reverse" * char.reverse)
            if name not in ("default", "")
        }

    def wait(self) -> int:
        """Read to the end; return the exit code."""
        while self._read_more(time.monotonic() + DEADLINE):
            pass
        return self.process.wait(DEADLINE)

    def hang_up(self) -> None:
        """Close the window, with the program in it."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, self._master)
        os.close(nowhere)

    def end(self) -> None:
        """Make sure that it ends."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait(DEADLINE)
        os.close(self._master)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read_more(self, deadline: float) -> bool:
        if not select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return False
        try:
            data = os.read(self._master, 65_536)
        except OSError:  # the program has ended
            return False
        self.written += data
        self._stream.feed(data)
        return bool(data)


def without_time(row: str) -> str:
    """A row without its `[HH:MM] `, if it has one."""
    return row[8:] if row[:1] == "[" and row[3:4] == ":" and row[6:8] == "] " else row


class Tmux:
    """A program in a window of tmux, which wraps its rows again when it gets narrower, unlike `Terminal`."""

    def __init__(self, directory: Path, environment: dict[str, str], *command: str) -> None:
        self._tmux = ["tmux", "-S", str(directory / "tmux"), "-f", os.devnull]
        self._environment = environment
        self.run("new-session", "-d", "-x", "80", "-y", "24", *command)

    def run(self, *arguments: str) -> str:
        """Run a command of tmux; return what it prints."""
        done = subprocess.run(
            [*self._tmux, *arguments], env=self._environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def type(self, text: str) -> None:
        """Press keys."""
        self.run("send-keys", "-l", text)

    def resize(self, columns: int) -> None:
        """Make the window narrower or wider."""
        self.run("resize-window", "-x", str(columns), "-y", "24")

    def rows(self) -> list[str]:
        """All rows with something in them, with those that have left the screen, without times."""
        return [without_time(row) for row in self.run("capture-pane", "-p", "-S", "-100").splitlines() if row]

    def wait_for_rows(self, holds: Callable[[list[str]], object], what: str) -> None:
        """Wait until something holds of the rows. Each look at them starts a program, so there are pauses between."""
        deadline = time.monotonic() + DEADLINE
        pause = threading.Event()
        while not holds(rows := self.rows()):
            assert time.monotonic() < deadline, f"{what} did not come, but\n" + "\n".join(rows)
            pause.wait(_LOOK_SECONDS)

    def end(self) -> None:
        """End the program."""
        self.run("kill-server")


class Terminals:
    """Starts `pychat connect` on terminals; ends them."""

    def __init__(self, programs: Programs, stack: ExitStack) -> None:
        self._programs, self._stack = programs, stack

    def __call__(
        self, port: int, *arguments: str, kind: str = "xterm-256color", columns: int = 80, **environment: str
    ) -> Terminal:
        command = (*PYCHAT, "connect", "--port", str(port), *arguments)
        return self.start(*command, kind=kind, columns=columns, **environment)

    def start(self, *command: str, kind: str = "xterm-256color", columns: int = 80, **environment: str) -> Terminal:
        """Start any program."""
        programs = self._programs
        values = {**programs.environment, "TERM": kind, "XDG_STATE_HOME": str(programs.directory / "state")}
        for name in ("NO_COLOR", "FORCE_COLOR"):
            values.pop(name, None)
        values.update(environment)

        def start_at(slave: int) -> Process:
            files = slave, slave, slave
            if command[: len(PYCHAT)] == PYCHAT:
                return programs.start(command[len(PYCHAT) :], files, values, terminal=True)
            return programs.execute(command, files, values, terminal=True)

        terminal = Terminal(start_at, columns)
        self._stack.callback(terminal.end)
        return terminal

    def tmux(self, port: int, *arguments: str) -> Tmux:
        """Start one in tmux."""
        programs = self._programs
        command = (*PYCHAT, "connect", "--port", str(port), *arguments)
        tmux = Tmux(programs.directory, {**programs.environment, "LC_ALL": "C.UTF-8"}, *command)
        self._stack.callback(tmux.end)
        return tmux

    def join(self, port: int, nick: str, *arguments: str, **options: str) -> Terminal:
        """Start one, and wait until it is in its room."""
        terminal = self(port, "--nick", nick, *arguments, **options)  # type: ignore[arg-type]  # no columns among them
        terminal.see("you are in")
        return terminal


@pytest.fixture
def terminals(pychat: Programs) -> Iterator[Terminals]:
    """What starts `pychat connect` on terminals."""
    with ExitStack() as stack:
        yield Terminals(pychat, stack)
