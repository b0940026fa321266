"""
The listening members: processes of their own, so that neither the server nor the sender waits for them.

Controller and process communicate through two pipes. Commands and results are pickled; progress (how many bytes of the
round the slowest member has) is eight bytes and frequent, because the sender waits for it.
"""

from __future__ import annotations

import multiprocessing
import select
import socket
import struct
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, NoReturn, TypeAlias

from benchmarks.check import MARK, Follower, Record
from benchmarks.errors import LoadError
from benchmarks.languages import Language, Lines, pongs
from benchmarks.wire import BUFFER_BYTES, QUIET_SECONDS, Address, Listeners, enter, receive

PROGRESS = struct.Struct("=Q")

_START_SECONDS = 240.0
_MARKER_SECONDS = 30.0
_ANSWER_SECONDS = 10.0
"""Additional time beyond that of the processes, so that these report a timeout first."""

Totals: TypeAlias = Mapping[str, int]
"""Messages of each sender, by name."""


@dataclass(frozen=True)
class Task:
    """The task of a process of receivers."""

    language: Language
    address: Address
    names: tuple[str, ...]
    marker: bytes
    text_bytes: int
    progress_bytes: int
    """Progress is reported when the slowest member has this many more bytes, and when nothing is left to read."""


@dataclass(frozen=True)
class Heard:
    """The results of one process in one round, after all input was checked."""

    finished: int
    """`time.monotonic_ns()` when the last member had the last byte."""
    cpu: float
    """Processor seconds of this process in the round, without the checks afterwards."""
    members: int
    differing: int = 0
    """Members whose order was not that of the record."""
    digest: int = 0
    """Of the record."""
    notices: list[str] = field(default_factory=list)
    latencies: list[int] = field(default_factory=list)
    """Nanoseconds, one for each delivery, if they were measured."""


class Receivers:
    """
    One or more processes of listening members; use as a context manager.

    Args:
        timing: True to measure the latency of each delivery instead of checking all bytes: messages contain their time.
    """

    def __init__(self, tasks: Sequence[Task], timing: bool = False) -> None:
        context = multiprocessing.get_context("spawn")
        self.progress: list[Connection[Any, Any]] = []
        self._commands: list[Connection[Any, Any]] = []
        self._processes = []
        for task in tasks:
            commands, their_commands = context.Pipe()
            progress, their_progress = context.Pipe(duplex=False)
            process = context.Process(target=_main, args=(task, timing, their_commands, their_progress), daemon=True)
            process.start()
            their_commands.close()
            their_progress.close()
            self._processes.append(process)
            self._commands.append(commands)
            self.progress.append(progress)

    def __enter__(self) -> Receivers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process, *pipes in zip(self._processes, self._commands, self.progress, strict=True):
            process.kill()  # it has nothing to clean up: its sockets close with it
            process.join()
            for pipe in pipes:
                pipe.close()

    def wait_ready(self) -> None:
        """Wait until all members are welcome."""
        self._collect(_START_SECONDS)

    def wait_marker(self) -> int:
        """Wait until all members have received the marker; return the length of its line in bytes."""
        lengths: list[int] = self._collect(_MARKER_SECONDS + _ANSWER_SECONDS)
        return max(lengths)

    def announce(self, totals: Totals) -> None:
        """Send the processes the number of messages in the round, so that they know its end."""
        for commands in self._commands:
            commands.send(totals)

    def results(self, seconds: float) -> list[Heard]:
        """Return the results of each process in the announced round."""
        return self._collect(seconds)

    def poll(self) -> bool:
        """Return whether a process has sent a result or an error."""
        return any(commands.poll() for commands in self._commands)

    def raise_failure(self) -> NoReturn:
        """Raise the error of a process that ended."""
        for commands in self._commands:
            try:
                answer = commands.recv() if commands.poll() else None
            except EOFError:
                continue
            if isinstance(answer, LoadError):
                raise answer
        raise LoadError("a process of receivers ended")

    def forget_progress(self) -> None:
        """Discard the progress of the finished round."""
        for connection in self.progress:
            while connection.poll():
                connection.recv_bytes()

    def _collect(self, seconds: float) -> list[Any]:
        give_up = time.monotonic() + seconds
        answers = []
        for commands in self._commands:
            if not commands.poll(max(0.0, give_up - time.monotonic())):
                raise LoadError(f"a process of receivers did not answer in {seconds:.0f} s")
            try:
                answer = commands.recv()
            except EOFError:
                raise LoadError("a process of receivers ended") from None
            if isinstance(answer, LoadError):
                raise answer
            answers.append(answer)
        return answers


