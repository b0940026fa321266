"""The network between clients and a server, which a test can break: a relay on a port of its own."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Final

from pychat.testing.sockets import check_piece, set_reset
from pychat.testing.waiting import DEADLINE

_READ_BYTES: Final = 65_536
_SEND_TIMEOUT: Final = struct.pack("ll", 0, 50_000)
"""For SO_SNDTIMEO, 50 ms: how often a relay that waits for a side that does not read checks if it was ended."""


class Network:
    """
    Clients connect to `port`, and through it to the server. Commands may be called from any thread.

    They affect all its connections: to affect a single one, give that a network of its own.
    """

    def __init__(self, host: str, port: int) -> None:
        """
        Args:
            host, port: The server's address.
        """
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        """The port for clients, on 127.0.0.1."""
        # Guards what follows; also held while an accepted connection is registered, so that no command misses it.
        self._changed = threading.Condition()
        self._relays: set[_Relay] = set()
        self._piece = _READ_BYTES
        self._stalled = False
        self._down = False
        self._thread = threading.Thread(target=self._accept, name="pychat-network", daemon=True)
        self._thread.start()

    # Commands

    def cut(self) -> None:
        """End every connection: both sides read the end of the stream. New connections work."""
        self._end_all()

    def reset(self) -> None:
        """Break every connection: both sides get a reset. New connections work."""
        self._end_all(reset=True)

    def down(self) -> None:
        """End every connection, and every new one at once, until `resume`."""
        with self._changed:
            self._down = True
        self._end_all()

    def stall(self) -> None:
        """Let nothing through from now on, in either direction; connections stay open."""
        with self._changed:
            self._stalled = True

    def trickle(self, size: int = 1) -> None:
        """Let everything through in pieces of `size` bytes from now on; use `stall` to let nothing through."""
        check_piece(size)
        with self._changed:
            self._piece = size

    def resume(self) -> None:
        """Work normally again: stalled bytes and new connections go through."""
        with self._changed:
            self._piece, self._stalled, self._down = _READ_BYTES, False, False
            self._changed.notify_all()

    def close(self) -> None:
        """End every connection and accept no more. May be called again."""
        with contextlib.suppress(OSError):  # it was closed before
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
        self._thread.join(DEADLINE)
        self._listener.close()
        self._end_all()

    def _end_all(self, *, reset: bool = False) -> None:
        with self._changed:
            relays, self._relays = self._relays, set()
            for relay in relays:
                relay.broken = True
            self._changed.notify_all()
        for relay in relays:
            relay.end(reset=reset)

    # Called by relays, on their own threads

    def wait_for_turn(self, relay: _Relay) -> int:
        """Wait while the network is stalled; return how many bytes may go through, 0 if the connection is over."""
        with self._changed:
            self._changed.wait_for(lambda: not self._stalled or relay.broken)
            return 0 if relay.broken else self._piece

    def forget(self, relay: _Relay) -> None:
        """Forget a connection that has ended by itself."""
        with self._changed:
            self._relays.discard(relay)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._target, DEADLINE)
            except OSError:  # there is no server at the moment
                near.close()
                continue
            with self._changed:
                if self._down:
                    near.close()
                    far.close()
                else:
                    relay = _Relay(self, near, far)
                    self._relays.add(relay)
                    relay.start()


class _Relay:
    """One connection through the network: two sockets, and a thread for each direction."""

    def __init__(self, network: Network, near: socket.socket, far: socket.socket) -> None:
        self._network = network
        self._near, self._far = near, far
        self.broken = False
        """True if a command ended it."""
        for end in (near, far):
            end.settimeout(None)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_TIMEOUT)
        self._back = threading.Thread(target=self._copy, args=(far, near), name="pychat-relay", daemon=True)
        self._forth = threading.Thread(target=self._run, name="pychat-relay", daemon=True)

    def start(self) -> None:
        """Start both directions."""
        self._back.start()
        self._forth.start()

    def end(self, *, reset: bool) -> None:
        """End it for both sides; it must already be marked as `broken`."""
        for end in (self._near, self._far):
            if reset:
                set_reset(end)
            else:
                with contextlib.suppress(OSError):  # it has ended by itself
                    end.shutdown(socket.SHUT_RDWR)
        self._forth.join(DEADLINE)

    def _run(self) -> None:
        self._copy(self._near, self._far)
        self._back.join()
        self._network.forget(self)
        self._near.close()
        self._far.close()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        """Copy one direction, until its end."""
        try:
            while data := source.recv(_READ_BYTES):
                self._send(sink, memoryview(data))
            if not self.broken:  # otherwise the network ends it
                sink.shutdown(socket.SHUT_WR)
        except OSError:
            if not self.broken:  # one side has vanished, which the other must see
                set_reset(source)
                set_reset(sink)

    def _send(self, sink: socket.socket, data: memoryview) -> None:
        while data and (piece := self._network.wait_for_turn(self)):
            with contextlib.suppress(BlockingIOError):  # _SEND_TIMEOUT is over
                data = data[sink.send(data[:piece]) :]
