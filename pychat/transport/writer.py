"""
The write path: the loop sends all output to all members and never blocks.

The writer takes what is in the queue (a pass), encodes the events of each room once per dialect, and gives each member
all of it with a single non-blocking `send`. While it sends, more arrives; the busier the server, the more messages
share a `send`. Bytes that a socket does not accept wait in the member's own bounded queue (`send_queue.py`).

The writer never appends to the log, runs no hook and calls no user code, because it could then wait for itself. To end
a session it sets `Link.close_reason` and wakes the connection, which does the rest. Only the writer closes sockets, so
no descriptor is reused while it sends.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Callable
from typing import Any, ClassVar

from pychat.core.delivery import Attach, Batch, Detach, Private
from pychat.core.rooms.room import Room
from pychat.model.limits import Limits
from pychat.model.replies import Bye, ResponseEnd, ResponseStart
from pychat.transport.jobs import Close, Disconnect, Finish, Flush, Open, Raw, Reload, Settle, Sever, Speak, Tell
from pychat.transport.labeled_responses import Responses
from pychat.transport.link import Link, link_of
from pychat.transport.send_queue import SendQueues
from pychat.transport.silence import Silence
from pychat.transport.subscribers import Subscribers
from pychat.transport.timers import Timers
from pychat.transport.write_queue import WriteQueue

logger = logging.getLogger("pychat")

_LONG_SHARE = 0.125
"""Share of `Limits.send_queue_bytes`: the member that requested a longer answer may exceed the limit by it."""


class Writer:
    """Sends what is queued, in passes. Used by the loop only."""

    def __init__(self, write_queue: WriteQueue, sender: SendQueues, timers: Timers) -> None:
        self._write_queue = write_queue
        self._sender = sender
        self._timers = timers
        self._silence = Silence(write_queue.limits, write_queue, timers)
        self._limit(write_queue.limits)
        self._rooms: dict[Room, Subscribers] = {}
        self._touched: dict[Subscribers, None] = {}
        self._singled: list[Link] = []
        self._responses = Responses()
        self._after_pass: list[Finish | Close | Sever | Tell] = []

    def _limit(self, limits: Limits) -> None:
        self._limits = self._sender.limits = self._silence.limits = limits
        self._pass_bytes = limits.send_queue_bytes // 2
        """Encoded bytes after which a pass ends, so that one pass does not fill an empty send queue."""

    def run_pass(self) -> None:
        """Take jobs up to the size of a pass, encode their items, and send them to their recipients."""
        jobs = self._write_queue.jobs
        size = 0
        for link in self._responses.links():
            self._single_out(link)
        while jobs and size < self._pass_bytes:
            job = jobs.popleft()
            try:
                size += self._DO[type(job)](self, job)
            except Exception:  # an item that a language fails to encode is lost; the rest continues
                logger.exception("the writer cannot do a %s", type(job).__name__)
        for subscribers in self._touched:
            for dialect, parts in subscribers.take_parts():
                data = b"".join(parts)
                for link in subscribers.groups.get(dialect, ()):
                    if link.pass_parts is None:
                        self._sender.send(link, data)
        self._touched.clear()
        for link in self._singled:
            parts, link.pass_parts = link.pass_parts or [], None
            if link not in self._responses:
                self._sender.send(link, b"".join(parts))
                if not link.queue:
                    link.allowed = 0
            elif self._responses.hold(link, parts) > self._limits.send_queue_bytes + link.allowed:
                self._sender.cut_off(link, "too slow: an answer does not fit into the send queue")
        self._singled.clear()
        for last in self._after_pass:
            self._DO_AFTER[type(last)](self, last)
        self._after_pass.clear()
        self._write_queue.look_again()
        self._write_queue.let_wait(self._sender.lagging_rooms())

    # The handlers of jobs; each returns the bytes that it causes per recipient

    def _batch(self, batch: Batch) -> int:
        if len(batch.rooms) != 1 or batch.recipients is not None or batch.extra is not None or batch.excluded:
            return self._batch_for_some(batch)
        subscribers = self._rooms.get(batch.rooms[0])
        if subscribers is None:
            return 0
        self._touched[subscribers] = None
        for link in subscribers.several:
            self._single_out(link)
        source = link_of(batch.source)
        without = source if source is not None and batch.said and not source.dialect.echoes else None
        if without is not None:
            self._single_out(without)
        if source is None or source not in self._responses:
            return subscribers.encode(batch.events, without)
        before = len(self._single_out(source))
        size = subscribers.encode(batch.events, without)
        self._responses.add(source, before)
        return size

    def _batch_for_some(self, batch: Batch) -> int:
        """Send a batch for several rooms, or for some of their members, to each recipient separately."""
        rooms = [self._rooms[room] for room in batch.rooms if room in self._rooms]
        links = dict.fromkeys(link for subscribers in rooms for link in subscribers.links())
        if batch.recipients is not None:
            links = dict.fromkeys(link for link in links if link.session in batch.recipients)
        if batch.excluded:
            links = dict.fromkeys(link for link in links if link.session not in batch.excluded)
        source, extra = link_of(batch.source), link_of(batch.extra)
        if source is not None and batch.said and not source.dialect.echoes:
            links.pop(source, None)
        if extra is not None:
            links[extra] = None
        encoded = {dialect: dialect.encode(batch.events) for dialect in {link.dialect for link in links}}
        for link in links:
            self._give(link, encoded[link.dialect], answers=link is source)
        return max(map(len, encoded.values()), default=0)

    def _private(self, private: Private) -> int:
        link = link_of(private.session)
        if link is None:
            return 0
        first = private.items[0]
        if type(first) is ResponseStart:
            self._single_out(link)
            self._responses.start(link, first.label)
            return 0
        if type(first) is ResponseEnd:
            self._single_out(link)
            self._responses.end(link)
            return 0
        data = link.dialect.encode_private(private.items, private.nickname)
        if private.answers and len(data) > self._limits.send_queue_bytes * _LONG_SHARE:
            link.allowed += len(data)
        self._give(link, data, answers=private.answers)
        return len(data)

    def _attach(self, attach: Attach) -> int:
        link = link_of(attach.session)
        if link is not None and not link.dead:
            self._single_out(link)
            subscribers = self._rooms.setdefault(attach.room, Subscribers(attach.room))
            self._touched[subscribers] = None
            subscribers.add(link)
        return 0

    def _detach(self, detach: Detach) -> int:
        link, subscribers = link_of(detach.session), self._rooms.get(detach.room)
        if link is not None and subscribers is not None:
            self._single_out(link)
            subscribers.remove(link)
            if not subscribers.groups:
                del self._rooms[detach.room]
        return 0

    def _open(self, job: Open) -> int:
        self._silence.watch(job.link)
        if job.link.connection is not None:
            job.link.connection.wake()
        return 0

    def _raw(self, job: Raw) -> int:
        if job.link.close_reason is not None:  # its reader did not know that yet, and nothing follows a goodbye
            return 0
        self._single_out(job.link).append(job.data)
        return len(job.data)

    def _flush(self, job: Flush) -> int:
        self._sender.send(job.link, b"")
        return 0

    def _speak(self, job: Speak) -> int:
        self._single_out(job.link)
        for subscribers in job.link.rooms:
            subscribers.move(job.link, job.dialect)
        job.link.dialect = job.dialect
        return 0

    def _disconnect(self, job: Disconnect) -> int:
        link = job.link
        if link.dead or link.close_reason is not None:
            return 0
        link.close_reason = job.reason
        session = link.session
        bye = Bye(job.reason, session is not None and session.must_not_return)
        self._give(link, link.dialect.encode_private([bye], None if session is None else session.nickname))
        with contextlib.suppress(OSError):
            link.socket.shutdown(socket.SHUT_RD)  # wakes the connection, if it waits for input
        if link.connection is not None:
            link.connection.wake()
        return 0

    def _later(self, job: Finish | Close | Sever | Tell) -> int:
        if type(job) is not Tell:
            self._single_out(job.link)
            self._responses.end(job.link)  # a session that quits ends within one
        self._after_pass.append(job)
        return 0

    def _reload(self, job: Reload) -> int:
        self._limit(job.limits)
        return 0

    def _settle(self, job: Settle) -> int:
        self._write_queue.settle(job)
        return 0

    _DO: ClassVar[dict[type[Any], Callable[[Writer, Any], int]]] = {
        Batch: _batch,
        Private: _private,
        Attach: _attach,
        Detach: _detach,
        Open: _open,
        Raw: _raw,
        Flush: _flush,
        Speak: _speak,
        Disconnect: _disconnect,
        Sever: _later,
        Finish: _later,
        Close: _later,
        Tell: _later,
        Reload: _reload,
        Settle: _settle,
    }

    def _single_out(self, link: Link) -> list[bytes]:
        """Let a link collect its own output until the pass ends; return that list."""
        if link.pass_parts is None:
            link.pass_parts = self._responses.take_held(link)
            self._singled.append(link)
            for subscribers in link.rooms:
                self._touched[subscribers] = None
                subscribers.single_out(link)
        return link.pass_parts

    def _give(self, link: Link, data: bytes, *, answers: bool = False) -> None:
        """Add bytes to the output of one link; they may belong to an unfinished response."""
        own = self._single_out(link)
        own.append(data)
        if answers and link in self._responses:
            self._responses.add(link, len(own) - 1)

    # The jobs that run after everything before them was sent

    def _finish(self, job: Finish) -> None:
        self._sender.finish(job.link)

    def _tell(self, job: Tell) -> None:
        if job.link.queue:
            job.link.drained.append(job.event)
        else:
            job.event.set()

    def _sever(self, job: Sever) -> None:
        self._sender.cut_off(job.link, job.reason)

    def _close(self, job: Close) -> None:
        link = job.link
        self._sender.give_up(link)
        self._timers.cancel(link)
        self._sender.forget(link)
        for subscribers in link.rooms:
            subscribers.remove(link)
        link.socket.close()
        link.session = None  # the two refer to each other, and must not wait for the garbage collector

    _DO_AFTER: ClassVar[dict[type[Any], Callable[[Writer, Any], None]]] = {
        Finish: _finish,
        Tell: _tell,
        Sever: _sever,
        Close: _close,
    }
