"""The signals of `pychat serve`, and the action that each requests."""

from __future__ import annotations

import os
import select
import signal
import socket
from enum import Enum
from typing import Final

_MOST_SIGNALS: Final = 64
"""How many signals are read at once."""


class Wish(Enum):
    """The action that a signal requests."""

    RELOAD = "reload"
    REPORT = "report"
    END = "end"


class Signals:
    """
    Waits for the signals that a server handles.

    SIGHUP has two meanings: read the files again, or the terminal is gone. It means the former if there never was a
    terminal, or still is.

    The interpreter writes a byte for each signal, so no code runs in a signal handler, where a lock held by the
    interrupted code would deadlock.
    """

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        self._had_terminal = _has_terminal()

    def __enter__(self) -> Signals:
        signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, _do_nothing)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it
            signal.signal(signal.SIGHUP, _do_nothing)
        return self

    def __exit__(self, *args: object) -> None:
        signal.set_wakeup_fd(-1)
        self._receiver.close()
        self._sender.close()

    def wait(self, timeout: float) -> Wish | None:
        """Wait for signals, and return the action they request; None on timeout."""
        if not select.select([self._receiver], [], [], timeout)[0]:
            return None
        numbers = set(self._receiver.recv(_MOST_SIGNALS))
        if numbers == {signal.SIGUSR1}:
            return Wish.REPORT
        numbers.discard(signal.SIGUSR1)
        if numbers == {signal.SIGHUP} and not (self._had_terminal and not _has_terminal()):
            return Wish.RELOAD
        return Wish.END


def _has_terminal() -> bool:
    """Return whether this process has a controlling terminal."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _do_nothing(number: int, frame: object) -> None:
    """Do nothing: the byte was already written."""
