"""
The server's delivery: the writer's interface for other threads.

Accepted log entries and requests of connections go into one queue, in order; the writer thread (`writer.py`) processes
it. While too much is in flight, senders block here (backpressure).
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
from pychat.transport.jobs import Disconnect, Finish, Job, Reload, Settle, Tell
from pychat.transport.link import Link, link_of

_OWN_SHARE: Final = 0.5
"""Share of `Limits.send_queue_bytes` that a session may have in flight. Beyond it, none of its verbs is performed."""
_GO_ON_SHARE: Final = 0.5
"""Share of the in-flight limits below which a blocked session continues."""
_FREE_BYTES: Final = 8192
"""Bytes that a session may always have in flight, whatever others have."""
_FREE_BYTES_PER_SECOND: Final = 2048
"""The rate at which a session may always send to a room, however slow its members read."""


class WriteQueue(Delivery):
    """The queue of one server's writer. May be used from any thread; the writer's own methods are marked."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.jobs: deque[Job] = deque()
        """Appended to by all threads, read by the writer."""
        self._wakes: tuple[socket.socket, socket.socket] | None = None
        self._woken = False
        self.stopping = False
        # Guards the bytes in flight, in total and per session, and the lagging rooms. Last in the order of locks;
        # nothing is called under it.
        self._flow = threading.Lock()
        self._pending = 0
        self._waiting: dict[threading.Lock, tuple[Session, bool]] = {}
        self._lagging: frozenset[Room] = frozenset()

    def change(self, limits: Limits) -> None:
        """Apply new limits. The writer applies them to what it takes from the queue after this."""
        self.limits = limits
        if self._wakes is not None:  # otherwise a writer begins with these
            self.submit_now(Reload(limits))

    def start(self) -> socket.socket:
        """Start queueing entries and jobs; return a socket that is readable when there are some."""
        receiver, sender = self._wakes = socket.socketpair()
        receiver.setblocking(False)
        sender.setblocking(False)
        return receiver

    def close(self) -> None:
        """Stop queueing: the writer has ended."""
        self._close_wakes()
        self.jobs.clear()
        self.look_again()

    def disown(self) -> None:
        """Stop queueing, in the child of a fork, where no lock can be taken."""
        self._close_wakes()
        self.jobs.clear()
        # Guards the same; the old lock may be held by a thread that does not exist here.
        self._flow = threading.Lock()

    def _close_wakes(self) -> None:
        if self._wakes is not None:
            wakes, self._wakes = self._wakes, None
            for end in wakes:
                end.close()

    def stop(self) -> None:
        """Let the writer end after the jobs that are queued."""
        self.stopping = True
        self._woken = False
        self.wake()

    def accept(self, entry: Entry) -> None:
        if type(entry) is Follow:
            self.jobs.append(cast("Job", entry.job))
            return
        super().accept(entry)
        if self._wakes is not None:  # otherwise no session has a socket
            self.jobs.append(cast("Job", entry))

    def submit(self, job: Job) -> None:
        """Queue a job after everything that this thread has appended to the log."""
        self.log.append(Follow(job))
        self.log.wake()

    def submit_now(self, job: Job) -> None:
        """Queue a job after the entries accepted so far, without waiting for the log."""
        self.jobs.append(job)
        self.wake()

    def wake(self) -> None:
        wakes = self._wakes  # the writer may end meanwhile
        if not self._woken and wakes is not None:
            self._woken = True
            with contextlib.suppress(OSError):  # it is full, so the writer is awake; or closed, and there is no writer
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
        Return whether the next verb of a session may be performed.

        Args:
            free: True if the session need not wait for slow readers.
            share: Share of the in-flight limits to apply. A blocked session waits for a much lower level, because a
                wake-up costs as much as many verbs.
        """
        if self._wakes is None or not session.is_here or session.chat.stopping.is_set():
            return True
        link = link_of(session)
        own = self.limits.send_queue_bytes * _OWN_SHARE * share
        if link is None:  # of the program itself: it waits for its own output only
            return session.pending <= own
        if link.dead or link.close_reason is not None:
            return True
        if session.pending + link.queued_bytes > own:
            return False
        if self._pending > self.limits.pending_bytes * share and session.pending > _FREE_BYTES:
            return False
        return free or not self._lagging or self._lagging.isdisjoint(tuple(session.rooms.values()))

    def disconnect(self, link: Link, reason: str) -> None:
        """End the session of the link: its peer is told the reason, and its reader closes it."""
        self.submit(Disconnect(link, reason))

    def wait_drained(self, link: Link, timeout: float) -> bool:
        """Wait until nothing is queued for the link; return False on timeout or if it is dead."""
        event = threading.Event()
        self.submit(Tell(link, event))
        return event.wait(timeout) and not link.dead

    def finish(self, link: Link, timeout: float) -> None:
        """Send what is queued for the link, close that direction, and wait for both."""
        link.finished = threading.Event()
        self.submit(Finish(link))
        link.finished.wait(timeout)

    # Called by the writer

    def settle(self, done: Settle) -> None:
        """Subtract bytes that are no longer in the queue."""
        with self._flow:
            self._pending -= done.size
            done.session.pending -= done.size

    def look_again(self) -> None:
        """Release the blocked sessions that may continue, after something was sent or somebody was disconnected."""
        if self._waiting:
            with self._flow:
                ready = [waiter for waiter, who in self._waiting.items() if self._may_go_on(*who, _GO_ON_SHARE)]
                for waiter in ready:
                    del self._waiting[waiter]
                    waiter.release()

    def slept(self) -> None:
        """Re-arm the wake-up: the writer is awake."""
        self._woken = False

    def let_wait(self, lagging: frozenset[Room]) -> None:
        """Slow down senders to these rooms, and no others, so that lagging members can read."""
        if lagging != self._lagging:
            self._lagging = lagging
            self.look_again()


def _is_free(session: Session, size: int) -> bool:
    """Return whether a session that caused this many bytes sends so little that it need not wait for readers."""
    link = link_of(session)
    if link is None:
        return True
    now = time.monotonic()
    free_at = max(now, link.free_at) + size / _FREE_BYTES_PER_SECOND
    if free_at - now > _FREE_BYTES / _FREE_BYTES_PER_SECOND:
        return False
    link.free_at = free_at
    return True
