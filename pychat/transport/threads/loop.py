"""
The loop: one thread that waits for everything, and does it in turn.

A turn resumes the connections that have input, or whose wait is over (`../connection.py`), then sends what that caused
(`../writer.py`). So what many people say at once is sent together, and a message passes through the server without a
switch of threads. A connection that may block keeps the thread, and the loop goes on on another one (`relay.py`).
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Final

from pychat.core.waiting import is_on_loop, on_wait
from pychat.model.clock import SYSTEM_CLOCK
from pychat.transport.connection import Connection
from pychat.transport.link import Link
from pychat.transport.poller import READ, WRITE, Poller
from pychat.transport.send_queue import SendQueues
from pychat.transport.threads.home import Home, Wait
from pychat.transport.threads.relay import NAME, Relay
from pychat.transport.threads.serving import Threads
from pychat.transport.timers import Timers
from pychat.transport.write_queue import WriteQueue
from pychat.transport.writer import Writer

logger = logging.getLogger("pychat")

_BEHIND_SECONDS: Final = 0.02
"""Interval of checking lagging members and, while the queue never empties, everything else."""
_NO_THREAD_SECONDS: Final = 0.01
"""How long to rest when there is no thread to pass the loop on to, so that nobody may be resumed."""
_MOST_DEADLINES: Final = 1000
"""The least number of deadlines at which those of waits that are over are dropped."""
_MOST_SECONDS: Final = 3600.0
"""The longest wait; no selector can wait for 25 days, and a handler may want a delay without an end."""
_INPUT_SECONDS: Final = 0.005
"""How long connections are resumed before what they caused is sent."""


class Loop(Home):
    """The loop of one server. `start`, `stop` and `wake` may be called from any thread; the rest runs on the loop."""

    def __init__(self, write_queue: WriteQueue, aside: Threads, over: Callable[[Connection], None]) -> None:
        """
        Args:
            aside: Gets the threads that serve a connection beside the loop, because it waits.
            over: Called when a connection is over, on the thread that resumed it last.
        """
        self._write_queue = write_queue
        self._aside = aside
        self._over = over
        self._poller = Poller(write_queue.start())  # new limits come through the queue from here on
        self._sender = SendQueues(write_queue.limits, self._poller)
        self._timers = Timers(SYSTEM_CLOCK)
        self._writer = Writer(write_queue, self._sender, self._timers)
        write_queue.send = self._send_queued
        self._relay = Relay(self._run)
        self._current: Connection | None = None
        """The connection that the loop resumes right now."""
        self._ready: deque[tuple[Link, int]] = deque()
        """What sockets are ready for, and was not done yet."""
        self._send_at = 0.0
        """When to send what input has caused, though there is more of it."""
        self._crowd: deque[Connection] = deque()
        """Connections that wait until fewer of the others block."""
        self._blocked: set[Connection] = set()
        """Connections that are served beside the loop."""
        self._woken: deque[Connection] = deque()
        self._back: deque[tuple[Connection, Wait]] = deque()
        """Connections that come back from a thread beside the loop, with what they wait for."""
        self._deadlines: list[tuple[float, int, Connection, int]] = []
        """A heap: when to resume which connection, if it still is in that wait (`Connection.turn`)."""
        self._most_deadlines = _MOST_DEADLINES
        self._numbers = count()
        self._ended = threading.Event()
        self._disowned = False
        """True in the child of a fork."""

    # On any thread

    def start(self) -> None:
        """Start the thread."""
        self._relay.start()

    def stop(self, deadline: float) -> None:
        """Send what is queued, as far as sockets accept it at once, and end by the deadline (`time.monotonic`)."""
        self._write_queue.stop()
        self._ended.wait(max(0.0, deadline - time.monotonic()))
        self._relay.join(deadline)

    def disown(self) -> None:
        """Close the descriptors of the loop in the child of a fork; the loop itself is in the parent."""
        self._disowned = True
        self._relay.disown()
        self._poller.close()
        self._write_queue.disown()

    def wake(self, connection: Connection) -> None:
        connection.woken = True
        self._woken.append(connection)
        self._write_queue.wake()

    @property
    def is_crowded(self) -> bool:  # type: ignore[override]  # others only read it
        return self._free() <= 0

    def _free(self) -> int:
        """Return how many more connections may block."""
        return self._write_queue.limits.waiting_threads - len(self._blocked)

    def wake_later(self, connection: Connection) -> None:
        self._crowd.append(connection)

    # On the loop

    def _run(self) -> None:
        """Run the loop until it is passed on to another thread, or ends."""
        on_wait(self._step_aside)
        self._write_queue.runner = threading.get_ident()
        jobs = self._write_queue.jobs
        while jobs or not self._write_queue.stopping:
            try:
                self._turn()
            except Exception:
                logger.exception("the loop failed; it continues")
            if not is_on_loop():
                return
        on_wait(None)
        self._write_queue.runner = None
        self._poller.close()
        self._write_queue.close()
        self._ended.set()
        self._relay.end()

    def _turn(self) -> None:
        """Do what is ready, or else wait for it. Return if the loop was passed on; the next turn does the rest."""
        if not self._ready:
            self._ready.extend(self._poller.wait(self._seconds_to_wait()))
            self._write_queue.slept()
            self._send_at = time.monotonic() + _INPUT_SECONDS
        while self._back:
            self._await(*self._back.popleft())
        self._wake_crowd()
        may_resume = self._is_to_resume()
        if may_resume and not self._relay.has_spare():
            time.sleep(_NO_THREAD_SECONDS)
            may_resume = False
        while self._ready:
            if self._write_queue.jobs and time.monotonic() > self._send_at:
                self._writer.run_pass()
                self._send_at = time.monotonic() + _INPUT_SECONDS
            link, events = self._ready.popleft()
            if events & WRITE:
                self._sender.send_queued(link)
            if events & READ and may_resume and not self._read(link):
                return
        if not may_resume or self._resume_others():
            self._send()

    def _seconds_to_wait(self) -> float | None:
        if self._write_queue.jobs or self._woken or self._back or (self._crowd and not self.is_crowded):
            return 0.0
        times = [seconds for seconds in (self._timers.timeout(),) if seconds is not None]
        if self._deadlines:
            times.append(max(0.0, self._deadlines[0][0] - time.monotonic()))
        if self._sender.behind:
            times.append(_BEHIND_SECONDS)
        return min(_MOST_SECONDS, *times) if times else None

    def _wake_crowd(self) -> None:
        """Wake as many of the crowd as may block. Those that do not block after all make room for more in a turn."""
        for _ in range(min(len(self._crowd), self._free())):
            self.wake(self._crowd.popleft())

    def _is_to_resume(self) -> bool:
        return bool(self._ready or self._woken or (self._deadlines and self._deadlines[0][0] <= time.monotonic()))

    def _resume_others(self) -> bool:
        """Resume the connections that wait for something other than input; return False if the loop was passed on."""
        for _ in range(len(self._woken)):
            connection = self._woken.popleft()
            if connection.wait is not None and not connection.wait.input and not self._resume(connection, True):
                return False
        now = time.monotonic()
        while self._deadlines and self._deadlines[0][0] <= now:
            _, _, connection, turn = heapq.heappop(self._deadlines)
            if connection.turn == turn and connection.wait is not None and not self._resume(connection, False):
                return False
        return True

    def _send(self) -> None:
        """Send what is queued, and look after timers and lagging members."""
        self._timers.run()
        if self._sender.behind:
            self._sender.cut_off_stalled()
        self._write_queue.look_again()
        self._write_queue.let_wait(self._sender.lagging_rooms())
        self._send_queued()

    def _send_queued(self) -> None:
        jobs = self._write_queue.jobs
        until = time.monotonic() + _BEHIND_SECONDS
        while jobs:
            self._writer.run_pass()
            if time.monotonic() > until:
                return

    def _resume(self, connection: Connection, happened: bool) -> bool:
        """Let a connection go on; return False if the loop was passed on meanwhile."""
        self._current, connection.wait, connection.woken = connection, None, False
        wait = self._step(connection, happened)
        if is_on_loop():
            if wait is not None:
                self._await(connection, wait)
            else:
                self._poller.remove(connection.link, READ)
            return True
        while wait is not None and self._ended.is_set():  # nobody else would end it
            wait = self._step(connection, True)
        self._blocked.discard(connection)  # before it comes back, and may block again
        if wait is not None:
            self._back.append((connection, wait))
        self._write_queue.wake()  # for this connection, and for the crowd
        thread = threading.current_thread()
        thread.name = NAME
        self._aside.remove(thread)
        return False

    def _read(self, link: Link) -> bool:
        """Let a connection go on that has input; return False if the loop was passed on meanwhile."""
        connection = link.connection
        if connection is None or connection.wait is None or not connection.wait.input:  # since it was looked at
            return True
        return self._resume(connection, True)

    def _step(self, connection: Connection, happened: bool) -> Wait | None:
        try:
            wait = connection.resume(happened)
        except BaseException:  # whatever a hook raises ends its connection alone
            logger.exception("serving %s failed", connection.origin)
            wait = None
        if self._disowned:
            raise SystemExit  # a hook has forked, and this is its child: nobody is served here
        if wait is None:
            self._over(connection)
        return wait

    def _await(self, connection: Connection, wait: Wait) -> None:
        """Resume the connection when what it waits for has happened."""
        connection.wait = wait
        connection.turn += 1
        if wait.input:
            self._poller.add(connection.link, READ)
        else:
            self._poller.remove(connection.link, READ)
            if connection.woken:
                self._woken.append(connection)
        if wait.seconds is not None:
            self._set_deadline(time.monotonic() + wait.seconds, connection)

    def _set_deadline(self, at: float, connection: Connection) -> None:
        if len(self._deadlines) >= self._most_deadlines:  # most are of waits that are over
            self._deadlines = [each for each in self._deadlines if each[2].turn == each[3] and each[2].wait is not None]
            heapq.heapify(self._deadlines)
            self._most_deadlines = max(_MOST_DEADLINES, 2 * len(self._deadlines))
        heapq.heappush(self._deadlines, (at, next(self._numbers), connection, connection.turn))

    def _step_aside(self) -> None:
        """Pass the loop on: this thread is about to wait for the connection that it resumes."""
        connection, self._current = self._current, None
        assert connection is not None
        self._poller.remove(connection.link, READ)
        thread = threading.current_thread()
        thread.name = "pychat-client"
        self._aside.add(thread, connection)
        self._blocked.add(connection)
        self._write_queue.runner = None
        self._relay.pass_on()
