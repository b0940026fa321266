"""A change on its way to the disk, for the thread that must not go on before it is there."""

from __future__ import annotations

import threading

from pychat.core.waiting import before_wait
from pychat.model.errors import NotStored


class PendingWrite:
    """A pending write, for a thread that must wait for it."""

    def __init__(self) -> None:
        self._settled = threading.Event()
        self._error: str | None = None

    def settle(self, error: str | None = None) -> None:
        """Report that it is stored, or why it never will be."""
        self._error = error
        self._settled.set()

    def wait(self, what: str) -> None:
        """
        Block until it is stored. Call this without a lock.

        Args:
            what: The name of the data, for the error.

        Raises:
            NotStored: If it cannot be stored; the old state remains.
        """
        before_wait()
        self._settled.wait()
        if self._error is not None:
            raise NotStored(what, self._error)
