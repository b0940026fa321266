"""
The keeper: the one thread that writes the file, and lets through what is stored.

It takes all entries that are waiting, stores the events of all of them in one transaction, and then lets the entries
go on to the delivery, in their order. While it writes, more arrives; so the busier the server, the more messages share
a transaction, and when it is idle a message waits for nothing but its own. It runs nothing of a user.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from pychat.core.delivery import Batch, Entry
from pychat.core.rings import Rings
from pychat.stores.changes import Changes, Queued
from pychat.stores.refusing import Refusals
from pychat.stores.sqlite import Database, Statement, StoreError
from pychat.stores.tending import Tending

logger = logging.getLogger("pychat")

_GROUP_EVENTS: Final = 8192
"""Events in one transaction, but for a batch more."""
_MOST_BYTES: Final = 1024 * 1024
"""What may wait to be stored; over it, those who write wait."""
_RETRY_SECONDS: Final = 1.0
_TRIAL_BYTES: Final = 64 * 1024
"""What is written to see whether there is room again: more than fits by chance where the file has a little left."""
_UNUSED_SECONDS: Final = 600.0
"""After which a room that nobody reads or writes is no longer in memory."""


class Keeper:
    """Made by the log; what is not of its own thread is marked."""

    def __init__(self, database: Database, rings: Rings, tending: Tending, settled: int) -> None:
        self._database = database
        self._rings = rings
        self._tending = tending
        self._queue: deque[Queued] = deque()
        """Appended to by all who hold the order lock, taken from by the thread."""
        self._bell = threading.Event()
        self.trouble: str | None = None
        """Why nothing can be stored at the moment. Read by all."""
        self.settled = settled
        """Up to this id everything is in the file, or will never be. Read by all."""
        self._closing = self._ended = False
        self._put = 0
        """Bytes that were ever queued. Changed under the chat's order lock."""
        self._done = 0
        """Bytes of them that wait no more. Changed by the thread."""
        # Guards nothing but the waiting of those who write. Last in the order of locks; nothing is called under it.
        self._flow = threading.Condition(threading.Lock())
        self._changes = Changes()
        self._refusals = Refusals()
        self._retry_at = 0.0
        self._look_at = time.monotonic() + _UNUSED_SECONDS
        self._thread = threading.Thread(target=self._run, name="pychat-log", daemon=True)

    # Called by others

    def start(self, accepted: Callable[[Entry], None], wake: Callable[[], None]) -> None:
        """Begin; see `Log.open`."""
        self._accepted, self._wake = accepted, wake
        self._thread.start()

    def append(self, item: Queued) -> None:
        """Queue an item. Under the order lock, if there is something to store."""
        if item.size:
            self._put += item.size
        self._queue.append(item)
        if self._ended:
            self._pass_rest()

    def wake(self) -> None:
        """There is something in the queue."""
        if not self._bell.is_set():
            self._bell.set()

    def throttle(self) -> None:
        """Wait while too much is in the queue."""
        if self._is_crowded():
            with self._flow:
                self._flow.wait_for(lambda: not self._is_crowded())

    def _is_crowded(self) -> bool:
        return self._put - self._done > _MOST_BYTES and not self._ended

    def close(self, seconds: float) -> bool:
        """Do what is queued and end; False if that takes longer."""
        self._closing = True
        self.wake()
        if self._thread.ident is not None:
            self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()

    # The thread

    def _run(self) -> None:
        while not self._closing or self._queue:
            self._bell.wait(self._seconds_to_wait())
            self._bell.clear()
            try:
                idle = not self._queue
                while self._queue:
                    self._settle(self._take())
                self._tend(idle)
            except Exception:
                logger.exception("the log failed; it goes on")
        self._write(("UPDATE state SET last_id = ?", (self.settled,)))
        self._ended = True
        with self._flow:
            self._flow.notify_all()
        self._pass_rest()

    def _seconds_to_wait(self) -> float:
        if self._closing:
            return 0.0
        if self.trouble is not None:
            return max(0.0, self._retry_at - time.monotonic())
        return self._tending.seconds_to_wait()

    def _take(self) -> list[Queued]:
        group: list[Queued] = []
        count = 0
        while self._queue and count < _GROUP_EVENTS:
            item = self._queue.popleft()
            group.append(item)
            count += len(item.events)
        return group

    def _settle(self, group: list[Queued]) -> None:
        """Store what is to be stored, and deliver what was."""
        trouble: str | None = "internal error"
        try:
            stored = self._store(group)
            settled = max([item.events[-1].id for item in group if item.events], default=self.settled)
            entries = self._entries(group) if stored else self._refused(group)
            self.settled = settled
            trouble = self.trouble
        finally:
            for item in group:
                if item.storing is not None:
                    item.storing.settle(trouble)
        for entry in entries:
            try:
                self._accepted(entry)
            except Exception:
                logger.exception("a %s could not be delivered", type(entry).__name__)
        self._done += sum([item.size for item in group])
        with self._flow:
            self._flow.notify_all()
        self._wake()

    def _store(self, group: list[Queued]) -> bool:
        """Store the group with what is still to be stored; False if that is not possible."""
        for item in group:
            self._changes.add(item)
        if self.trouble is None and self._changes:
            self.trouble = self._write()
            if self.trouble is not None:
                logger.error("%s: %s; who writes is refused until it can be stored", self._database.path, self.trouble)
        return self.trouble is None

    def _write(self, *more: Statement) -> str | None:
        """Store the changes; return why that is not possible."""
        try:
            self._database.write([*self._changes.statements(), *more])
        except StoreError as error:
            reason = error.reason
        except Exception:
            logger.exception("events cannot be written")
            reason = "internal error"
        else:
            self._tending.stored(self._changes.size)
            self._changes.done()
            self._changes = Changes()
            return None
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        return reason

    def _entries(self, group: list[Queued]) -> list[Entry]:
        entries = [self._refusals.without(item.entry) for item in group if item.entry is not None]
        return [entry for entry in entries if entry is not None]

    def _refused(self, group: list[Queued]) -> list[Entry]:
        """Return what is delivered of a group that cannot be stored."""
        assert self.trouble is not None
        self._changes.refuse()
        entries: list[Entry] = []
        refused: list[int] = []
        for item in group:
            batch = item.batch
            if batch is None:
                entries += self._entries([item])
                continue
            instead, ids, last = self._refusals.refuse(batch, self.trouble)
            entries += instead
            refused += ids
            if last:
                self._changes.lose(item, last)
        if refused:
            self._rings.discard(frozenset(refused))
        return entries

    def _recover(self) -> None:
        """Try whether it is possible again, by really writing something."""
        space = ("INSERT INTO trial (space) VALUES (zeroblob(?))", (_TRIAL_BYTES,))
        last = ("UPDATE state SET last_id = ?", (self.settled,))
        self.trouble = self._write(space, last) or self._write(("DELETE FROM trial", ()))
        if self.trouble is None:
            logger.warning("%s: it can be stored again", self._database.path)

    def _tend(self, idle: bool) -> None:
        """Do what can wait, a little of it."""
        if self.trouble is not None:
            if time.monotonic() >= self._retry_at:
                self._recover()
            return
        self._tending.step(idle)
        if idle and time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _UNUSED_SECONDS / 10
            self._rings.drop_unused(_UNUSED_SECONDS, self.settled)

    def _pass_rest(self) -> None:
        """The log is closed: nothing is stored any more; what passes through it goes on, and what is said is lost."""
        while self._queue:
            try:
                item = self._queue.popleft()
            except IndexError:  # another thread does the same
                return
            if item.storing is not None:
                item.storing.settle("the server has ended")
            if item.entry is not None and type(item.entry) is not Batch:
                self._accepted(item.entry)
