"""
The write path: one thread that sends everything to everybody, and never waits for anybody.

Whatever the log accepted arrives in one queue, in order. The writer takes what is there (a pass), encodes the events
of each room once per dialect, and gives each member all of it with a single non-blocking `send`. While it sends, more
arrives; the busier the server, the more messages share a `send`. What a socket does not take waits in the member's
own bounded queue.

The writer never appends to the log, runs no hook and calls no user code, else it could wait for itself. To end a
session it leaves a verdict and wakes the reader, who does the rest. It alone closes sockets, so no descriptor is
reused under it.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, TypeAlias

from pychat.core.delivery import Attach, Batch, Delivery, Detach, Entry, Private
from pychat.core.limits import Limits
from pychat.core.replies import Bye, PingRequest
from pychat.core.room import Room
from pychat.core.session import Session
from pychat.transport.hearers import Hearers
from pychat.transport.link import Link, link_of
from pychat.transport.timers import Timers

logger = logging.getLogger("pychat")

_PASS_BYTES = 131_072
"""Encoded bytes after which a pass ends: half a send queue, so that one pass never fills an empty one."""
_LAG_SECONDS = 0.05
"""How long a chunk of input may wait because a member of the room is behind: a writer of megabytes gets slower."""
_LAG_MEMORY_SECONDS = 0.25
"""How long ago a member that is behind may have taken something, to be waited for."""


class Open(NamedTuple):
    """A connection was accepted: watch its time."""

    link: Link


class Raw(NamedTuple):
    """Bytes that are no item of any dialect: the prompt, a refusal of a language that is not spoken here."""

    link: Link
    data: bytes


class Expel(NamedTuple):
    """End the session, politely: the peer is told why."""

    link: Link
    reason: str


class Sever(NamedTuple):
    """End the connection at once: there is no time for more."""

    link: Link
    reason: str


class Finish(NamedTuple):
    """Nothing comes after this: send what is queued, then close this direction."""

    link: Link


class Close(NamedTuple):
    """The reader has ended: forget the link and close its socket."""

    link: Link


class Tell(NamedTuple):
    """Set the event when nothing is queued for the link."""

    link: Link
    event: threading.Event


Job: TypeAlias = Entry | Open | Raw | Expel | Sever | Finish | Close | Tell


class Fanout(Delivery):
    """The writer of one server. Its public methods may be called from any thread."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._jobs: deque[Job] = deque()
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_receiver.setblocking(False)
        self._wake_sender.setblocking(False)
        self._woken = False
        self._stopped = False
        # Guards the count of pending bytes. Last in the order of locks; nothing is called under it.
        self._flow = threading.Condition(threading.Lock())
        self._pending = 0
        self._lagging: frozenset[Room] = frozenset()
        """Rooms with members that read, but not as fast as others write."""
        self._thread = threading.Thread(target=self._run, name="pychat-writer", daemon=True)

        # Only the writer thread touches what follows.
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_receiver, selectors.EVENT_READ)
        self._rooms: dict[Room, Hearers] = {}
        self._touched: dict[Hearers, None] = {}
        self._singled: list[Link] = []
        self._after_pass: list[Finish | Close | Tell] = []
        self._blocked: dict[Link, None] = {}
        self._next_stall_check = 0.0
        self._timers = Timers()

    # Called by other threads

    def start(self) -> None:
        """Start the writer thread."""
        self._thread.start()

    def accept(self, entry: Entry) -> None:
        super().accept(entry)
        self._jobs.append(entry)

    def submit(self, job: Job) -> None:
        """Queue a job behind everything that was accepted before."""
        self._jobs.append(job)
        self.wake()

    def wake(self) -> None:
        if not self._woken:
            self._woken = True
            with contextlib.suppress(OSError):  # it is full, so the writer is awake; or closed, and there is none
                self._wake_sender.send(b"\0")

    def throttle(self, session: Session, size: int) -> None:
        with self._flow:
            self._pending += size
            if self._pending > self._limits.pending_bytes:
                self._flow.wait_for(lambda: self._pending <= self._limits.pending_bytes or not self._jobs)
            if self._lagging:
                rooms = tuple(session.rooms.values())
                self._flow.wait_for(lambda: self._lagging.isdisjoint(rooms) or self._stopped, _LAG_SECONDS)

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

    def stop(self, deadline: float) -> None:
        """Send what is queued, as far as sockets take it at once, and end by the deadline (`time.monotonic`)."""
        self._stopped = True
        self._woken = False
        self.wake()
        with self._flow:
            self._flow.notify_all()
        self._thread.join(max(0.0, deadline - time.monotonic()))
        self._wake_sender.close()

    # The writer thread

    def _run(self) -> None:
        while not self._stopped or self._jobs:
            try:
                self._wait()
                while self._jobs:
                    self._pass()
            except Exception:
                logger.exception("the writer failed; it goes on")
        self._selector.close()
        self._wake_receiver.close()

    def _wait(self) -> None:
        """Wait for jobs, for sockets that take bytes again, and for the next timer."""
        timeout = 0.0 if self._jobs else self._timers.timeout()
        if self._blocked:
            timeout = min(1.0, timeout if timeout is not None else 1.0)
        for key, _ in self._selector.select(timeout):
            if key.data is None:
                self._wake_receiver.recv(4096)
            else:
                self._send_queued(key.data)
        self._woken = False
        self._timers.run()
        if self._blocked:
            self._check_stalled()
        if self._lagging:
            self._check_lagging()

    def _pass(self) -> None:
        """Take jobs until there are enough, encode what they say, and send it to whom it is for."""
        with self._flow:
            self._pending = 0
        size = 0
        while self._jobs and size < _PASS_BYTES:
            job = self._jobs.popleft()
            try:
                size += self._DO[type(job)](self, job)
            except Exception:  # a language cannot write what somebody said: that is lost, the rest goes on
                logger.exception("the writer cannot do %.200r", job)
        for hearers in self._touched:
            for dialect, parts in hearers.take_parts():
                data = b"".join(parts)
                for link in hearers.groups.get(dialect, ()):
                    if link.own is None:
                        self._send(link, data)
        self._touched.clear()
        for link in self._singled:
            parts, link.own = link.own or [], None
            self._send(link, b"".join(parts))
        self._singled.clear()
        for last in self._after_pass:
            self._DO_AFTER[type(last)](self, last)
        self._after_pass.clear()
        with self._flow:  # also for those who began to wait while their jobs were done
            self._flow.notify_all()
        if self._blocked:
            self._check_lagging()

    # What a job does; returns the bytes that it causes for each hearer

    def _batch(self, batch: Batch) -> int:
        if len(batch.rooms) != 1 or batch.only is not None or batch.also is not None:
            return self._batch_for_some(batch)
        hearers = self._rooms.get(batch.rooms[0])
        if hearers is None:
            return 0
        self._touched[hearers] = None
        for link in hearers.several:
            self._single_out(link)
        source = link_of(batch.source)
        if source is not None:
            self._single_out(source)
        return hearers.encode(batch.events, source)

    def _batch_for_some(self, batch: Batch) -> int:
        """What is for several rooms, or for some of their members, goes to each of these on its own."""
        rooms = [self._rooms[room] for room in batch.rooms if room in self._rooms]
        links = dict.fromkeys(link for hearers in rooms for link in hearers.links())
        if batch.only is not None:
            links = dict.fromkeys(link for link in links if link.session in batch.only)
        source, also = link_of(batch.source), link_of(batch.also)
        if source is not None:
            links.pop(source, None)
        if also is not None:
            links[also] = None
        encoded = {dialect: dialect.encode(batch.events) for dialect in {link.dialect for link in links}}
        for link in links:
            self._single_out(link).append(encoded[link.dialect])
        return max(map(len, encoded.values()), default=0)

    def _private(self, private: Private) -> int:
        link = link_of(private.session)
        if link is None:
            return 0
        data = link.dialect.encode(private.items)
        self._single_out(link).append(data)
        return len(data)

    def _attach(self, attach: Attach) -> int:
        link = link_of(attach.session)
        if link is not None and not link.dead:
            self._single_out(link)
            hearers = self._rooms.setdefault(attach.room, Hearers(attach.room))
            self._touched[hearers] = None
            hearers.add(link)
        return 0

    def _detach(self, detach: Detach) -> int:
        link, hearers = link_of(detach.session), self._rooms.get(detach.room)
        if link is not None and hearers is not None:
            self._single_out(link)
            hearers.remove(link)
            if not hearers.groups:
                del self._rooms[detach.room]
        return 0

    def _open(self, job: Open) -> int:
        self._timers.set(job.link, job.link.opened + self._limits.registration_seconds, self._check_registered)
        return 0

    def _raw(self, job: Raw) -> int:
        self._single_out(job.link).append(job.data)
        return len(job.data)

    def _expel(self, job: Expel) -> int:
        link = job.link
        if link.dead or link.verdict is not None:
            return 0
        link.verdict = job.reason
        self._single_out(link).append(link.dialect.encode([Bye(job.reason)]))
        with contextlib.suppress(OSError):
            link.socket.shutdown(socket.SHUT_RD)  # wakes the reader
        return 0

    def _sever(self, job: Sever) -> int:
        self._cut_off(job.link, job.reason)
        return 0

    def _later(self, job: Finish | Close | Tell) -> int:
        self._after_pass.append(job)
        return 0

    _DO: ClassVar[dict[type[Any], Callable[[Fanout, Any], int]]] = {
        Batch: _batch,
        Private: _private,
        Attach: _attach,
        Detach: _detach,
        Open: _open,
        Raw: _raw,
        Expel: _expel,
        Sever: _sever,
        Finish: _later,
        Close: _later,
        Tell: _later,
    }

    def _single_out(self, link: Link) -> list[bytes]:
        """Let a link collect what it gets by itself until the pass ends; return that list."""
        if link.own is None:
            link.own = []
            self._singled.append(link)
            for hearers in link.rooms:
                self._touched[hearers] = None
                hearers.single_out(link)
        return link.own

    # What a job does when everything before it was sent

    def _finish(self, job: Finish) -> None:
        job.link.finishing = True
        if not job.link.queue:
            self._end_sending(job.link)

    def _tell(self, job: Tell) -> None:
        if job.link.queue:
            job.link.drained.append(job.event)
        else:
            job.event.set()

    def _close(self, job: Close) -> None:
        link = job.link
        self._give_up(link)
        self._timers.cancel(link)
        for hearers in link.rooms:
            hearers.remove(link)
        link.socket.close()

    _DO_AFTER: ClassVar[dict[type[Any], Callable[[Fanout, Any], None]]] = {Finish: _finish, Tell: _tell, Close: _close}

    # Sockets

    def _send(self, link: Link, data: bytes) -> None:
        if link.queue:
            self._enqueue(link, memoryview(data))
        elif data and not link.dead:
            try:
                sent = link.send(data, socket.MSG_DONTWAIT)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._cut_off(link, "connection reset")
                return
            if sent < len(data):
                self._enqueue(link, memoryview(data)[sent:])

    def _enqueue(self, link: Link, view: memoryview) -> None:
        link.behind += len(view)
        if link.behind > self._limits.send_queue_bytes:
            self._cut_off(link, f"too slow: more than {self._limits.send_queue_bytes} bytes were waiting")
            return
        if link.queue is None:
            link.queue = deque()
            self._blocked[link] = None
            link.progress = time.monotonic()
            self._selector.register(link.socket, selectors.EVENT_WRITE, link)
        link.queue.append(view)

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
                self._cut_off(link, "connection reset")
                return
            link.behind -= sent
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
            del self._blocked[link]
            self._selector.unregister(link.socket)
        for event in link.drained:
            event.set()
        link.drained.clear()

    def _end_sending(self, link: Link) -> None:
        with contextlib.suppress(OSError):
            link.socket.shutdown(socket.SHUT_WR)
        if link.finished is not None:
            link.finished.set()

    def _cut_off(self, link: Link, verdict: str) -> None:
        """End a session whose peer cannot be told; its reader wakes, and tells the others."""
        if link.verdict is None:
            link.verdict = verdict
        self._give_up(link)
        with contextlib.suppress(OSError):
            link.socket.shutdown(socket.SHUT_RDWR)

    def _give_up(self, link: Link) -> None:
        link.dead = True
        link.behind = 0
        self._unblock(link)
        if link.finished is not None:
            link.finished.set()

    def _check_lagging(self) -> None:
        """Find the rooms with a member that is behind and takes what it can; one that takes nothing holds up nobody."""
        since = time.monotonic() - _LAG_MEMORY_SECONDS
        lagging = frozenset(
            hearers.room
            for link in self._blocked
            if link.behind > self._limits.send_queue_bytes // 4 and link.progress > since
            for hearers in link.rooms
        )
        if lagging != self._lagging:
            with self._flow:
                self._lagging = lagging
                self._flow.notify_all()

    # Time

    def _check_stalled(self) -> None:
        now = time.monotonic()
        if now >= self._next_stall_check:
            self._next_stall_check = now + 1.0
            seconds = self._limits.stall_seconds
            for link in [link for link in self._blocked if now - link.progress >= seconds]:
                self._cut_off(link, f"too slow: nothing was taken for {seconds:g} seconds")

    def _check_registered(self, link: Link) -> None:
        session = link.session
        if session is None or session.nickname is None:
            self.expel(link, f"no nickname within {self._limits.registration_seconds:g} seconds")
        elif link.pings:
            self._check_silence(link)

    def _check_silence(self, link: Link) -> None:
        assert link.session is not None
        limits = self._limits
        silent = time.monotonic() - link.session.heard
        if silent >= limits.silence_seconds:
            self.expel(link, f"no sign of life for {limits.silence_seconds:g} seconds")
            return
        if silent >= limits.ping_seconds:
            self._jobs.append(Private(link.session, (PingRequest(),)))
            due = limits.silence_seconds
        else:
            due = limits.ping_seconds
        self._timers.set(link, link.session.heard + due, self._check_silence)
