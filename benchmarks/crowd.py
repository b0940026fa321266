"""Thousands of silent members in one process: they come some at a time, wait, ask something at once, and leave."""

from __future__ import annotations

import errno
import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Final

from benchmarks.errors import LoadError
from benchmarks.registration import Manner
from benchmarks.wire import BUFFER_BYTES, Address

_POLL_SECONDS: Final = 0.5
_EVENTS: Final = 4096
_TRIES_TO_DRAIN: Final = 30.0


class Crowd:
    """The members; use as a context manager. All of them answer pings whenever they are read."""

    def __init__(self, address: Address, manner: Manner) -> None:
        self._address, self._manner = address, manner
        self._context = _context() if manner.tls else None
        self._peers: dict[int, _Peer] = {}
        self._epoll = select.epoll()

    def __enter__(self) -> Crowd:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._peers)

    def close(self) -> None:
        """Let everybody leave without a word."""
        for peer in self._peers.values():
            peer.socket.close()
        self._peers.clear()
        self._epoll.close()

    def enter(self, names: Iterable[str], together: int, seconds: float) -> int:
        """
        Let members come, at most `together` of them unregistered at a time, for at most so many seconds.

        Returns:
            How many are registered. The others are gone.

        Raises:
            LoadError: If the server refuses one of them or ends its connection.
        """
        waiting, coming = deque(names), set[_Peer]()
        before = len(self._peers)
        give_up = time.monotonic() + seconds
        while (waiting or coming) and time.monotonic() < give_up:
            while waiting and len(coming) < together:
                coming.add(self._connect(waiting.popleft()))
            for peer in self._step(_POLL_SECONDS):
                if peer.conversation.welcome:
                    coming.discard(peer)
        registered = len(self._peers) - before - len(coming)
        for peer in coming:
            self._epoll.unregister(peer.socket)
            del self._peers[peer.descriptor]
            peer.socket.close()
        return registered

    def ask_all(self) -> None:
        """Send a request from each member; `wait_for(manner.answer)` waits for the answers."""
        for peer in self._peers.values():
            peer.send(self._manner.request)

    def wait_for(self, text: bytes, seconds: float) -> None:
        """
        Read until every member has received this text.

        Raises:
            LoadError: If one of them has not in time.
        """
        for peer in self._peers.values():
            peer.listen_for(text)
        missing = len(self._peers)
        give_up = time.monotonic() + seconds
        while missing:
            for peer in self._step(_POLL_SECONDS):
                missing -= peer.has_heard()
            if missing and time.monotonic() > give_up:
                raise LoadError(f"{missing} of {len(self._peers)} members did not hear {text!r} in {seconds:.0f} s")

    def drain(self, quiet: float, at_least: float = 0.0) -> None:
        """Read and discard input for at least `at_least` seconds, and until none arrives for `quiet` seconds."""
        started = time.monotonic()
        give_up = started + at_least + _TRIES_TO_DRAIN
        while time.monotonic() < give_up:
            if not self._step(quiet) and time.monotonic() - started >= at_least:
                return

    def _connect(self, name: str) -> _Peer:
        peer = _Peer(self._manner, name, self._context)
        peer.connect(self._address)
        self._peers[peer.descriptor] = peer
        self._epoll.register(peer.descriptor, select.EPOLLOUT)
        return peer

    def _step(self, timeout: float) -> list[_Peer]:
        """Do what can be done at once; return the members that have read something."""
        heard = []
        for descriptor, _ in self._epoll.poll(timeout, _EVENTS):
            peer = self._peers[descriptor]
            if peer.connected:
                peer.read()
                heard.append(peer)
            else:
                peer.open()
                self._epoll.modify(descriptor, select.EPOLLIN)
        return heard


class _Peer:
    """One member: a non-blocking connection, plain or over TLS."""

    __slots__ = ("_context", "_heard", "_tail", "_wanted", "connected", "conversation", "descriptor", "socket")

    def __init__(self, manner: Manner, name: str, context: ssl.SSLContext | None) -> None:
        self.conversation = manner.conversation(name)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.descriptor = self.socket.fileno()
        self.connected = False
        self._context = context
        self._wanted = self._tail = b""
        self._heard = False

    def connect(self, address: Address) -> None:
        """Begin to connect."""
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self.socket.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, f"{self.conversation.name} cannot connect")

    def open(self) -> None:
        """Begin the conversation, or the handshake before it."""
        if code := self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, f"{self.conversation.name} cannot connect")
        self.connected = True
        if self._context is None:
            self.socket.sendall(self.conversation.opening)
            return
        self.socket = self._context.wrap_socket(self.socket, do_handshake_on_connect=False)
        self._shake_hands()

    def _shake_hands(self) -> None:
        assert isinstance(self.socket, ssl.SSLSocket)
        with suppress(ssl.SSLWantReadError):
            self.socket.do_handshake()
            self._context = None
            self.socket.sendall(self.conversation.opening)

    def send(self, data: bytes) -> None:
        """Send a few bytes, for which there is always room."""
        self.socket.sendall(data)

    def listen_for(self, text: bytes) -> None:
        """Note whether this text comes from now on."""
        self._wanted, self._tail, self._heard = text, b"", False

    def has_heard(self) -> bool:
        """Return True if the text has come, once."""
        heard, self._heard = self._heard, False
        return heard

    def read(self) -> None:
        """Read all input, and answer what must be answered."""
        if self._context is not None:
            self._shake_hands()
            return
        # A plain socket is read once, and epoll comes back; TLS may hold bytes that epoll knows nothing of.
        while data := self._receive():
            self._take(data)
            if not isinstance(self.socket, ssl.SSLSocket):
                return

    def _receive(self) -> bytes:
        try:
            data = self.socket.recv(BUFFER_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError):
            return b""
        if not data:
            name, heard = self.conversation.name, self.conversation.heard
            raise LoadError(f"{name}: the server closed the connection after {heard!r}")
        return data

    def _take(self, data: bytes) -> None:
        answer = self.conversation.hear(data)
        if answer:
            self.socket.sendall(answer)
        if self._wanted:
            heard = self._tail + data
            if self._wanted in heard:
                self._wanted, self._tail, self._heard = b"", b"", True
            else:
                self._tail = heard[1 - len(self._wanted) :]


def _context() -> ssl.SSLContext:
    """Return a context without verification, because the server's identity does not matter here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
