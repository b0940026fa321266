"""A thread for one connection from its first byte to its last, as in the tutorials (`ChatServer(threads="each")`)."""

from __future__ import annotations

import select
import threading
from typing import Final

from pychat.transport.connection import Connection
from pychat.transport.threads.home import Home, Wait

_MOST_SECONDS: Final = 3600.0
"""The longest wait; no thread can wait for 300 years, and a handler may want a delay without an end."""


class OwnThread(Home):
    """Runs one connection on the calling thread, which blocks while the connection waits."""

    def __init__(self) -> None:
        self._woken = threading.Event()

    def wake(self, connection: Connection) -> None:
        self._woken.set()

    def wake_later(self, connection: Connection) -> None:
        """Do nothing: there is never a crowd here."""

    def run(self, connection: Connection) -> None:
        """Resume the connection until it is over."""
        wait = connection.resume(True)
        while wait is not None:
            wait = connection.resume(self._wait(connection, wait))

    def _wait(self, connection: Connection, wait: Wait) -> bool:
        seconds = None if wait.seconds is None else min(wait.seconds, _MOST_SECONDS)
        if not wait.input:
            happened = self._woken.wait(seconds)
            self._woken.clear()
            return happened
        poller = select.poll()
        poller.register(connection.link.socket, select.POLLIN)
        return bool(poller.poll(None if seconds is None else seconds * 1000))
