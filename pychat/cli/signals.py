"""The signals that `pychat serve` knows, and what each of them wants of the server."""

from __future__ import annotations

import os
import select
import signal
import socket
from enum import Enum
from typing import Final

_MOST_SIGNALS: Final = 64
"""That are looked at together."""


class Wish(Enum):
    """What a signal wants of the server."""

    RELOAD = "reload"
    REPORT = "report"
    END = "end"


class Signals:
    """
    Waits for the signals that a server knows.

    SIGHUP means two things: read your files again, and: your terminal is gone. The first one is meant where there is
    no terminal, or still one.

    The interpreter writes a byte for each signal, so nothing runs in a handler, where a lock that the interrupted
    code holds could never be had.
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
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # it is, under nohup
            signal.signal(signal.SIGHUP, _do_nothing)
        return self

    def __exit__(self, *args: object) -> None:
        signal.set_wakeup_fd(-1)
        self._receiver.close()
        self._sender.close()

    def wait(self, timeout: float) -> Wish | None:
        """Wait for signals, and return what they want; None if none came in time."""
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
    """Whether a terminal controls this process."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _do_nothing(number: int, frame: object) -> None:
    """The byte was written already."""
