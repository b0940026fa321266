"""
The writer: the one thread that writes the file, and passes on stored entries.

It takes all entries that are waiting, stores their events in one transaction, and passes the entries on to the
delivery, in order. While it writes, more arrive: the busier the server, the more messages share a transaction, and on
an idle server a message waits only for its own. It runs no user code.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final
from weakref import WeakKeyDictionary

from pychat.core.delivery import Batch, Entry, Private
from pychat.core.log.ring_buffer import Rings
from pychat.core.session import Session
from pychat.core.waiting import before_wait
from pychat.stores.sqlite.database import Database, Statement, StoreError, Unwritable
from pychat.stores.sqlite.maintenance import Tending
from pychat.stores.sqlite.rejected import Refusals
from pychat.stores.sqlite.transaction import Changes, Queued

logger = logging.getLogger("pychat")

_GROUP_EVENTS: Final = 8192
"""The events in one transaction, though a batch may exceed it."""
_MOST_BYTES: Final = 1024 * 1024
"""The maximum bytes that wait to be stored; above it, writers are blocked (backpressure)."""
_RETRY_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 1.0
"""How often to check that the file still exists."""
_BACK: Final = "the same file is put back, or the server is restarted"
_INTERNAL: Final = "internal error"
"""The reason for events that can never be written; the details are in the server's log."""
_TRIAL_BYTES: Final = 64 * 1024
"""The bytes of a test write: too many to fit by chance into a little free space in a file on a full disk."""
_UNUSED_SECONDS: Final = 600.0
"""How long a room stays in memory without being read or written."""


