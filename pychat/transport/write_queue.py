"""
The server's delivery: the writer's interface for other threads.

Accepted log entries and requests of connections go into one queue, in order; the loop processes it (`writer.py`). While
too much is in flight, senders wait here (backpressure).
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, cast

from pychat.core.delivery import Delivery, Entry, Follow
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.core.waiting import before_wait
from pychat.model.limits import Limits
from pychat.transport.jobs import Disconnect, Job, Reload, Settle, Tell
from pychat.transport.link import Link, link_of

_OWN_SHARE: Final = 0.5
"""Share of `Limits.send_queue_bytes` that a session may have in flight. Beyond it, none of its verbs is performed."""
_GO_ON_SHARE: Final = 0.5
"""Share of the in-flight limits below which a blocked session continues."""
_TURN_SHARE: Final = 8
"""How many times the in-flight limit the loop may cause in a turn, because it sends everything at its end."""
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
        self.runner: int | None = None
        """The thread that runs the loop; None while none does."""
        self.send: Callable[[], None] = lambda: None
        """Sends what is queued, on the loop's thread."""
        # Guards the bytes in flight, in total and per session, and the lagging rooms. Last in the order of locks;
        # nothing is called under it.
        self._flow = threading.Lock()
        self._pending = 0
        self._waiting: dict[Callable[[], None], Session] = {}
        """Whom to call when a session may continue."""
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

    def must_rest(self, session: Session) -> bool:
        size, session.caused = session.caused, 0
        if self._wakes is None:
            return False
        link = link_of(session)
        if link is not None:
            link.is_free = _is_free(link, size)
        with self._flow:
            self._pending += size
            session.pending += size
            must = not self._may_go_on(session, 1)
        self.submit(Settle(session, size))
        return must

    def rest(self, session: Session, go_on: Callable[[], None]) -> bool:
        """Let the loop call `go_on` once the session may continue; return False, and do not, if it may already."""
        with self._flow:
            if self._may_go_on(session, _GO_ON_SHARE):
                return False
            self._waiting[go_on] = session
        return True

    def throttle(self, session: Session) -> None:
        if self.must_rest(session):
            if self.runner == threading.get_ident() and self._may_go_on_here(session):
                return
            self._send_here()
            # Guards nothing: this thread waits for it, and the loop releases it.
            waiter = threading.Lock()
            waiter.acquire()
            if self.rest(session, waiter.release):
                before_wait()
                waiter.acquire()

    def _may_go_on_here(self, session: Session) -> bool:
        """Return whether the loop may perform more before it sends: so what many newcomers cause is sent together."""
        link = link_of(session)
        own = session.pending + (0 if link is None else link.queued_bytes)
        most = self.limits.pending_bytes * _TURN_SHARE
        return own <= self.limits.send_queue_bytes * _OWN_SHARE and self._pending <= most

    def _send_here(self) -> None:
        """On the loop's thread, send what is queued, so that it need not wait for itself."""
        if self.runner == threading.get_ident():
            self.send()

    def _may_go_on(self, session: Session, share: float) -> bool:
        """
        Return whether the next verb of a session may be performed.

        Args:
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
        if self.log.is_crowded:
            return False
        if session.pending + link.queued_bytes > own:
            return False
        if self._pending > self.limits.pending_bytes * share and session.pending > _FREE_BYTES:
            return False
        return link.is_free or not self._lagging or self._lagging.isdisjoint(tuple(session.rooms.values()))

    def disconnect(self, link: Link, reason: str) -> None:
        """End the session of the link: its peer is told the reason, and its reader closes it."""
        self.submit(Disconnect(link, reason))

    def wait_drained(self, link: Link, timeout: float) -> bool:
        """Wait until nothing is queued for the link; return False on timeout or if it is dead."""
        event = threading.Event()
        self.submit(Tell(link, event))
        self._send_here()
        if not event.is_set():
            before_wait()
        return event.wait(timeout) and not link.dead

    # Called by the loop

    def settle(self, done: Settle) -> None:
        """Subtract bytes that are no longer in the queue."""
        with self._flow:
            self._pending -= done.size
            done.session.pending -= done.size

    def look_again(self) -> None:
        """Release the blocked sessions that may continue, after something was sent or somebody was disconnected."""
        if self._waiting:
            with self._flow:
                ready = [go_on for go_on, who in self._waiting.items() if self._may_go_on(who, _GO_ON_SHARE)]
                for go_on in ready:
                    del self._waiting[go_on]
            for go_on in ready:
                go_on()

    def slept(self) -> None:
        """Re-arm the wake-up: the writer is awake."""
        self._woken = False

    def let_wait(self, lagging: frozenset[Room]) -> None:
        """Slow down senders to these rooms, and no others, so that lagging members can read."""
        if lagging != self._lagging:
            self._lagging = lagging
            self.look_again()


def _is_free(link: Link, size: int) -> bool:
    """Return whether a session that caused this many bytes sends so little that it need not wait for readers."""
    now = time.monotonic()
    free_at = max(now, link.free_at) + size / _FREE_BYTES_PER_SECOND
    if free_at - now > _FREE_BYTES / _FREE_BYTES_PER_SECOND:
        return False
    link.free_at = free_at
    return True
