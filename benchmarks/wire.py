"""The connections of members: many at a time, over raw non-blocking sockets."""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import TypeAlias

from benchmarks.errors import LoadError
from benchmarks.languages import TEXT, Conversation, Language, Lines, pongs

Address: TypeAlias = tuple[str, int]

BUFFER_BYTES = 262_144
"""Large reads, so that a read costs less than processing its bytes."""

QUIET_SECONDS = 0.2
"""How long nothing must arrive after the marker: a server may announce joins late."""

_TOGETHER = 200
_BACKLOG_FULL_SECONDS = 0.5
"""The system retries after a second if a server has not accepted enough connections; ngIRCd's backlog is only 10."""
_PAUSE_SECONDS = 0.002
_SOURCE_BYTES = 256  # the prefix with the sender is shorter
_ENTER_SECONDS = 180.0
_DRAIN_SECONDS = 30.0


def enter(
    address: Address, names: Sequence[str], receive_buffer: int | None = None, language: Language = TEXT
) -> list[socket.socket]:
    """
    Connect one member for each name, wait until all are welcome, and return their non-blocking sockets in order.

    Their input after the welcome (other members' joins) is read and discarded.

    Args:
        receive_buffer: SO_RCVBUF of the sockets in bytes; None for the kernel's default.
        language: Their language.
    """
    newcomers: list[_Newcomer] = []
    try:
        _bring_in(newcomers, address, deque(names), receive_buffer, language)
    except BaseException:
        for newcomer in newcomers:
            newcomer.socket.close()
        raise
    return [newcomer.socket for newcomer in newcomers]


def _bring_in(
    newcomers: list[_Newcomer], address: Address, waiting: deque[str], receive_buffer: int | None, language: Language
) -> None:
    """Connect the members, some at the same time, until all are welcome."""
    wanted, welcome = len(waiting), 0
    pause = 0.0
    by_descriptor = {}
    give_up = time.monotonic() + _ENTER_SECONDS
    with select.epoll() as epoll:
        while welcome < wanted:
            while waiting and len(newcomers) - welcome < _TOGETHER:
                newcomer = _Newcomer(language.conversation(waiting.popleft()), receive_buffer)
                newcomers.append(newcomer)
                time.sleep(pause)
                if newcomer.connect(address) > _BACKLOG_FULL_SECONDS:
                    pause += _PAUSE_SECONDS
                by_descriptor[newcomer.socket.fileno()] = newcomer
                epoll.register(newcomer.socket, select.EPOLLIN)
            for descriptor, _ in epoll.poll(1.0, len(newcomers)):
                welcome += by_descriptor[descriptor].read()
            if time.monotonic() > give_up:
                raise LoadError(f"only {welcome} of {wanted} members were welcome after {_ENTER_SECONDS:.0f} s")


class _Newcomer:
    """A connection that is about to become a member."""

    def __init__(self, conversation: Conversation, receive_buffer: int | None) -> None:
        self._conversation = conversation
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:  # before connecting, which negotiates the window
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)

    def connect(self, address: Address) -> float:
        """Connect, and return the seconds it took."""
        started = time.monotonic()
        self.socket.settimeout(30.0)
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.socket.sendall(self._conversation.opening)
        return time.monotonic() - started

    def read(self) -> bool:
        """Read input; return whether it completed the registration."""
        conversation = self._conversation
        try:
            data = self.socket.recv(BUFFER_BYTES)
        except BlockingIOError:
            return False
        if not data:
            raise LoadError(f"{conversation.name}: the server closed the connection after {conversation.heard!r}")
        was_welcome = conversation.welcome
        answer = conversation.hear(data)
        if answer:
            self.socket.sendall(answer)
        return conversation.welcome and not was_welcome


class Listeners:
    """Members who only listen, and answer pings; as a context manager it closes their sockets."""

    def __init__(self, sockets: Sequence[socket.socket], language: Language = TEXT) -> None:
        self._sockets = {sock.fileno(): sock for sock in sockets}
        self._language = language
        self._lines = {descriptor: Lines() for descriptor in self._sockets if language.pings}
        self._epoll = select.epoll()
        for sock in sockets:
            self._epoll.register(sock, select.EPOLLIN)

    def __enter__(self) -> Listeners:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._epoll.close()
        for sock in self._sockets.values():
            sock.close()

    def wait_for(self, text: bytes, seconds: float) -> int:
        """
        Read until each of them has received this text, and discard it with everything before it.

        Returns:
            The maximum number of bytes from the beginning of a line to the end of this text.
        """
        longest = 0
        waiting = dict.fromkeys(self._sockets, b"")
        give_up = time.monotonic() + seconds
        while waiting:
            for sock, data in self._read(0.5):
                heard = waiting.get(sock.fileno(), b"") + data
                end = heard.find(text) + len(text)
                if end >= len(text):
                    longest = max(longest, end - heard.rfind(b"\n", 0, end - len(text)) - 1)
                    waiting.pop(sock.fileno(), None)
                elif sock.fileno() in waiting:
                    waiting[sock.fileno()] = heard[-len(text) - _SOURCE_BYTES :]
            if time.monotonic() > give_up:
                count = f"{len(waiting)} of {len(self._sockets)} members"
                raise LoadError(f"{count} did not hear {text!r} in {seconds:.0f} s")
        return longest

    def drain(self, quiet: float, at_least: float = 0.0) -> None:
        """Read and discard input for at least `at_least` seconds, and until none arrives for `quiet` seconds."""
        started = time.monotonic()
        give_up = started + at_least + _DRAIN_SECONDS
        while time.monotonic() < give_up:
            if not self._read(quiet) and time.monotonic() - started >= at_least:
                return

    def _read(self, timeout: float) -> list[tuple[socket.socket, bytes]]:
        events = self._epoll.poll(timeout, max(1, len(self._sockets)))
        return [(self._sockets[descriptor], self._receive(descriptor)) for descriptor, _ in events]

    def _receive(self, descriptor: int) -> bytes:
        data = receive(self._sockets[descriptor])
        if self._lines:
            answers = pongs(self._language, self._lines[descriptor].whole(data))
            if answers:
                self._sockets[descriptor].sendall(answers)
        return data


def receive(sock: socket.socket) -> bytes:
    """Read available bytes, or none; the end of the stream is an error."""
    try:
        data = sock.recv(BUFFER_BYTES)
    except BlockingIOError:
        return b""
    if not data:
        raise LoadError("the server closed the connection of a member")
    return data
