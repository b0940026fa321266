"""The client's connection: connect to a server, send verbs, receive items. It keeps no state of the chat."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from pychat.model.errors import (
    ConnectFailed,
    ConnectionLost,
    LimitExceeded,
    NotPychat,
    Refused,
    RemoteProtocolError,
    TlsRequired,
)
from pychat.model.limits import Limits
from pychat.model.replies import Bye, Failure, PongReply, Welcome
from pychat.model.verbs import Direct, Hello, Ping, Quit, Say, Verb
from pychat.protocols.base import Item
from pychat.protocols.detect import behind_prompt
from pychat.protocols.foreign import SHOWN, TLS_SERVER, first_line, recognise
from pychat.protocols.jsonl.fields import line_bytes
from pychat.protocols.jsonl.protocol import JsonClientProtocol, encode_verb
from pychat.transport.socket_options import keep_alive
from pychat.transport.unix import open_connection
from pychat.transport.unserved import is_served

if TYPE_CHECKING:
    from pychat.client.tls import ClientTls
    from pychat.transport.tls import TlsLayer

_READ_BYTES: Final = 65_536
_LEAVE_SECONDS: Final = 0.5  # somebody has pressed Ctrl-C and waits
_NOT_STARTED: Final = "the server there belongs to this program, which has not started it; call its start()"


class Wire:
    """
    One connection. One thread receives; any thread may send and close.

    It never blocks for ever: sending raises after `timeout` seconds in which the server accepts nothing.
    """

    def __init__(self, host: str, port: int | None, timeout: float, tls: ClientTls | None = None) -> None:
        """
        Connect.

        Args:
            port: None if `host` is the path of a Unix socket.
            tls: Speak TLS with a server that this trusts; None for no TLS.

        Raises:
            ConnectFailed: If nobody answers, or the name is unknown.
            TlsFailed: If TLS with the server fails.
        """
        self.host, self.port = host, port
        self._timeout = timeout
        try:
            self._socket = open_connection(host, port, timeout)
        except OSError as error:  # includes socket.gaierror and TimeoutError
            raise ConnectFailed(host, port, error.strerror or str(error) or "no answer") from error
        except UnicodeError as error:
            raise ConnectFailed(host, port, "this is not a valid host name") from error
        except (ValueError, OverflowError) as error:  # an invalid port
            raise ConnectFailed(host, port, str(error)) from error
        self._socket.settimeout(None)
        if not is_served(self._socket, timeout):
            self._socket.close()
            raise ConnectFailed(host, port, _NOT_STARTED)
        if port is not None:
            with contextlib.suppress(OSError):  # it is already gone: the first receive reports it
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                keep_alive(self._socket, Limits())
        # Output of TLS itself is sent with our next line, soon enough after the handshake: so only senders use the
        # socket for sending.
        self._tls: TlsLayer | None = None
        self._early = b""
        """Decrypted bytes that arrived with the handshake."""
        if tls is not None:
            try:
                self._tls, self._early = tls.shake_hands(self._socket, host, port, timeout)
            except BaseException:
                self._socket.close()
                raise
        self._protocol = JsonClientProtocol()
        self._started = b""
        self._is_pychat = False
        """True once the peer has begun to send an object."""
        self.limits: Limits | None = None
        """The server's limits; None until its welcome announces them."""
        # Held while a line is sent, so that lines from several threads do not mix. No other lock is taken under it.
        self._sending = threading.Lock()

    def send(self, verb: Verb) -> None:
        """
        Send a verb.

        Raises:
            ConnectionLost: If the connection is over, or the server accepted nothing for too long. The object must not
                be used
                any more.
            LimitExceeded: If the verb is longer than the server's limit.
            LocalProtocolError: If the verb cannot be sent.
        """
        line, limits = encode_verb(verb), self.limits
        # The server would skip a longer line, including its ref, so no answer could arrive.
        if limits is not None and len(line) > line_bytes(limits) + 1:
            if isinstance(verb, Say | Direct):
                raise LimitExceeded("message", limits.text_bytes, "bytes")
            raise LimitExceeded("request", line_bytes(limits), "bytes")
        deadline = time.monotonic() + self._timeout
        if not self._sending.acquire(timeout=self._timeout):
            raise ConnectionLost(f"the server read nothing for {self._timeout:g} s")
        try:
            left = memoryview(line if self._tls is None else self._tls.send(line))
            while left:
                try:
                    left = left[self._socket.send(left, socket.MSG_DONTWAIT) :]
                except BlockingIOError:
                    self._wait_writable(deadline)
        except OSError as error:
            raise ConnectionLost(error.strerror or str(error)) from error
        finally:
            self._sending.release()

    def _wait_writable(self, deadline: float) -> None:
        poller = select.poll()
        poller.register(self._socket, select.POLLOUT)
        if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
            self.shutdown()  # half a line was sent, so the rest of the stream would be invalid
            raise ConnectionLost(f"the server read nothing for {self._timeout:g} s")

    def receive(self, timeout: float | None = None) -> list[Item]:
        """
        Wait for the server and return the items that arrived; possibly none yet.

        Raises:
            ConnectionLost: If the connection is over.
            ConnectFailed: If the peer is not a pychat server, or refuses the connection.
            TlsRequired: If the server speaks TLS, and we do not.
            RemoteProtocolError: If a pychat server sent invalid data. The object must not be used any more.
            TimeoutError: If nothing arrived in time.
        """
        data, self._early = self._early, b""
        if not data:
            data = self._receive(timeout)
        if not data:
            return []
        self._check_start(data)
        return self._protocol.receive(data)

    def _receive(self, timeout: float | None) -> bytes:
        """Return the received bytes; nothing if they were for TLS itself."""
        try:
            if timeout is not None:
                poller = select.poll()
                poller.register(self._socket, select.POLLIN)
                if not poller.poll(max(0.0, timeout) * 1000):
                    raise TimeoutError
            data = self._socket.recv(_READ_BYTES)
        except TimeoutError:
            raise
        except OSError as error:
            raise ConnectionLost(error.strerror or str(error)) from error
        if self._tls is not None and data:
            data = self._tls.receive(data)
            if not data and not self._tls.ended:
                return b""
            if not data and self._tls.error is not None:
                raise ConnectionLost(f"TLS failed: {self._tls.error.reason or self._tls.error}")
        if not data:
            raise ConnectionLost("the server closed the connection")
        return data

    def _check_start(self, data: bytes) -> None:
        """
        Check the peer's first bytes: without an object, it speaks another language, or refuses the connection in one
        line.
        """
        if self._is_pychat:
            return
        self._started += data[: SHOWN - len(self._started)]
        first = behind_prompt(self._started).lstrip()
        self._is_pychat = first.startswith(b"{")
        if recognise(first) or b"\n" in first or len(self._started) == SHOWN:
            self.check_peer()

    def check_peer(self) -> None:
        """
        Check that the peer may be a pychat server, as far as its bytes show.

        Raises:
            ConnectFailed: If it does not begin like one, or begins like one that refuses the connection.
            TlsRequired: If it speaks TLS, and we do not.
        """
        first = behind_prompt(self._started).lstrip()
        if self._is_pychat or not first:
            return
        said = first_line(first)
        kind = recognise(first)
        if kind == TLS_SERVER:
            raise TlsRequired
        if kind is None:
            raise ConnectFailed(self.host, self.port, f"it says {said!r}")
        raise NotPychat(self.host, self.port, f"{kind} answers there: {said!r}")

    def shutdown(self) -> None:
        """End the connection; the receiving thread wakes and must call `close`."""
        with contextlib.suppress(OSError):
            if self._tls is not None and self._sending.acquire(blocking=False):  # otherwise a thread is amid a line
                try:
                    self._tls.end()
                    self._socket.send(self._tls.send(), socket.MSG_DONTWAIT)
                finally:
                    self._sending.release()
            self._socket.shutdown(socket.SHUT_RDWR)

    def leave(self) -> None:
        """Say goodbye, and give the server a moment to end the connection; closing it at once could reset it."""
        deadline = time.monotonic() + _LEAVE_SECONDS
        with contextlib.suppress(ConnectionLost, TimeoutError):
            self.send(Quit())
            while (left := deadline - time.monotonic()) > 0:
                self._receive(left)

    def close(self) -> None:
        """Free the descriptor. No thread may be receiving."""
        with self._sending:
            self._socket.close()

    def disown(self) -> None:
        """Free the descriptor in the child of a fork; the connection stays with the parent."""
        self._socket.close()


