"""
The chat server: `socketserver.ThreadingTCPServer` around a `Chat`.

`ChatServer` is what programs use: it puts the parts together, starts them, and shuts them down in order. The listener
accepts connections (`listener.py`), the loop serves them (`connections.py`), and the chat decides what is sent.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeVar, overload

from pychat.bot import Bot
from pychat.core.accounts.actions import log_out_everybody
from pychat.core.accounts.authentication import release_waiting
from pychat.core.accounts.base import Accounts
from pychat.core.chat import Chat
from pychat.core.disowned import check_owned, disown
from pychat.core.handler import Handler
from pychat.core.local_session import LocalSession
from pychat.core.log.log import Log
from pychat.core.rooms.room import Room
from pychat.core.waiting import before_wait
from pychat.handlers.broadcast import Broadcast
from pychat.handlers.join_leave import JoinLeaveNotices
from pychat.handlers.nickname import NicknameValidator
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.errors import LocalProtocolError
from pychat.model.limits import Limits, check_limits
from pychat.server.address import check_address
from pychat.server.connections import Connections
from pychat.server.listener import Listener
from pychat.server.programs import Bots, commands_of, warn_if_mute
from pychat.server.reload import Keep, dialects_of, make_tls, reload
from pychat.transport import unserved
from pychat.transport.admission import Admission
from pychat.transport.forking import Forkable
from pychat.transport.origins import Proxies
from pychat.transport.service import Service
from pychat.transport.threads.serving import Threads
from pychat.transport.trust import Certificate
from pychat.transport.write_queue import WriteQueue
from pychat.version import DESCRIPTION

F = TypeVar("F", bound=Callable[..., Any])

_STOP_SECONDS = 2.0


class ChatServer(Listener, Forkable):
    """
    A chat server on one port, or on a Unix socket.

    `with ChatServer() as server: server.serve_forever()` serves until it is interrupted. `start()` serves in a thread
    of its own and returns. All other methods may be called from any thread.
    """

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
        threads: Literal["few", "each"] = "few",
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
            threads: "few": one thread serves everybody, and a client gets another one only while something blocks for
                it. "each": each client has a thread of its own, as in the tutorials.

        Raises:
            BadCertificate: If the files of `tls` cannot be used.
            BadProxy: If one of `proxies` is not an address.
            TypeError: If an argument has a wrong type, or a handler has a misspelt hook, or one with other parameters.
            ValueError: If the password is empty, or `unix` or the port is invalid.
        """
        address = check_address(server_address, host, port, unix)
        if tls_required and tls is None:
            raise ValueError("tls_required needs a certificate: tls=Certificate(...)")
        server_tls = None if tls is None else make_tls(tls)
        if threads not in ("few", "each"):
            raise ValueError(f"threads must be 'few' or 'each', not {threads!r}")
        known_proxies = Proxies(proxies)
        limits = check_limits(limits) or Limits()
        write_queue = WriteQueue(limits)
        self.chat = Chat(
            [NicknameValidator(), JoinLeaveNotices(), Broadcast()] if handlers is None else handlers,
            limits=limits,
            log=log,
            delivery=write_queue,
            name=name,
            description=description,
            default_room=default_room,
            motd=motd,
            operators=operators,
            password=password,
            accounts=accounts,
            clock=clock,
        )
        service = Service(
            self.chat,
            write_queue,
            Admission(limits, self.chat.bans.refusal_of),
            limits,
            dialects_of(self.chat),
            known_proxies,
            server_tls,
            tls_required,
        )
        self._hook_threads = Threads()
        super().__init__(address, service, Connections(service, self._hook_threads, each=threads == "each"))
        self._bots = Bots(self.chat, self._hook_threads)
        # Guards the steps of the lifecycle: bound, serving, stopped. Not held while waiting for other threads.
        self._life = threading.Lock()
        self._bound = False
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
                raise LocalProtocolError("the server was stopped and cannot start again; create a new one")
            if self.socket.fileno() < 0:
                raise LocalProtocolError("the server could not listen and cannot try again; create a new one")
            if not self._bound:
                try:
                    self.listen()
                except OSError:
                    self.chat.log.close()  # frees its file for another attempt
                    raise
                warn_if_mute(self.chat)
                unserved.listens(self.server_address)
                self._connections.begin()
                self._bound = True
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
        before_wait()
        if not first:
            if self._hook_threads.served_here is None:
                self._stopped.wait(_STOP_SECONDS)
            return
        deadline = time.monotonic() + _STOP_SECONDS
        self._stop_accepting()
        self.chat.end()
        release_waiting(self.chat)
        self.chat.log.release_waiting()
        self._connections.disconnect(reason)
        for one in self.chat.sessions():
            if one.is_local:
                one.disconnect(reason)
        self._connections.wait(deadline - _STOP_SECONDS / 2)
        self._connections.sever(reason)
        self._connections.wait(deadline - _STOP_SECONDS / 4)
        self._hook_threads.wait(deadline - _STOP_SECONDS / 4)
        self.chat.log.close(deadline - _STOP_SECONDS / 8 - time.monotonic())
        self._connections.end(deadline)
        self._hook_threads.name_left()
        self._stopped.set()

    def disown(self) -> None:
        # Guards the same; the old lock may be held by a thread that does not exist here.
        self._life = threading.Lock()
        self._stopping = True
        self._stopped.set()
        disown(self.chat.order, f"this chat belongs to process {self.process}")
        self.socket.close()
        self._connections.disown()

    def _stop_accepting(self) -> None:
        serving = self._serving
        if serving is not None:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)  # wakes the accept thread, which polls only at intervals
            if serving is not threading.current_thread():
                self.shutdown()
        self.server_close()

    # What programs use

    @property
    def connections(self) -> int:
        """The number of connections, registered or not; a connection that ended makes room for another one."""
        return self.service.admission.total

    def room(self, name: str) -> Room:
        """Return a room; see `Chat.room`."""
        return self.chat.room(name)

    def session(self, nickname: str, rooms: Iterable[str] = ()) -> LocalSession:
        """Return a new session; see `Chat.session`."""
        return self.chat.session(nickname, rooms)

    def add_handler(self, handler: Handler, *, before: Handler | None = None) -> None:
        """
        Add a handler at the end, or before another one; it takes part from the next verb on.

        Raises:
            TypeError: If it is not a handler, or one of its hooks cannot be called.
            ValueError: If it was already added, or `before` was not.
        """
        self.chat.add_handler(handler, before=before)

    def remove_handler(self, handler: Handler) -> None:
        """
        Remove a handler; a hook that is running finishes.

        Raises:
            ValueError: If it is not one of the handlers.
        """
        self.chat.remove_handler(handler)

    @overload
    def command(self, name: F, /) -> F: ...

    @overload
    def command(self, name: str | None = None) -> Callable[[F], F]: ...

    def command(self, name: Any = None) -> Any:
        """
        Make the decorated function `(ctx, ...)` the command `!name`; adds the handler `Commands` if necessary.

        Without a name, the command has the name of the function: `@server.command`.
        """
        return commands_of(self.chat).command(name)

    def add_commands(self, group: object) -> None:
        """Add the commands of an object: its methods that are marked with `pychat.command`."""
        commands_of(self.chat).add_group(group)

    def bot(self, nickname: str, rooms: Iterable[str] = (), *, prefix: str = "!", bots: bool = False) -> Bot:
        """Add a new bot, which runs inside this process; functions can be added to it from now on. See `Bot`."""
        return self.add_bot(Bot(nickname, rooms=rooms, prefix=prefix, bots=bots))

    def add_bot(self, bot: Bot) -> Bot:
        """
        Add a bot, on a thread of its own; it needs no connection. Return it when it is in its rooms.

        A refused room is logged, and the bot joins the others.

        Raises:
            Refused: If the nickname is not allowed or in use, or a handler refused it.
            LocalProtocolError: If the bot is already in a chat, or was stopped.
        """
        self._bots.add(bot)
        return bot

    def log_out(self, account: str) -> None:
        """
        Log out every session of an account, including those that may still be resumed.

        For programs whose accounts also change without the verbs: another password, for example, or a deleted account.
        """
        log_out_everybody(self.chat, account)

    def reload(
        self,
        *,
        limits: Limits | None = None,
        motd: Iterable[str] | None = None,
        password: str | Keep | None = Keep.KEEP,
        operators: Mapping[str, str] | None = None,
        tls: Certificate | None = None,
        tls_required: bool | None = None,
        proxies: Iterable[str] | None = None,
    ) -> None:
        """
        Change the given settings, all of them or none; the rest stays. Nobody is disconnected. One thread at a time.

        Args:
            limits: For new connections and, except for the size of lines, the rate of messages and the system's
                buffers, also for existing ones. `history_events` and `history_chars` stay.
            motd: See `ChatServer`, as for all of these.
            password: None if no password is needed any more. Existing sessions stay, and can be resumed by token.
            operators: Current operators stay operators.
            tls: For new connections; give the same one to read its files again. A server that started without TLS
                cannot add it.

        Raises:
            BadCertificate: If the files of `tls` cannot be used.
            BadProxy: If one of `proxies` is not an address.
            ValueError: If the password is empty, or TLS is requested on a server without it.
        """
        reload(
            self.service,
            limits=limits,
            motd=motd,
            password=password,
            operators=operators,
            tls=tls,
            tls_required=tls_required,
            proxies=proxies,
        )

    def reload_tls(self) -> None:
        """
        Read certificate and key again, for new connections; existing ones stay as they are.

        Raises:
            BadCertificate: If they cannot be used; the old ones stay in use.
        """
        if self.service.tls is not None:
            self.reload(tls=self.service.tls.certificate)
