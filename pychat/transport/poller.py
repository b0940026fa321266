"""The sockets that the loop waits for, each to be readable, writable, or both."""

from __future__ import annotations

import selectors
import socket
from typing import Final

from pychat.transport.link import Link

READ: Final = selectors.EVENT_READ
WRITE: Final = selectors.EVENT_WRITE


class Poller:
    """Used by the loop only. A link is in it only while the loop waits for its socket (`Link.interest`)."""

    def __init__(self, wake: socket.socket) -> None:
        """
        Args:
            wake: A socket that interrupts `wait`, which empties it.
        """
        self._wake = wake
        self._selector = selectors.DefaultSelector()
        self._selector.register(wake, READ)

    def close(self) -> None:
        """Close the descriptor."""
        self._selector.close()

    def wait(self, seconds: float | None) -> list[tuple[Link, int]]:
        """Wait until something has happened or the time is up (None: never); return the links with their events."""
        ready = []
        for key, events in self._selector.select(seconds):
            if key.data is None:
                self._wake.recv(4096)
            else:
                ready.append((key.data, events))
        return ready

    def add(self, link: Link, event: int) -> None:
        """Wait for an event of the link's socket, too."""
        self._change(link, link.interest | event)

    def remove(self, link: Link, event: int = READ | WRITE) -> None:
        """Stop waiting for an event of the link's socket; by default for all, before it is closed."""
        self._change(link, link.interest & ~event)

    def _change(self, link: Link, interest: int) -> None:
        if interest == link.interest:
            return
        if not link.interest:
            self._selector.register(link.socket, interest, link)
        elif interest:
            self._selector.modify(link.socket, interest, link)
        else:
            self._selector.unregister(link.socket)
        link.interest = interest