class LogWriter:
    """Created by the log; methods for other threads are marked."""

    def __init__(self, database: Database, rings: Rings, tending: Tending, settled: int) -> None:
        self._database = database
        self._rings = rings
        self._tending = tending
        self._queue: deque[Queued] = deque()
        """Appended to by all threads that hold the order lock; emptied by the writing thread."""
        self._bell = threading.Event()
        self.storage_error: str | None = None
        """Why nothing can be stored at the moment, or None. Read by all threads."""
        self.settled = settled
        """Up to this id, all events are in the file or never will be. Read by all threads."""
        self._closing = self._ended = False
        self._put = 0
        """The total bytes ever queued. Changed under the chat's order lock."""
        self._done = 0
        """The total bytes that have left the queue. Changed by the writing thread."""
        # Only for blocking writers. Last in the lock order; nothing is called under it.
        self._flow = threading.Condition(threading.Lock())
        self._changes = Changes()
        """Earlier changes that could not be stored yet."""
        self._held: list[Entry] = []
        """Confirmations that wait for these changes."""
        self._denied: WeakKeyDictionary[Session, None] = WeakKeyDictionary()
        """Sessions whose next confirmation becomes a failure, because their change can never be written."""
        self._refusals = Refusals()
        self._retry_at = 0.0
        self._unused_at = time.monotonic() + _UNUSED_SECONDS
        self._look_at = 0.0
        self._thread = threading.Thread(target=self._run, name="pychat-log", daemon=True)

    # Called by other threads

    def start(self, accepted: Callable[[Entry], None], wake: Callable[[], None]) -> None:
        """Start the thread; see `Log.open`."""
        self._accepted, self._wake = accepted, wake
        self._thread.start()

    def append(self, item: Queued) -> None:
        """Queue an item. Hold the order lock, if it has something to store."""
        if item.size:
            self._put += item.size
        self._queue.append(item)
        if self._ended:
            self._pass_rest()

    def wake(self) -> None:
        """Wake the thread for new items in the queue."""
        if not self._bell.is_set():
            self._bell.set()

    def throttle(self) -> None:
        """Block while it is crowded."""
        if self.is_crowded:
            before_wait()
            with self._flow:
                self._flow.wait_for(lambda: not self.is_crowded)

    @property
    def is_crowded(self) -> bool:
        """True while too many bytes are in the queue (backpressure)."""
        return self._put - self._done > _MOST_BYTES and not self._ended

    def close(self, seconds: float) -> bool:
        """Process the queue and stop; return False if that takes longer."""
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
                logger.exception("the log thread failed; it continues")
        self._write_last()
        self._ended = True
        with self._flow:
            self._flow.notify_all()
        self._pass_rest()

    def _write_last(self) -> None:
        """Store the remaining changes at the end."""
        try:
            self._write_rest(self._last_id())
        except StoreError as error:
            self._fail(error.reason)

    def _seconds_to_wait(self) -> float:
        if self._closing:
            return 0.0
        if self.storage_error is not None:
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
        """Store a group, and deliver the stored items."""
        try:
            self._look()
            failed = self._store(group)
        except Exception:
            logger.exception("events cannot be written")
            failed = dict.fromkeys(range(len(group)), _INTERNAL)
        for at, item in enumerate(group):
            if item.storing is not None:
                item.storing.settle(failed.get(at))
        settled = max([item.events[-1].id for item in group if item.events], default=self.settled)
        entries = self._entries(group, failed)
        self.settled = settled
        if self._changes and self.storage_error is None:
            self._store([])  # the gaps left by refused events
        self._deliver(entries)
        self._deliver_held()
        self._done += sum([item.size for item in group])
        with self._flow:
            self._flow.notify_all()
        self._wake()

    def _deliver(self, entries: list[Entry]) -> None:
        for entry in entries:
            try:
                self._accepted(entry)
            except Exception:
                logger.exception("a %s could not be delivered", type(entry).__name__)

    def _deliver_held(self) -> None:
        """Deliver the confirmations that waited for changes, if these are stored."""
        if self._held and not self._changes:
            held, self._held = self._held, []
            self._deliver(held)

    def _look(self) -> None:
        """Check now and then whether the file was removed, because further writes would be lost."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_SECONDS
            lost = self._database.lost()
            if lost is not None:
                self._fail(lost, _BACK)

    # Storing

    def _store(self, group: list[Queued]) -> dict[int, str]:
        """Store the group and earlier changes; return the reasons for items that are not stored, by index."""
        if self.storage_error is None:
            changes = self._changes.with_items(group)
            if not changes:
                return {}
            try:
                self._write(changes)
            except Unwritable:
                return self._store_apart(group)
            except StoreError as error:
                self._fail(error.reason)
            else:
                self._changes = Changes()
                return {}
        assert self.storage_error is not None
        for item in group:
            self._changes.add(item)
        self._changes.refuse()
        return dict.fromkeys(range(len(group)), self.storage_error)

    def _store_apart(self, group: list[Queued]) -> dict[int, str]:
        """Store the items one by one, so that one that cannot be written does not affect the others."""
        failed: dict[int, str] = {}
        try:
            self._write_rest()
        except StoreError as error:
            self._fail(error.reason)
        for at, item in enumerate(group):
            if self.storage_error is None:
                try:
                    if not self._write_part(Changes().with_items([item])):
                        failed[at] = _INTERNAL
                        if item.source is not None:
                            self._denied[item.source] = None
                    continue
                except StoreError as error:
                    self._fail(error.reason)
            assert self.storage_error is not None
            failed[at] = self.storage_error
            self._changes.add(item)
        self._changes.refuse()
        return failed

    def _write_rest(self, *more: Statement) -> None:
        """
        Store the earlier changes, except those that can never be written.

        Raises:
            StoreError: If not all of it is stored; the rest is kept for later.
        """
        try:
            self._write(self._changes, *more)
        except Unwritable:
            rest, self._changes = self._changes, Changes()
            trouble: StoreError | None = None
            for part in rest.apart():
                try:
                    if trouble is None:
                        self._write_part(part)
                        continue
                except StoreError as error:
                    trouble = error
                self._changes.update(part)
            if trouble is not None:
                raise trouble from None
        else:
            self._changes = Changes()

    def _write_part(self, changes: Changes) -> bool:
        """
        Store a part of changes that cannot be stored as a whole; return False if it can never be written.

        Raises:
            StoreError: If it cannot be stored now.
        """
        try:
            self._write(changes)
        except Unwritable as error:
            logger.error("%s: what cannot be written is left out", self._database.path, exc_info=error)
            return False
        return True

    def _write(self, changes: Changes, *more: Statement) -> None:
        """
        Store changes.

        Raises:
            Unwritable: If they never can be.
            StoreError: If they cannot be stored now.
        """
        try:
            statements = [*changes.statements(), *more]
        except Exception as error:  # a value without a form in JSON, for example
            raise Unwritable(str(error)) from error
        if statements:
            self._database.write(statements, patient=self.storage_error is None)
            self._tending.stored(changes.size)
            changes.done()

    def _fail(self, reason: str, until: str = "storing works again") -> None:
        """Stop storing for now; `until` says what ends that, for the server's log."""
        if self.storage_error is None:
            logger.error("%s: %s; messages are refused until %s", self._database.path, reason, until)
        self.storage_error = reason
        self._retry_at = time.monotonic() + _RETRY_SECONDS

    def _recover(self) -> None:
        """Test whether storing works again, by a real write."""
        lost = self._database.lost()
        if lost is not None:
            self._fail(lost, _BACK)
            return
        space = ("INSERT INTO trial (space) VALUES (zeroblob(?))", (_TRIAL_BYTES,))
        try:
            self._write_rest(space, self._last_id())
            self._write(Changes(), ("DELETE FROM trial", ()))
        except StoreError as error:
            self._fail(error.reason)
            return
        self.storage_error = None
        logger.warning("%s: storing works again", self._database.path)
        self._deliver_held()
        self._wake()

    def _last_id(self) -> Statement:
        return "UPDATE state SET last_id = ?", (self.settled,)

    # Delivering

    def _entries(self, group: list[Queued], failed: dict[int, str]) -> list[Entry]:
        """Return the entries to deliver for a group, of which some items are not stored."""
        entries: list[Entry] = []
        refused: list[int] = []
        for at, item in enumerate(group):
            batch = item.batch if failed else None
            if batch is not None and at in failed:
                instead, ids, last = self._refusals.refuse(batch, failed[at])
                entries += instead
                refused += ids
                if last:
                    self._changes.lose(item, last)
            elif item.entry is not None:
                entry = self._told(item.entry) if type(item.entry) is Private else item.entry
                if entry is not None:
                    entries.append(entry)
        if refused:
            self._rings.discard(frozenset(refused))
        return entries

    def _told(self, private: Private) -> Entry | None:
        """Return the entry to deliver to a session; None if there is none, or not yet."""
        if private.confirms:
            if private.session in self._denied:
                del self._denied[private.session]
                return self._refusals.deny(private)
            if self._changes:
                self._held.append(private)
                return None
        return self._refusals.without(private)

    def _tend(self, idle: bool) -> None:
        """Do a little deferred work."""
        if self.storage_error is not None:
            if time.monotonic() >= self._retry_at:
                self._recover()
            return
        self._look()
        if self.storage_error is not None:
            return
        self._tending.step(idle)
        if idle and time.monotonic() >= self._unused_at:
            self._unused_at = time.monotonic() + _UNUSED_SECONDS / 10
            self._rings.drop_unused(_UNUSED_SECONDS, self.settled)

    def _pass_rest(self) -> None:
        """After close: deliver control entries and drop messages."""
        while self._queue:
            try:
                item = self._queue.popleft()
            except IndexError:  # another thread emptied it
                return
            if item.storing is not None:
                item.storing.settle("the server has ended")
            if item.entry is not None and type(item.entry) is not Batch:
                self._accepted(item.entry)
