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
from weakref import WeakKeyDictionary

from pychat.core.delivery import Batch, Entry, Private
from pychat.core.history.ring_buffer import Rings
from pychat.core.session import Session
from pychat.stores.sqlite.database import Database, Statement, StoreError, Unwritable
from pychat.stores.sqlite.maintenance import Tending
from pychat.stores.sqlite.rejected import Refusals
from pychat.stores.sqlite.transaction import Changes, Queued

logger = logging.getLogger("pychat")

_GROUP_EVENTS: Final = 8192
"""Events in one transaction, but for a batch more."""
_MOST_BYTES: Final = 1024 * 1024
"""What may wait to be stored; over it, those who write wait."""
_RETRY_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 1.0
"""How often it is looked whether the file is still there."""
_BACK: Final = "the same file is put back, or the server is restarted"
_INTERNAL: Final = "internal error"
"""Why something is not stored that can never be written: what it is, is in the server's log."""
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
        """What is left from before, because it could not be stored."""
        self._held: list[Entry] = []
        """Confirmations of it."""
        self._denied: WeakKeyDictionary[Session, None] = WeakKeyDictionary()
        """Whose next confirmation is none, because what they wanted can never be written."""
        self._refusals = Refusals()
        self._retry_at = 0.0
        self._unused_at = time.monotonic() + _UNUSED_SECONDS
        self._look_at = 0.0
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
        self._write_last()
        self._ended = True
        with self._flow:
            self._flow.notify_all()
        self._pass_rest()

    def _write_last(self) -> None:
        """Store what is left at the end."""
        try:
            self._write_rest(self._last_id())
        except StoreError as error:
            self._fail(error.reason)

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
        if self._changes and self.trouble is None:
            self._store([])  # the gaps that were left by what was not
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
        """Deliver what waited for changes to be stored, if they are."""
        if self._held and not self._changes:
            held, self._held = self._held, []
            self._deliver(held)

    def _look(self) -> None:
        """Find out in time that the file was removed: what is written would be lost."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_SECONDS
            lost = self._database.lost()
            if lost is not None:
                self._fail(lost, _BACK)

    # Storing

    def _store(self, group: list[Queued]) -> dict[int, str]:
        """Store the group with what is still to be stored; return why not, by the index of each item that is not."""
        if self.trouble is None:
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
        assert self.trouble is not None
        for item in group:
            self._changes.add(item)
        self._changes.refuse()
        return dict.fromkeys(range(len(group)), self.trouble)

    def _store_apart(self, group: list[Queued]) -> dict[int, str]:
        """Store the items one by one, so that one that cannot be written stops no other."""
        failed: dict[int, str] = {}
        try:
            self._write_rest()
        except StoreError as error:
            self._fail(error.reason)
        for at, item in enumerate(group):
            if self.trouble is None:
                try:
                    if not self._write_part(Changes().with_items([item])):
                        failed[at] = _INTERNAL
                        if item.source is not None:
                            self._denied[item.source] = None
                    continue
                except StoreError as error:
                    self._fail(error.reason)
            assert self.trouble is not None
            failed[at] = self.trouble
            self._changes.add(item)
        self._changes.refuse()
        return failed

    def _write_rest(self, *more: Statement) -> None:
        """
        Store what is left from before, but for what can never be written.

        Raises:
            StoreError: Not all of it is stored; what is not, is still left.
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
        Store a part of what cannot be stored as a whole; False if it can never be written.

        Raises:
            StoreError: It cannot be now.
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
            Unwritable: They can never be.
            StoreError: They cannot be now.
        """
        try:
            statements = [*changes.statements(), *more]
        except Exception as error:  # a value that JSON has nothing for, say
            raise Unwritable(str(error)) from error
        if statements:
            self._database.write(statements, patient=self.trouble is None)
            self._tending.stored(changes.size)
            changes.done()

    def _fail(self, reason: str, until: str = "it can be stored") -> None:
        """Nothing can be stored for now; `until`: what ends that."""
        if self.trouble is None:
            logger.error("%s: %s; who writes is refused until %s", self._database.path, reason, until)
        self.trouble = reason
        self._retry_at = time.monotonic() + _RETRY_SECONDS

    def _recover(self) -> None:
        """Try whether it is possible again, by really writing something."""
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
        self.trouble = None
        logger.warning("%s: it can be stored again", self._database.path)
        self._deliver_held()
        self._wake()

    def _last_id(self) -> Statement:
        return "UPDATE state SET last_id = ?", (self.settled,)

    # Delivering

    def _entries(self, group: list[Queued], failed: dict[int, str]) -> list[Entry]:
        """Return what is delivered of a group, of which some items are not stored."""
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
        """Return what a session is told; None if it is nothing, or not now."""
        if private.confirms:
            if private.session in self._denied:
                del self._denied[private.session]
                return self._refusals.deny(private)
            if self._changes:
                self._held.append(private)
                return None
        return self._refusals.without(private)

    def _tend(self, idle: bool) -> None:
        """Do what can wait, a little of it."""
        if self.trouble is not None:
            if time.monotonic() >= self._retry_at:
                self._recover()
            return
        self._look()
        if self.trouble is not None:
            return
        self._tending.step(idle)
        if idle and time.monotonic() >= self._unused_at:
            self._unused_at = time.monotonic() + _UNUSED_SECONDS / 10
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
