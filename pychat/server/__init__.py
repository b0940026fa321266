"""
The chat server: `socketserver.ThreadingTCPServer` around a `Chat`.

It accepts, counts and refuses connections, starts a reader thread for each (`transport/reader.py`), and shuts down
in order. The chat decides what is sent, the writer how (`transport/writer.py`).
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import socketserver
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from pychat.core.accounts.authentication import release_waiting
from pychat.core.accounts.base import Accounts
from pychat.core.chat import Chat
from pychat.core.disowned import check_owned, disown
from pychat.core.handler import Handler
from pychat.core.log.log import Log
from pychat.handlers.broadcast import Broadcast
from pychat.handlers.join_leave import JoinLeaveNotices
from pychat.handlers.nickname import NicknameValidator
from pychat.model.cloaks import UNIX
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.errors import LocalProtocolError
from pychat.model.limits import Limits, check_limits
from pychat.protocols.detect import Language
from pychat.server.facade import Host, check_address, warn_if_mute
from pychat.server.reload import Reloadable, dialects_of, make_tls
from pychat.server.threads import Threads
from pychat.transport import unserved
from pychat.transport.admission import Admission
from pychat.transport.forking import Forkable
from pychat.transport.jobs import Close, Open, Sever
from pychat.transport.link import Link
from pychat.transport.origins import Proxies
from pychat.transport.reader import Connection
from pychat.transport.socket_options import set_options
from pychat.transport.trust import Certificate
from pychat.transport.unix import SocketFile
from pychat.transport.write_queue import WriteQueue
from pychat.transport.writer import Writer
from pychat.version import DESCRIPTION

logger = logging.getLogger("pychat")

_STOP_SECONDS = 2.0
_NOTHING_FREE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class ChatServer(Host, Reloadable, Forkable, socketserver.ThreadingTCPServer):
    """
    A chat server on one port, or on a Unix socket.

    `with ChatServer() as server: server.serve_forever()` serves until it is interrupted. `start()` serves in a thread
    of its own and returns. All other methods may be called from any thread.
    """

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(
        self,
        server_address: tuple[str, int] | None = None,
        *,
        host: str | None = None,
        port: int | None = None,
        unix: str | os.PathLike[str] | None = None,
        handlers: Iterable[Handler] | None = None,
        limits: Limits | None = None,
        log: Log | None = None,
        name: str = "pychat",
        description: str = DESCRIPTION,
        default_room: str = "lobby",
        motd: Iterable[str] = (),
        operators: Mapping[str, str] | None = None,
        password: str | None = None,
        tls: Certificate | None = None,
        tls_required: bool = False,
        proxies: Iterable[str] = (),
        accounts: Accounts | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """
        Args:
            server_address: Host and port, as for `socketserver`; or give `host` (127.0.0.1) and `port` (55555). Port 0
                takes a free one, which is in `server_address` once the server is bound. A host with colons is IPv6.
            unix: Listen on the Unix socket with this path instead of a host and a port. The file is created for the
                owner and the group of this process (0660), replacing one on which nobody listens, and removed by
                `stop`.
            handlers: Default: `NicknameValidator`, `JoinLeaveNotices`, `Broadcast`.
            limits: Limits of everything that a peer can send or cause.
            log: Stores the events of the rooms. Default: in memory.
            name, description: The name of the server, and one line about it, for IRC clients.
            default_room: The room of sessions that do not name one.
            motd: The message of the day, line by line; sent to everybody who connects.
            operators: The server operators: passwords by name.
            password: The server password for everybody who connects over the network. Default: none.
            tls: With this, clients can speak TLS, too, on the same port.
            tls_required: True if they must speak TLS.
            proxies: Addresses (`192.0.2.1`) and networks (`10.0.0.0/8`) from which only proxies connect that name their
                client by version 1 of the PROXY protocol; `unix` for all connections to the Unix socket. The server
                trusts what they send.
            accounts: Your own `Accounts`. Default: accounts that people register themselves (`StoredAccounts`).
            clock: The source of time. Tests may use a clock of their own.

        Raises:
            BadCertificate: If the files of `tls` cannot be used.
            BadProxy: If one of `proxies` is not an address.
            TypeError: If an argument has a wrong type, or a handler has a misspelt hook, or one with other parameters.
            ValueError: If the password is empty, or `unix` or the port is invalid.
        """
        address: Any = check_address(server_address, host, port, unix)
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._file = None if unix is None else SocketFile(unix)
        if self._file is not None:
            address, self.address_family = self._file.path, socket.AF_UNIX
        if tls_required and tls is None:
            raise ValueError("tls_required needs a certificate: tls=Certificate(...)")
        self.tls = None if tls is None else make_tls(tls)
        self.tls_required = tls_required
        self.proxies = Proxies(proxies)
        self.limits = check_limits(limits) or Limits()
        self.write_queue = WriteQueue(self.limits)
        self.chat = Chat(
            [NicknameValidator(), JoinLeaveNotices(), Broadcast()] if handlers is None else handlers,
            limits=self.limits,
            log=log,
            delivery=self.write_queue,
            name=name,
            description=description,
            default_room=default_room,
            motd=motd,
            operators=operators,
            password=password,
            accounts=accounts,
            clock=clock,
        )
        self.dialects = dialects_of(self.chat)
        super().__init__(address, Connection, bind_and_activate=False)  # type: ignore[arg-type]  # see finish_request
        self.admission = Admission(self.limits, self.chat.bans.refusal_of)
        # Written by the accept thread and by readers at their end; single operations on a dict need no lock.
        self._links: dict[socket.socket, Link] = {}
        self.threads = Threads()
        self._starting: dict[socket.socket, threading.Thread] = {}
        """Readers that have not begun; whoever takes one out decides if it serves its connection."""
        self._interrupt: BaseException | None = None
        """What interrupted the accept thread while a reader began to serve; `service_actions` raises it."""
        # Guards the steps of the lifecycle: bound, serving, stopped. Not held while waiting for other threads.
        self._life = threading.Lock()
        self._writer: Writer | None = None
        """None until the server is bound."""
        self._serving: threading.Thread | None = None
        self._stopped = threading.Event()
        self._stopping = False
        if self.chat.log.lasts:  # its file is open, and its thread runs
            self.belong()

    # Lifecycle

    def bind(self) -> None:
        """
        Listen; `with`, `start` and `serve_forever` do so if it was not done.

        Raises:
            OSError: If the address is in use or not of this machine, or the file of the Unix socket cannot be created.
            LocalProtocolError: If the server was stopped, or failed to listen before: it cannot be started again.
        """
        with self._life:
            check_owned(self.chat.order)
            if self._stopping:
                raise LocalProtocolError("the server was stopped and does not start again; make a new one")
            if self.socket.fileno() < 0:
                raise LocalProtocolError("the server could not listen and does not try again; make a new one")
            if self._writer is None:
                if self.address_family == socket.AF_INET6:
                    with contextlib.suppress(OSError):
                        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                try:
                    self.server_bind()
                    self.server_activate()
                except OSError as error:
                    if error.filename is None and self._file is None:
                        error.filename = "{} port {}".format(*self.server_address[:2])  # it is part of the error's text
                    self.server_close()
                    self.chat.log.close()  # frees its file for another attempt
                    raise
                warn_if_mute(self.chat)
                unserved.listens(self.server_address)
                self._writer = Writer(self.write_queue)
                self._writer.start()
                self.belong()

    def start(self) -> ChatServer:
        """Serve in a thread of its own; return when the server listens. Does nothing if it already serves."""
        self.bind()
        thread = threading.Thread(target=self._serve, name="pychat-accept", daemon=True)
        with self._life:
            if self._serving is None and not self._stopping:
                thread.start()
                self._serving = thread
                unserved.serves(self.server_address)  # here, so that clients need not wait for the thread
        return self

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Serve on this thread until `stop` is called; raise `LocalProtocolError` if another thread already serves."""
        self.bind()
        with self._life:
            if self._stopping:
                return
            if self._serving is not None:
                raise LocalProtocolError("the server is serving already; call start() or serve_forever(), not both")
            self._serving = threading.current_thread()
        self._serve(poll_interval)

    def _serve(self, poll_interval: float = 0.5) -> None:
        unserved.serves(self.server_address)
        try:
            super().serve_forever(poll_interval)
        finally:
            self._serving = None

    def __enter__(self) -> ChatServer:
        self.bind()
        return self

    def __exit__(self, *args: object) -> None:
        self.stop()

    def stop(self, reason: str = "the server is shutting down") -> None:
        """
        Stop within 2 s: tell every client the reason, and close. May be called again, and from a handler.

        A thread that is still inside a handler afterwards is named in the log; it ends with the process. In the child
        of a fork, this does nothing.
        """
        with self._life:
            first, self._stopping = not self._stopping, True
        if not first:
            if not self.threads.has_current():
                self._stopped.wait(_STOP_SECONDS)
            return
        deadline = time.monotonic() + _STOP_SECONDS
        self._stop_accepting()
        self.chat.end()
        release_waiting(self.chat)
        self.chat.log.release_waiting()
        for link in list(self._links.values()):
            session = link.session  # the writer clears it when the connection ends
            if session is None:
                self.write_queue.disconnect(link, reason)
            else:
                session.disconnect(reason)
        for one in self.chat.sessions():
            if one.is_local:
                one.disconnect(reason)
        self.threads.join(deadline - _STOP_SECONDS / 2)
        for link in list(self._links.values()):
            self.write_queue.submit_now(Sever(link, reason))
        self.threads.join(deadline - _STOP_SECONDS / 4)
        self.chat.log.close(deadline - _STOP_SECONDS / 8 - time.monotonic())
        if self._writer is not None:
            self._writer.stop(deadline)
        self.threads.name_left()
        self._stopped.set()

    def disown(self) -> None:
        # Guards the same; the old lock may be held by a thread that does not exist here.
        self._life = threading.Lock()
        self._stopping = True
        self._stopped.set()
        disown(self.chat.order, f"this chat belongs to process {self.process}")
        self.socket.close()
        for link in self._links.values():
            link.socket.close()
        if self._writer is not None:
            self._writer.disown()

    def _stop_accepting(self) -> None:
        serving = self._serving
        if serving is not None:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)  # wakes the accept thread, which polls only at intervals
            if serving is not threading.current_thread():
                self.shutdown()
        self.server_close()

    # For programs; the rest is in facade.py and reload.py

    @property
    def port(self) -> int:
        """The port, also if it was given as 0. It is 0 on a Unix socket."""
        return 0 if self._file is not None else int(self.server_address[1])

    # Called by socketserver, on the accept thread except for the first two. A client's address is an Origin here.

    def server_bind(self) -> None:
        """Bind the address."""
        if self._file is None:
            super().server_bind()
        else:
            self._file.listen(self.socket, self.request_queue_size)

    def server_close(self) -> None:
        """Release the address."""
        if self._file is not None:
            self._file.remove()
        unserved.serves(self.server_address)
        super().server_close()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection. Without free resources it stays in the system's queue, and this waits."""
        try:
            request, address = super().get_request()
        except OSError as error:
            if error.errno in _NOTHING_FREE:
                logger.warning("cannot accept: %s", error)
                self.chat.stopping.wait(0.2)
            raise
        return request, self.proxies.origin(UNIX if self._file is not None else address[0])

    def verify_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> bool:
        """Reject banned or excess connections with one line that any client can display."""
        assert isinstance(request, socket.socket)
        refusal = self.admission.admit(client_address)
        if refusal is None:
            return True
        with contextlib.suppress(OSError):
            request.send(f"{refusal}\r\n".encode(), socket.MSG_DONTWAIT)
        return False

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """Start a reader for the connection."""
        assert isinstance(request, socket.socket)
        link = Link(request, self.dialects[Language.TEXT], time.monotonic())
        self._links[request] = link
        set_options(request, self.limits)
        self.write_queue.submit_now(Open(link))
        arguments = (request, client_address)
        thread = threading.Thread(target=self.process_request_thread, args=arguments, name="pychat-reader", daemon=True)
        self._starting[request] = thread
        try:
            self.threads.add(thread, client_address)
            thread.start()
        except BaseException as error:  # no thread is left; or Ctrl-C has come, and the thread may run all the same
            if self._starting.pop(request, None) is None:
                self._interrupt = error  # raised here, it would end the connection under the reader
                return
            self.threads.remove(thread)
            self.admission.release(client_address)
            raise

    def service_actions(self) -> None:
        """Raise what could not be raised while a reader began."""
        error, self._interrupt = self._interrupt, None
        if error is not None:
            raise error

    def handle_error(self, request: object, client_address: Any) -> None:
        """Log an unexpected error; it ends only this connection."""
        logger.exception("serving %s failed", client_address)

    # Called on a reader's thread

    def process_request_thread(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """Serve one connection."""
        assert isinstance(request, socket.socket)
        if self._starting.pop(request, None) is None:
            return  # the accept thread was interrupted, and has ended the connection
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.admission.release(client_address)
            self.threads.remove(threading.current_thread())

    def finish_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """Run the connection."""
        assert isinstance(request, socket.socket)
        Connection(self, request, self._links[request], client_address).run()

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Let the writer close the socket, or close it here if the writer never knew it."""
        assert isinstance(request, socket.socket)
        link = self._links.pop(request, None)
        if link is None:
            request.close()
        else:
            self.write_queue.submit(Close(link))
            if link.dead and self.chat.stopping.is_set():
                request.close()  # the reader was in a handler for so long that the writer has already ended
