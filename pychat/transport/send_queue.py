"""Send without blocking: bounded queues, lagging members, and disconnection of those that stall."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import sys
import termios
import time
from collections import deque
from typing import Final

from pychat.core.rooms.room import Room
from pychat.model.limits import Limits
from pychat.transport.link import Link
from pychat.transport.poller import WRITE, Poller

_READS_SECONDS: Final = 1.0
_READS_BYTES: Final = 16_384
"""Bytes that a lagging member must read per `_READS_SECONDS` for others to wait for it."""


class SendQueues:
    """Sends without blocking. Used by the loop only."""

    def __init__(self, limits: Limits, poller: Poller) -> None:
        self.limits = limits
        self._poller = poller
        self._behind: dict[Link, None] = {}
        self._next_check = 0.0

    @property
    def behind(self) -> bool:
        """True if any member is lagging."""
        return bool(self._behind)

    def send(self, link: Link, data: bytes) -> None:
        """Send, or queue what the socket does not accept; do nothing if the link is dead."""
        if link.tls is not None:
            # Encrypted per link and at once, so that queued output is counted at its real size, bounded, and sent as
            # that of other links.
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
        link.queued_bytes += len(view)
        if link.queued_bytes > self.limits.send_queue_bytes + link.allowed:
            self._cut_off_full(link)
            return
        if link.queue is None:
            link.queue = deque()
            self._behind[link] = None
            link.progress = link.window = time.monotonic()
            link.unread = _unread(link.socket)
            link.sent, link.taken, link.reads = 0, -link.unread, True
            self._poller.add(link, WRITE)
        link.queue.append(view)

    def _cut_off_full(self, link: Link) -> None:
        self.cut_off(link, f"too slow: more than {self.limits.send_queue_bytes} bytes were waiting")

    def send_queued(self, link: Link) -> None:
        """Send queued output: the socket is writable again."""
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
            link.queued_bytes -= sent
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
            self._poller.remove(link, WRITE)
        for event in link.drained:
            event.set()
        link.drained.clear()

    def finish(self, link: Link) -> None:
        """Announce that nothing follows what is queued."""
        if link.tls is not None:
            link.tls.end()
            self.send(link, b"")
        link.finishing = True
        if not link.queue:
            self._end_sending(link)

    def _end_sending(self, link: Link) -> None:
        """Tell the peer and the waiting connection that everything was sent."""
        with contextlib.suppress(OSError):
            link.socket.shutdown(socket.SHUT_WR)
        _wake_finished(link)

    def cut_off(self, link: Link, reason: str) -> None:
        """Disconnect a peer that cannot be told the reason; its connection wakes and tells the others."""
        if link.close_reason is None:
            link.close_reason = reason
        self.give_up(link)
        with contextlib.suppress(OSError):
            link.socket.shutdown(socket.SHUT_RDWR)

    def give_up(self, link: Link) -> None:
        """Drop what is queued, because nothing can be sent any more, and release all waiters."""
        link.dead = True
        link.queued_bytes = 0
        self._unblock(link)
        _wake_finished(link)

    def forget(self, link: Link) -> None:
        """Stop waiting for the socket of a link that was given up, before it is closed."""
        self._poller.remove(link)

    def cut_off_stalled(self) -> None:
        """
        Disconnect members that have read nothing for too long; checks once a second.

        A member that requested an answer longer than the queue receives it as long as it reads.
        """
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + 1.0
            seconds = self.limits.stall_seconds
            for link in [link for link in self._behind if _silent_for(link, now) >= seconds]:
                self.cut_off(link, f"too slow: nothing was read for {seconds:g} seconds")
            for link in [
                link for link in self._behind if link.allowed and link.queued_bytes > self.limits.send_queue_bytes
            ]:
                if not _reads(link, now):
                    self._cut_off_full(link)

    def lagging_rooms(self) -> frozenset[Room]:
        """Return the rooms with a member that lags far but reads fast enough to be waited for."""
        now, much = time.monotonic(), self.limits.send_queue_bytes // 8
        return frozenset(
            subscribers.room
            for link in self._behind
            if link.queued_bytes - link.allowed > much and _reads(link, now)
            for subscribers in link.rooms
        )


def _wake_finished(link: Link) -> None:
    link.finished = True
    if link.connection is not None:
        link.connection.wake()


def _reads(link: Link, now: float) -> bool:
    """Return whether a lagging member reads fast enough for others to wait for it."""
    _silent_for(link, now)
    elapsed = now - link.window
    if elapsed >= _READS_SECONDS:
        taken = link.sent - link.unread
        link.reads = taken - link.taken >= _READS_BYTES * elapsed / _READS_SECONDS
        link.window, link.taken = now, taken
    return link.reads


def _silent_for(link: Link, now: float) -> float:
    """
    Return for how many seconds a lagging member has read nothing.

    A slow reader takes long to free enough room for the socket to be writable again, so the system is asked.
    """
    unread = _unread(link.socket)
    if unread < link.unread:
        link.progress = now
    link.unread = unread
    return now - link.progress


def _unread(sock: socket.socket) -> int:
    """Return the bytes that the system has not delivered to the peer yet; 0 where it does not tell."""
    try:
        return int.from_bytes(fcntl.ioctl(sock, termios.TIOCOUTQ, b"\0\0\0\0"), sys.byteorder)
    except OSError:
        return 0