def _main(task: Task, timing: bool, commands: Connection[Any, Any], progress: Connection[Any, Any]) -> None:
    """Connect, report, wait for the marker, report, then run rounds until killed. Runs in the process."""
    try:
        sockets = enter(task.address, task.names, language=task.language)
        commands.send("ready")
        listeners = Listeners(sockets, task.language)
        marker_line = listeners.wait_for(task.marker, _MARKER_SECONDS)
        listeners.drain(QUIET_SECONDS)
        commands.send(marker_line)
        if timing:
            _time_deliveries(task.language, sockets, commands)
        else:
            crowd = _Crowd(task, sockets, commands, progress)
            while True:
                commands.send(crowd.hear_round())
    except (LoadError, OSError) as error:
        commands.send(error if isinstance(error, LoadError) else LoadError(f"receiver: {error}"))


class _Crowd:
    """The members of this process in throughput rounds."""

    def __init__(
        self,
        task: Task,
        sockets: Sequence[socket.socket],
        commands: Connection[Any, Any],
        progress: Connection[Any, Any],
    ) -> None:
        self._task = task
        self._commands, self._progress = commands, progress
        self._called = False
        self._record = Record(task.language)
        self._followers = [Follower(name, task.language) for name in task.names]
        self._by_descriptor = {
            sock.fileno(): (sock, follower) for sock, follower in zip(sockets, self._followers, strict=True)
        }
        self._buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._epoll = select.epoll()
        for descriptor in (commands.fileno(), *self._by_descriptor):
            self._epoll.register(descriptor, select.EPOLLIN)

    def hear_round(self) -> Heard:
        """Read until every member has all messages of the round, check the rest, and begin the next round."""
        totals: Totals | None = None
        reported = 0
        cpu = time.process_time()
        while totals is None or not self._is_complete(sum(totals.values())):
            idle = not self._read_ready(0.0)
            if idle or len(self._record.data) - reported >= self._task.progress_bytes:
                slowest = min([follower.position for follower in self._followers])
                if slowest > reported:
                    reported = slowest
                    self._progress.send_bytes(PROGRESS.pack(slowest))
            if idle:
                self._read_ready(0.5)
            if totals is None and self._called:
                totals = self._commands.recv()
                self._called = False
        finished, spent = time.monotonic_ns(), time.process_time() - cpu
        differing, notices = self._check(totals)
        heard = Heard(finished, spent, len(self._followers), differing, zlib.crc32(self._record.data), notices)
        self._record.clear()
        for follower in self._followers:
            follower.begin()
        return heard

    def _read_ready(self, timeout: float) -> int:
        """Read once from each member with input; return how many had some."""
        count = 0
        for descriptor, _ in self._epoll.poll(timeout, len(self._by_descriptor) + 1):
            if descriptor not in self._by_descriptor:
                self._called = True
                continue
            sock, follower = self._by_descriptor[descriptor]
            try:
                size = sock.recv_into(self._buffer)
            except BlockingIOError:
                continue
            except OSError as error:
                raise LoadError(f"{follower.name}: {error}") from error
            if not size:
                raise LoadError(f"{follower.name}: the server closed the connection")
            follower.hear(self._view[:size], self._record, self._task.text_bytes)
            if follower.answers:
                sock.sendall(follower.answers)
                follower.answers = b""
            count += 1
        return count

    def _is_complete(self, messages: int) -> bool:
        return all(follower.is_complete(self._record, messages) for follower in self._followers)

    def _check(self, totals: Totals) -> tuple[int, list[str]]:
        """Check everything that is not checked yet; return how many members differ, and the notices."""
        differing = 0
        for follower in self._followers:
            if follower.checker is not None:
                follower.checker.finish(totals)
                differing += 1
        if differing == len(self._followers):  # no member is left that received exactly the record
            return differing, []
        return differing, self._record.check("the members", self._task.text_bytes, totals)


def _time_deliveries(language: Language, sockets: Sequence[socket.socket], commands: Connection[Any, Any]) -> None:
    """Read messages that contain `time.monotonic_ns()` of their sending; the clock is the same in all processes."""
    by_descriptor = {sock.fileno(): (sock, Lines()) for sock in sockets}
    latencies: list[int] = []
    expected: int | None = None
    with select.epoll() as epoll:
        for descriptor in (commands.fileno(), *by_descriptor):
            epoll.register(descriptor, select.EPOLLIN)
        while expected is None or len(latencies) < expected:
            for descriptor, _ in epoll.poll(0.5):
                if descriptor not in by_descriptor:
                    totals: Totals = commands.recv()
                    expected = sum(totals.values()) * len(sockets)
                    continue
                sock, lines = by_descriptor[descriptor]
                data = receive(sock)
                now = time.monotonic_ns()
                whole = lines.whole(data)
                times = [line.partition(MARK)[2].split()[0] for line in whole.split(b"\n") if MARK in line]
                latencies += [now - int(sent) for sent in times]
                if language.pings and (answers := pongs(language, whole)):
                    sock.sendall(answers)
    commands.send(Heard(time.monotonic_ns(), time.process_time(), len(sockets), latencies=latencies))
