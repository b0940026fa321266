"""The connections of one server, and the thread of each that reads it and serves it (`transport/reader.py`)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from pychat.protocols.detect import Language
from pychat.server.threads import Threads
from pychat.transport.jobs import Close, Open, Sever
from pychat.transport.link import Link
from pychat.transport.origins import Origin
from pychat.transport.reader import Connection
from pychat.transport.service import Service
from pychat.transport.socket_options import set_options


class Readers:
    """
    The admitted connections, from `start` to `close`.

    The accept thread starts readers, and each reader closes its connection at its end. Single operations on a dict
    need no lock.
    """

    def __init__(self, service: Service, threads: Threads) -> None:
        self._service = service
        self._threads = threads
        self._links: dict[socket.socket, Link] = {}
        self._starting: dict[socket.socket, threading.Thread] = {}
        """Readers that have not begun; whoever takes one out decides if it serves its connection."""
        self._interrupt: BaseException | None = None
        """What interrupted the accept thread while a reader began to serve."""

    # On the accept thread

    def start(self, sock: socket.socket, origin: Origin, serve: Callable[[socket.socket, Origin], None]) -> None:
        """Start a thread that calls `serve(sock, origin)`, which calls `run`."""
        link = Link(sock, self._service.dialects[Language.TEXT], time.monotonic())
        self._links[sock] = link
        set_options(sock, self._service.limits)
        self._service.write_queue.submit_now(Open(link))
        thread = threading.Thread(target=serve, args=(sock, origin), name="pychat-reader", daemon=True)
        self._starting[sock] = thread
        try:
            self._threads.add(thread, origin)
            thread.start()
        except BaseException as error:  # no thread is left; or Ctrl-C has come, and the thread may run all the same
            if self._starting.pop(sock, None) is None:
                self._interrupt = error  # raised here, it would end the connection under the reader
                return
            self._threads.remove(thread)
            self._service.admission.release(origin)
            raise

    def raise_interrupt(self) -> None:
        """Raise what could not be raised while a reader began."""
        error, self._interrupt = self._interrupt, None
        if error is not None:
            raise error

    # On the connection's thread

    def run(self, sock: socket.socket, origin: Origin, converse: Callable[[], None]) -> None:
        """Call `converse`, if the accept thread has not given the connection up; then stop counting the connection."""
        if self._starting.pop(sock, None) is None:
            return
        try:
            converse()
        finally:
            self._service.admission.release(origin)
            self._threads.remove(threading.current_thread())

    def converse(self, sock: socket.socket, origin: Origin) -> None:
        """Serve the peer until it or the server ends the connection."""
        Connection(self._service, sock, self._links[sock], origin).run()

    def close(self, sock: socket.socket) -> None:
        """Let the writer close the socket, or close it here if the writer never knew it."""
        link = self._links.pop(sock, None)
        if link is None:
            sock.close()
        else:
            self._service.write_queue.submit(Close(link))
            if link.dead and self._service.chat.stopping.is_set():
                sock.close()  # the reader was in a handler for so long that the writer has already ended

    # On any thread

    def disconnect(self, reason: str) -> None:
        """End every connection: each peer is told the reason."""
        for link in list(self._links.values()):
            session = link.session  # the writer clears it when the connection ends
            if session is None:
                self._service.write_queue.disconnect(link, reason)
            else:
                session.disconnect(reason)

    def sever(self, reason: str) -> None:
        """End the remaining connections at once."""
        for link in list(self._links.values()):
            self._service.write_queue.submit_now(Sever(link, reason))

    def disown(self) -> None:
        """Close the sockets in the child of a fork."""
        for link in self._links.values():
            link.socket.close()
