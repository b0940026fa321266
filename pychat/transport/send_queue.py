"""Sockets that do not take everything: bounded queues, who is behind, and who is cut off."""

from __future__ import annotations

import contextlib
import fcntl
import selectors
import socket
import sys
import termios
import time
from collections import deque
from typing import Final

from pychat.core.rooms.room import Room
from pychat.model.limits import Limits
from pychat.transport.link import Link

_READS_SECONDS: Final = 1.0
_READS_BYTES: Final = 16_384
"""What a member that is behind must read in each `_READS_SECONDS`, so that others wait for it."""


class Sender:
    """Sends without waiting. Used by the writer thread only."""

    def __init__(self, limits: Limits, wake: socket.socket) -> None:
        """
        Args:
            wake: Read, and emptied, in `wait`.
        """
        self.limits = limits
        """Another thread may set others."""
        self._wake = wake
        self._selector = selectors.DefaultSelector()
        self._selector.register(wake, selectors.EVENT_READ)
        self._behind: dict[Link, None] = {}
        self._next_check = 0.0

    def close(self) -> None:
        """Give up what is queued."""
        self._selector.close()

    @property
    def behind(self) -> bool:
        """Whether anybody is."""
        return bool(self._behind)

    def wait(self, timeout: float | None) -> None:
        """Wait for the wake socket, and meanwhile send to those who take something again."""
        for key, _ in self._selector.select(timeout):
            if key.data is None:
                self._wake.recv(4096)
            else:
                self._send_queued(key.data)

    def send(self, link: Link, data: bytes) -> None:
        """Send, or queue what the socket does not take; nothing happens if the link is dead."""
        if link.tls is not None:
            # For each link on its own, and at once: so what waits is counted as it is, and bounded, and goes out as
            # that of others does.
            data = link.tls.send(data)
        if link.queue:
            self._enqueue(link, memoryview(data))
        elif data and not link.dead:
            try:
                sent = link.send(data, socket.MSG_DONTWAIT)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.cut_off(link, "connection reset")
                return
            if sent < len(data):
                self._enqueue(link, memoryview(data)[sent:])

    def _enqueue(self, link: Link, view: memoryview) -> None:
        link.behind += len(view)
        if link.behind > self.limits.send_queue_bytes + link.allowed:
            self._cut_off_full(link)
            return
        if link.queue is None:
            link.queue = deque()
            self._behind[link] = None
            link.progress = link.window = time.monotonic()
            link.unread = _unread(link.socket)
            link.sent, link.taken, link.reads = 0, -link.unread, True
            self._selector.register(link.socket, selectors.EVENT_WRITE, link)
        link.queue.append(view)

    def _cut_off_full(self, link: Link) -> None:
        self.cut_off(link, f"too slow: more than {self.limits.send_queue_bytes} bytes were waiting")

    def _send_queued(self, link: Link) -> None:
        """The socket takes bytes again."""
        link.progress = time.monotonic()
        while link.queue:
            view = link.queue[0]
            try:
                sent = link.send(view, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                self.cut_off(link, "connection reset")
                return
            link.behind -= sent
            link.sent += sent
            if sent < len(view):
                link.queue[0] = view[sent:]
                return
            link.queue.popleft()
        self._unblock(link)
        if link.finishing:
            self._end_sending(link)

    def _unblock(self, link: Link) -> None:
        if link.queue is not None:
            link.queue = None
            link.allowed = 0
            del self._behind[link]
            self._selector.unregister(link.socket)
        for event in link.drained:
            event.set()
        link.drained.clear()

    def finish(self, link: Link) -> None:
        """Nothing comes after what is queued."""
        if link.tls is not None:
            link.tls.end()
            self.send(link, b"")
        link.finishing = True
        if not link.queue:
            self._end_sending(link)

    def _end_sending(self, link: Link) -> None:
        """Everything was sent: say so to the peer, and to the reader that waits for it."""
        with contextlib.suppress(OSError):
            link.socket.shutdown(socket.SHUT_WR)
        if link.finished is not None:
            link.finished.set()

    def cut_off(self, link: Link, verdict: str) -> None:
        """End a session whose peer cannot be told; its reader wakes, and tells the others."""
        if link.verdict is None:
            link.verdict = verdict
        self.give_up(link)
        with contextlib.suppress(OSError):
            link.socket.shutdown(socket.SHUT_RDWR)

    def give_up(self, link: Link) -> None:
        """Forget what is queued: nothing can be sent any more. Who waits for it goes on."""
        link.dead = True
        link.behind = 0
        self._unblock(link)
        if link.finished is not None:
            link.finished.set()

    def cut_off_stalled(self) -> None:
        """
        Cut off those who have taken nothing for too long; looks once a second.

        Those who have asked for a list that is longer than the queue get it as long as they read.
        """
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + 1.0
            seconds = self.limits.stall_seconds
            for link in [link for link in self._behind if _silent_for(link, now) >= seconds]:
                self.cut_off(link, f"too slow: nothing was taken for {seconds:g} seconds")
            for link in [link for link in self._behind if link.allowed and link.behind > self.limits.send_queue_bytes]:
                if not _reads(link, now):
                    self._cut_off_full(link)

    def lagging_rooms(self) -> frozenset[Room]:
        """Return the rooms with a member that is far behind and goes on reading, fast enough to be waited for."""
        now, much = time.monotonic(), self.limits.send_queue_bytes // 8
        return frozenset(
            hearers.room
            for link in self._behind
            if link.behind - link.allowed > much and _reads(link, now)
            for hearers in link.rooms
        )


def _reads(link: Link, now: float) -> bool:
    """Whether a member that is behind reads at a rate at which others wait for it."""
    _silent_for(link, now)
    elapsed = now - link.window
    if elapsed >= _READS_SECONDS:
        taken = link.sent - link.unread
        link.reads = taken - link.taken >= _READS_BYTES * elapsed / _READS_SECONDS
        link.window, link.taken = now, taken
    return link.reads


def _silent_for(link: Link, now: float) -> float:
    """
    Return for how many seconds a member that is behind has read nothing.

    Who reads slowly takes long to make enough room for the socket to be writable again, so the system is asked.
    """
    unread = _unread(link.socket)
    if unread < link.unread:
        link.progress = now
    link.unread = unread
    return now - link.progress


def _unread(sock: socket.socket) -> int:
    """Return the bytes that the system has taken and not yet brought to the peer; 0 where it does not tell."""
    try:
        return int.from_bytes(fcntl.ioctl(sock, termios.TIOCOUTQ, b"\0\0\0\0"), sys.byteorder)
    except OSError:
        return 0
