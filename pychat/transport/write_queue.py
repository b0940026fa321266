"""
The server's delivery: what other threads see of the writer.

Whatever the log accepted goes into one queue, in order, with what connections ask for; the writer thread
(`writer.py`) works it off. While too much is on its way, those who write wait here.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import deque
from typing import Final, cast

from pychat.core.delivery import Delivery, Entry, Follow
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.model.limits import Limits
from pychat.transport.jobs import Expel, Finish, Job, Settle, Tell
from pychat.transport.link import Link, link_of

_OWN_SHARE: Final = 0.5
"""Of `Limits.send_queue_bytes`: what a session may have on its way. Over it, none of its verbs is performed."""
_GO_ON_SHARE: Final = 0.5
"""Of what may be on its way: a session that waits goes on when there is no more than that."""
_FREE_BYTES: Final = 8192
"""What a session may always have on its way, however much others have."""
_FREE_BYTES_PER_SECOND: Final = 2048
"""What a session may always say in a room, however slow its members read."""


class Fanout(Delivery):
    """The queue of one server's writer. May be used from any thread; the writer's own methods are marked."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.jobs: deque[Job] = deque()
        """Appended to by all, taken from by the writer."""
        self._wakes: tuple[socket.socket, socket.socket] | None = None
        self._woken = False
        self.stopping = False
        # Guards the bytes on their way, in all and of each session, and the rooms that lag. Last in the order of
        # locks; nothing is called under it.
        self._flow = threading.Lock()
        self._pending = 0
        self._waiting: dict[threading.Lock, tuple[Session, bool]] = {}
        self._lagging: frozenset[Room] = frozenset()

    def start(self) -> socket.socket:
        """From now on entries and jobs are queued; return a socket that is readable when there are some."""
        receiver, sender = self._wakes = socket.socketpair()
        receiver.setblocking(False)
        sender.setblocking(False)
        return receiver

    def close(self) -> None:
        """The writer has ended: nothing is queued any more."""
        self._close_wakes()
        self.jobs.clear()
        self.look_again()

    def disown(self) -> None:
        """In the child of a fork: nothing is queued any more, and no lock can be taken."""
        self._close_wakes()
        self.jobs.clear()
        # Guards the same; the old one may be held by a thread that is not here.
        self._flow = threading.Lock()

    def _close_wakes(self) -> None:
        if self._wakes is not None:
            wakes, self._wakes = self._wakes, None
            for end in wakes:
                end.close()

    def stop(self) -> None:
        """Let the writer end when it has done what is queued."""
        self.stopping = True
        self._woken = False
        self.wake()

    def accept(self, entry: Entry) -> None:
        if type(entry) is Follow:
            self.jobs.append(cast("Job", entry.job))
            return
        super().accept(entry)
        if self._wakes is not None:  # else there is nobody behind a socket
            self.jobs.append(cast("Job", entry))

    def submit(self, job: Job) -> None:
        """Queue a job behind everything that this thread appended to the log before."""
        self.log.append(Follow(job))
        self.log.wake()

    def submit_now(self, job: Job) -> None:
        """Queue a job behind what was accepted so far: it does not wait for the log."""
        self.jobs.append(job)
        self.wake()

    def wake(self) -> None:
        wakes = self._wakes  # the writer may end meanwhile
        if not self._woken and wakes is not None:
            self._woken = True
            with contextlib.suppress(OSError):  # it is full, so the writer is awake; or closed, and there is none
                wakes[1].send(b"\0")

    def throttle(self, session: Session) -> None:
        size, session.caused = session.caused, 0
        if self._wakes is None:
            return
        free, waiter = _is_free(session, size), None
        with self._flow:
            self._pending += size
            session.pending += size
            if not self._may_go_on(session, free, 1):
                # Guards nothing: one thread waits for it, and the writer releases it.
                waiter = threading.Lock()
                waiter.acquire()
                self._waiting[waiter] = session, free
        self.submit(Settle(session, size))
        if waiter is not None:
            waiter.acquire()  # released by the writer

    def _may_go_on(self, session: Session, free: bool, share: float) -> bool:
        """
        Whether the next verb of a session may be performed.

        Args:
            free: However slow others read.
            share: Of what may be on its way. Who has begun to wait does so until there is much less of it, because
                to be woken costs as much as many verbs.
        """
        if self._wakes is None or not session.is_here or session.chat.stopping.is_set():
            return True
        link = link_of(session)
        own = self.limits.send_queue_bytes * _OWN_SHARE * share
        if link is None:  # of the program itself: it waits for nothing that others do
            return session.pending <= own
        if link.dead or link.verdict is not None:
            return True
        if session.pending + link.behind > own:
            return False
        if self._pending > self.limits.pending_bytes * share and session.pending > _FREE_BYTES:
            return False
        return free or not self._lagging or self._lagging.isdisjoint(tuple(session.rooms.values()))

    def expel(self, link: Link, reason: str) -> None:
        """Let the session of the link end: its peer is told why, and its reader closes it."""
        self.submit(Expel(link, reason))

    def wait_drained(self, link: Link, timeout: float) -> bool:
        """Wait until nothing is queued for the link; False if that took too long, or it is dead."""
        event = threading.Event()
        self.submit(Tell(link, event))
        return event.wait(timeout) and not link.dead

    def finish(self, link: Link, timeout: float) -> None:
        """Send what is queued for the link, close that direction, and wait for it."""
        link.finished = threading.Event()
        self.submit(Finish(link))
        link.finished.wait(timeout)

    # Called by the writer

    def settle(self, done: Settle) -> None:
        """So much is no longer in the queue."""
        with self._flow:
            self._pending -= done.size
            done.session.pending -= done.size

    def look_again(self) -> None:
        """Something was sent, or somebody was cut off: let those go on who may."""
        if self._waiting:
            with self._flow:
                ready = [waiter for waiter, who in self._waiting.items() if self._may_go_on(*who, _GO_ON_SHARE)]
                for waiter in ready:
                    del self._waiting[waiter]
                    waiter.release()

    def slept(self) -> None:
        """The writer is awake: from now on it wants to be woken again."""
        self._woken = False

    def let_wait(self, lagging: frozenset[Room]) -> None:
        """Those who write into these rooms, and no others, shall give their members time to read."""
        if lagging != self._lagging:
            self._lagging = lagging
            self.look_again()


def _is_free(session: Session, size: int) -> bool:
    """Whether a session that caused this much says so little that it need not wait for readers."""
    link = link_of(session)
    if link is None:
        return True
    now = time.monotonic()
    free_at = max(now, link.free_at) + size / _FREE_BYTES_PER_SECOND
    if free_at - now > _FREE_BYTES / _FREE_BYTES_PER_SECOND:
        return False
    link.free_at = free_at
    return True
