"""The streams of a command: what it prints, who may read it no more, and whether a person sits in front of them."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Iterable
from typing import Final, TextIO

from pychat.model.errors import ChatError

_DUMB: Final = ("dumb", "unknown")


class ClosedPipe(ChatError):
    """Nobody reads the output any more; as if SIGPIPE, which Python ignores, had ended the command."""


class CannotWrite(ChatError):
    """The output cannot be written, though somebody wants it: the disk is full, say."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot write to stdout: {self.reason}"


class Output:
    """stdout of a command whose lines matter: each is written at once and as a whole, from any thread."""

    def __init__(self) -> None:
        # Held while lines are written, so that those of several threads do not mix. Nothing else is done under it.
        self._writing = threading.Lock()
        if sys.stdout is not None:
            sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # it is a TextIOWrapper

    def write(self, lines: Iterable[str]) -> None:
        """
        Write lines; a stdout that was closed from the beginning takes all of them.

        Raises:
            ClosedPipe: Nobody reads them any more.
            CannotWrite: They cannot be written.
        """
        text = "".join([f"{line}\n" for line in lines])
        if not text or sys.stdout is None:
            return
        with self._writing:
            try:
                sys.stdout.write(text)
                sys.stdout.flush()
            except BrokenPipeError:
                silence(sys.stdout.fileno())
                raise ClosedPipe from None
            except OSError as error:
                silence(sys.stdout.fileno())
                raise CannotWrite(error.strerror or str(error)) from error

    def check(self) -> None:
        """Raise `ClosedPipe` if nobody would read the next line: who has nothing to write would not notice."""
        if sys.stdout is None:
            return
        poller = select.poll()
        poller.register(sys.stdout.fileno(), 0)  # errors are told unasked
        if any(events & select.POLLERR for _, events in poller.poll(0)):
            silence(sys.stdout.fileno())
            raise ClosedPipe


def say_on_stdout(lines: Iterable[str]) -> None:
    """Print lines at once; a stdout that nobody reads any more is no reason to end."""
    if sys.stdout is None:
        return
    try:
        print(*lines, sep="\n", flush=True)
    except (OSError, ValueError):
        # What is left in the buffer would fail again at exit.
        silence(sys.stdout.fileno())


def say_on_stderr(line: str) -> None:
    """Print a line, if there is a stderr; `print` would take stdout if there is none."""
    if sys.stderr is not None:
        sys.stderr.write(f"{line}\n")  # in one piece: lines of several threads do not mix


def silence(descriptor: int) -> None:
    """Let what is written to a broken stdout go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person sits there."""
    return stream is not None and stream.isatty()


def can_edit() -> bool:
    """
    Whether a person at a terminal can type below what is heard.

    If the output goes elsewhere, or the terminal cannot move its cursor, what is typed and what is heard can only
    follow each other.
    """
    return is_terminal(sys.stdout) and os.environ.get("TERM", "").lower() not in _DUMB
