"""The connections of one server, and where each is served: on the loop, or on a thread of its own."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable

from pychat.protocols.detect import Language
from pychat.transport.connection import Connection
from pychat.transport.jobs import Close, Open, Sever
from pychat.transport.link import Link
from pychat.transport.origins import Origin
from pychat.transport.service import Service
from pychat.transport.socket_options import set_options
from pychat.transport.threads.loop import Loop
from pychat.transport.threads.own_thread import OwnThread
from pychat.transport.threads.serving import Threads

logger = logging.getLogger("pychat")


class Connections:
    """The admitted connections. The accept thread starts them; each is over on the thread that served it last."""

    def __init__(self, service: Service, threads: Threads, *, each: bool) -> None:
        """
        Args:
            threads: Gets those that run hooks.
            each: True to serve each connection on a thread of its own.
        """
        self._service = service
        self._threads = threads
        self._each = each
        self._loop: Loop | None = None
        """None until the server is bound."""
        # Guards the dict while somebody waits for the last connection; single operations need no lock.
        self._fewer = threading.Condition(threading.Lock())
        self._links: dict[socket.socket, Link] = {}
        self._starting: set[socket.socket] = set()
        """Those that have not begun; whoever takes one out decides if it is served."""
        self._interrupt: BaseException | None = None
        """What interrupted the accept thread while a thread began to serve."""

    # On the accept thread

    def begin(self) -> None:
        """Start the loop: the server is bound."""
        self._loop = Loop(self._service.write_queue, self._threads, self._over)
        self._loop.start()

    def start(self, sock: socket.socket, origin: Origin, serve: Callable[[socket.socket, Origin], None]) -> None:
        """
        Start serving a connection.

        Args:
            serve: Called on a new thread, if the connection gets one of its own; it calls `serve_on_thread`.
        """
        assert self._loop is not None
        link = Link(sock, self._service.dialects[Language.TEXT], time.monotonic())
        home = OwnThread() if self._each else self._loop
        link.connection = Connection(self._service, link, origin, home, lambda: self._take(sock))
        self._links[sock] = link
        self._starting.add(sock)
        set_options(sock, self._service.limits)
        self._service.write_queue.submit_now(Open(link))  # before it may be over
        if self._each:
            self._start_thread(sock, link.connection, serve)

    def _start_thread(
        self, sock: socket.socket, connection: Connection, serve: Callable[[socket.socket, Origin], None]
    ) -> None:
        origin = connection.origin
        thread = threading.Thread(target=serve, args=(sock, origin), name="pychat-client", daemon=True)
        self._threads.add(thread, connection)
        try:
            thread.start()
        except BaseException as error:  # no thread is left; or Ctrl-C has come, and the thread may run all the same
            if not self._take(sock):
                self._interrupt = error  # raised here, it would end the connection under the thread
                return
            self._threads.remove(thread)
            self._over(connection)
            raise

    def _take(self, sock: socket.socket) -> bool:
        """Decide what becomes of a connection; return False if that was decided before."""
        try:
            self._starting.remove(sock)
        except KeyError:
            return False
        return True

    def raise_interrupt(self) -> None:
        """Raise what could not be raised while a thread began."""
        error, self._interrupt = self._interrupt, None
        if error is not None:
            raise error

    def close(self, sock: socket.socket) -> None:
        """Close a socket that was not admitted, or whose connection was not started."""
        link = self._links.get(sock)
        if link is None:
            sock.close()
        elif self._take(sock) and link.connection is not None:  # otherwise it is served already
            self._over(link.connection)

    # On the thread of a connection that has one of its own

    def serve_on_thread(self, sock: socket.socket) -> None:
        """Serve the connection, if the accept thread has not given that up."""
        link = self._links.get(sock)
        connection = None if link is None else link.connection
        if connection is None:
            return
        try:
            assert isinstance(connection.home, OwnThread)
            connection.home.run(connection)
        except Exception:
            logger.exception("serving %s failed", connection)
        finally:
            self._over(connection)
            self._threads.remove(threading.current_thread())

    # On any thread

    def _over(self, connection: Connection) -> None:
        """Stop counting a connection that is over, and let the loop close its socket. May be called again."""
        link = connection.link
        link.connection = None
        if link.socket not in self._links:
            return
        self._service.admission.release(connection.origin)
        self._service.write_queue.submit(Close(link))
        with self._fewer:
            del self._links[link.socket]
            self._fewer.notify_all()
        if link.dead and self._service.chat.stopping.is_set():
            link.socket.close()  # it was in a handler for so long that the loop has already ended

    def disconnect(self, reason: str) -> None:
        """End every connection: each peer is told the reason."""
        for link in list(self._links.values()):
            session = link.session  # the loop clears it when the connection ends
            if session is None:
                self._service.write_queue.disconnect(link, reason)
            else:
                session.disconnect(reason)

    def wait(self, deadline: float) -> None:
        """Wait until all are over but that of the calling thread, until a time of `time.monotonic`."""
        own = int(isinstance(self._threads.served_here, Connection))
        with self._fewer:
            self._fewer.wait_for(lambda: len(self._links) <= own, max(0.0, deadline - time.monotonic()))

    def sever(self, reason: str) -> None:
        """End the remaining connections at once."""
        for link in list(self._links.values()):
            self._service.write_queue.submit_now(Sever(link, reason))

    def end(self, deadline: float) -> None:
        """Let the loop send what is queued, and end, until a time of `time.monotonic`."""
        if self._loop is not None:
            self._loop.stop(deadline)

    def disown(self) -> None:
        """Close the sockets in the child of a fork."""
        for link in self._links.values():
            link.socket.close()
        if self._loop is not None:
            with contextlib.suppress(OSError):
                self._loop.disown()
