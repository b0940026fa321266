"""The standard streams of a command: writing output, detecting a closed reader, and whether they are a terminal."""

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
    """Nobody reads the output any more; acts like SIGPIPE, which Python ignores."""


class CannotWrite(ChatError):
    """The output cannot be written although it has a reader; for example, the disk is full."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot write to stdout: {self.reason}"


class Output:
    """The stdout of a command: each line is written at once and as a whole, from any thread."""

    def __init__(self) -> None:
        # Held while lines are written, so that those of several threads do not mix. Nothing else is done under it.
        self._writing = threading.Lock()
        if sys.stdout is not None:
            sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # it is a TextIOWrapper

    def write(self, lines: Iterable[str]) -> None:
        """
        Write lines; they are dropped if stdout was closed from the beginning.

        Raises:
            ClosedPipe: If nobody reads them any more.
            CannotWrite: If they cannot be written.
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
        """Raise `ClosedPipe` if the output was closed, which is not noticed while nothing is written."""
        if sys.stdout is None:
            return
        poller = select.poll()
        poller.register(sys.stdout.fileno(), 0)  # errors are always reported
        if any(events & select.POLLERR for _, events in poller.poll(0)):
            silence(sys.stdout.fileno())
            raise ClosedPipe


def say_on_stdout(lines: Iterable[str]) -> None:
    """Print lines at once; a stdout that nobody reads any more is not an error."""
    if sys.stdout is None:
        return
    try:
        print(*lines, sep="\n", flush=True)
    except (OSError, ValueError):
        # The rest of the buffer would fail again at exit.
        silence(sys.stdout.fileno())


def say_on_stderr(line: str) -> None:
    """Print a line, if there is a stderr; `print` would use stdout if there is none."""
    if sys.stderr is not None:
        sys.stderr.write(f"{line}\n")  # in one piece, so that lines of several threads do not mix


def silence(descriptor: int) -> None:
    """Redirect further output to a broken stdout to nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether the stream is a terminal."""
    return stream is not None and stream.isatty()


def can_edit() -> bool:
    """
    Return whether a person at a terminal can edit a line below the output.

    If the output goes elsewhere, or the terminal cannot move its cursor, input and output can only alternate.
    """
    return is_terminal(sys.stdout) and os.environ.get("TERM", "").lower() not in _DUMB
