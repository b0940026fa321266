"""
The listening socket: `socketserver.ThreadingTCPServer` with an address of any kind, admission, and connections.

`ChatServer` extends it with a start and an end. Where `socketserver` passes on a client's address, that is an `Origin`
here.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import socketserver
from typing import Any

from pychat.model.cloaks import UNIX
from pychat.server.address import Address
from pychat.server.connections import Connections
from pychat.transport import unserved
from pychat.transport.service import Service

logger = logging.getLogger("pychat")

_NOTHING_FREE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Listener(socketserver.ThreadingTCPServer):
    """Accepts connections, refuses those that are not admitted, and starts to serve the others."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, address: Address, service: Service, connections: Connections) -> None:
        self.address_family = address.family
        # There is no handler of a request: `Connections` serves them.
        super().__init__(address.where, socketserver.BaseRequestHandler, bind_and_activate=False)  # type: ignore[arg-type]
        self.service = service
        self._connections = connections
        self._file = address.file

    @property
    def port(self) -> int:
        """The port, also if it was given as 0. It is 0 on a Unix socket."""
        return 0 if self._file is not None else int(self.server_address[1])

    # Called by `bind` and `stop`

    def server_bind(self) -> None:
        """Bind the address; an IPv6 address serves IPv4 clients, too, where the system can do that."""
        if self._file is not None:
            self._file.listen(self.socket, self.request_queue_size)
            return
        if self.address_family == socket.AF_INET6:
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def listen(self) -> None:
        """Bind and listen; an error names the address, and releases it."""
        try:
            self.server_bind()
            self.server_activate()
        except OSError as error:
            if self._file is None:
                error.filename = "{} port {}".format(*self.server_address[:2])  # it is part of the error's text
            self.server_close()
            raise

    def server_close(self) -> None:
        """Release the address."""
        if self._file is not None:
            self._file.remove()
        unserved.serves(self.server_address)
        super().server_close()

    # Called on the accept thread

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection. Without free resources it stays in the system's queue, and this waits."""
        try:
            request, address = super().get_request()
        except OSError as error:
            if error.errno in _NOTHING_FREE:
                logger.warning("cannot accept: %s", error)
                self.service.chat.stopping.wait(0.2)
            raise
        return request, self.service.proxies.origin(UNIX if self._file is not None else address[0])

    def verify_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> bool:
        """Reject banned or excess connections with one line that any client can display."""
        assert isinstance(request, socket.socket)
        refusal = self.service.admission.admit(client_address)
        if refusal is None:
            return True
        with contextlib.suppress(OSError):
            request.send(f"{refusal}\r\n".encode(), socket.MSG_DONTWAIT)
        return False

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """Start to serve the connection: on the loop, or by `process_request_thread`."""
        assert isinstance(request, socket.socket)
        self._connections.start(request, client_address, self.process_request_thread)

    def service_actions(self) -> None:
        """Raise what could not be raised while a thread began."""
        self._connections.raise_interrupt()

    def handle_error(self, request: object, client_address: Any) -> None:
        """Log an unexpected error; it ends only this connection."""
        logger.exception("serving %s failed", client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Close a connection that was refused, or could not be started."""
        assert isinstance(request, socket.socket)
        self._connections.close(request)

    # Called on the thread of a connection that has one of its own

    def process_request_thread(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """Serve one connection until it is over."""
        assert isinstance(request, socket.socket)
        self._connections.serve_on_thread(request)