def say_hello(wire: Wire, hello: Hello, timeout: float) -> tuple[Welcome, list[Item]]:
    """
    Register, and return the welcome and the items that arrived after it.

    Args:
        hello: With a `ref`.

    Raises:
        Refused: With the server's reason.
        ConnectFailed: If the peer does not answer like a pychat server.
    """
    with contextlib.suppress(ConnectionLost):  # the reason of a refusal may still be readable
        wire.send(hello)
    before: Failure | None = None
    for items in _answers(wire, timeout):
        for index, item in enumerate(items):
            if isinstance(item, Welcome):
                wire.limits = item.limits
                return item, items[index + 1 :]
            if isinstance(item, Failure):
                if item.ref == hello.ref or item.code == "line_too_long":  # in the latter case the ref was not read
                    raise item.error()
                before = item
            if isinstance(item, Bye):
                raise before.error() if before is not None else Refused(item.reason)
    raise AssertionError("answers do not end")


def ask_for_life(host: str, port: int | None, timeout: float) -> None:
    """
    Check that a pychat server answers there. It need not admit us, and nobody in the chat sees the check.

    Raises:
        ConnectFailed: If nothing answers; `NotPychat` if something else does.
        TlsRequired: If the server speaks nothing but TLS.
    """
    wire = Wire(host, port, timeout)
    try:
        with contextlib.suppress(ConnectionLost):
            wire.send(Ping())
        for items in _answers(wire, timeout):
            if any(isinstance(item, PongReply) or _wants_tls(item) for item in items):
                return
    finally:
        wire.close()


def _wants_tls(item: Item) -> bool:
    return isinstance(item, Failure) and item.code == TlsRequired.code


def _answers(wire: Wire, timeout: float) -> Iterator[list[Item]]:
    """Yield the items of a server that must answer within the timeout; raise ConnectFailed if it does not."""
    deadline = time.monotonic() + timeout
    try:
        while (left := deadline - time.monotonic()) > 0:  # endless output gets no extra time
            yield wire.receive(left)
        raise TimeoutError
    except TimeoutError:
        wire.check_peer()
        raise NotPychat(wire.host, wire.port, f"no answer within {timeout:g} s") from None
    except (ConnectionLost, RemoteProtocolError) as error:
        wire.check_peer()
        raise ConnectFailed(wire.host, wire.port, str(error)) from error
