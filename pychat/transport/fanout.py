"""
The server's delivery: what other threads see of the writer.

Whatever the log accepted goes into one queue, in order, with what connections ask for; the writer thread
(`writer.py`) works it off. While too much is on its way, those who write wait here.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from typing import cast

from pychat.core.delivery import Delivery, Entry, Follow
from pychat.core.limits import Limits
from pychat.core.room import Room
from pychat.core.session import Session
from pychat.transport.jobs import Expel, Finish, Job, Tell
from pychat.transport.link import Link

_LAG_SECONDS = 0.05
"""How long a chunk of input may wait because a member of the room is behind: a writer of megabytes gets slower."""


class Fanout(Delivery):
    """The queue of one server's writer. May be used from any thread; the writer's own methods are marked."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.jobs: deque[Job] = deque()
        """Appended to by all, taken from by the writer."""
        self._wakes: tuple[socket.socket, socket.socket] | None = None
        self._woken = False
        self.stopping = False
        # Guards the count of bytes on their way and the rooms that lag. Last in the order of locks; nothing is called
        # under it.
        self._flow = threading.Condition(threading.Lock())
        self._pending = 0
        self._lagging: frozenset[Room] = frozenset()

    def start(self) -> socket.socket:
        """From now on entries and jobs are queued; return a socket that is readable when there are some."""
        receiver, sender = self._wakes = socket.socketpair()
        receiver.setblocking(False)
        sender.setblocking(False)
        return receiver

    def close(self) -> None:
        """The writer has ended: nothing is queued any more."""
        if self._wakes is not None:
            wakes, self._wakes = self._wakes, None
            for end in wakes:
                end.close()
        with self._flow:
            self.jobs.clear()
            self._flow.notify_all()

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

    def throttle(self, session: Session, size: int) -> None:
        with self._flow:
            self._pending += size
            if self._pending > self.limits.pending_bytes:
                self._flow.wait_for(lambda: self._pending <= self.limits.pending_bytes or not self.jobs)
            if self._lagging:
                rooms = tuple(session.rooms.values())
                self._flow.wait_for(lambda: self._lagging.isdisjoint(rooms) or self.stopping, _LAG_SECONDS)

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

    def begin_pass(self) -> None:
        """What was pending is being done."""
        with self._flow:
            self._pending = 0

    def end_pass(self) -> None:
        """Let those go on who waited for the writer, also if they began to wait when their jobs were done."""
        with self._flow:
            self._flow.notify_all()

    def slept(self) -> None:
        """The writer is awake: from now on it wants to be woken again."""
        self._woken = False

    def let_wait(self, lagging: frozenset[Room]) -> None:
        """Those who write into these rooms, and no others, shall give their members time to read."""
        if lagging != self._lagging:
            with self._flow:
                self._lagging = lagging
                self._flow.notify_all()
