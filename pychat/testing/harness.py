"""
A running server, and everything that a test of it needs: members, bare sockets, networks, and a checked cleanup.

The fixtures of `pytest_pychat.py` use `chat_servers`, which does not need pytest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final, Protocol, TypeVar

from pychat.bot import Bot
from pychat.core.handler import Handler
from pychat.core.rooms.room import Room
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.errors import ChatError
from pychat.model.limits import Limits
from pychat.server import ChatServer
from pychat.testing.leak_check import Aftermath
from pychat.testing.members import LocalMember, Member
from pychat.testing.network import Network
from pychat.testing.sockets import Peer
from pychat.testing.waiting import DEADLINE, wait_until

RETRY_SECONDS: Final = 0.01
"""The short reconnect delay of members and bots in a test."""

C = TypeVar("C", Member, LocalMember, Network, Peer)


class ChatHarness:
    """A running server, on a free port of 127.0.0.1. Everything that its methods create is closed after the test."""

    def __init__(self, server: ChatServer, errors: list[str], deadline: float) -> None:
        self.server = server
        self.errors = errors
        """
        Errors that pychat has logged since the test began, with tracebacks: mainly of handlers that failed.

        Errors that are still in here after the test make it fail. A test that expects some checks and clears it.
        """
        self.deadline = deadline
        """Seconds after which waiting fails."""
        self._usual = {"timeout": deadline, "retry_seconds": RETRY_SECONDS}
        """The default options of clients."""
        self._stack = ExitStack()
        self._stack.callback(server.stop)

    def close(self) -> None:
        """Close everything and stop the server. May be called again."""
        self._stack.close()

    @property
    def port(self) -> int:
        """The server's port."""
        return self.server.port

    @property
    def host(self) -> str:
        """The server's host."""
        return str(self.server.server_address[0])

    # Participants

    def join(self, nickname: str, *rooms: str, via: Network | None = None, **options: Any) -> Member:
        """
        Connect a member over a socket, and return when the join is complete, also for the others.

        Args:
            rooms: The rooms to join; the server's default room if empty.
            via: The network to go through.
            options: Options of `ChatClient`: `reconnect`, `replay`, `password`. The default of `retry_seconds` is 0.01.

        Raises:
            Refused: If the nickname is not allowed or in use, or the server refuses the member.
        """
        host, port = (self.host, self.port) if via is None else ("127.0.0.1", via.port)
        member = Member(host, port, nick=nickname, rooms=rooms, **{**self._usual, **options})
        member.deadline = self.deadline
        self._closing(member)
        if via is not None:
            self._closing(via)  # again, because leaving through a stalled network would block
        return member

    def run_bot(self, bot: Bot, *, via: Network | None = None, **options: Any) -> Bot:
        """
        Run a bot over a socket, on a thread of its own, and return when it is in its rooms.

        Args:
            via: The network to go through.
            options: Options of `Bot.run`: `password`, `tls`.

        Raises:
            Refused: If the nickname is not allowed or in use, or the server refuses the bot.
        """
        host, port = (self.host, self.port) if via is None else ("127.0.0.1", via.port)
        failed: list[BaseException] = []

        def run() -> None:
            try:
                bot.run(host, port, **{**self._usual, **options})
            except ChatError as error:
                failed.append(error)

        thread = threading.Thread(target=run, name="pychat-test-bot", daemon=True)
        thread.start()
        self._stack.callback(thread.join, self.deadline)
        self._stack.callback(bot.stop)
        if via is not None:
            self._closing(via)  # again, as for a member
        self.wait_until(lambda: bot.connected or failed, f"{bot!r} is in its rooms")
        if failed:
            raise failed[0]
        return bot

    def session(self, nickname: str, *rooms: str) -> LocalMember:
        """
        Add a member without a socket, as `ChatServer.session` does.

        Raises:
            Refused: If the nickname is not allowed or in use, or a room or a handler refuses the member.
        """
        member = LocalMember(self.server.chat)
        self.server.chat.admit(member, nickname, rooms)
        member.deadline = self.deadline
        return self._closing(member)

    def connect(self, *, receive_buffer: int | None = None) -> Peer:
        """Connect a socket that has sent nothing yet, and can misbehave."""
        return self._closing(Peer(self.host, self.port, deadline=self.deadline, receive_buffer=receive_buffer))

    def network(self) -> Network:
        """Return a network between clients and the server, which can fail on command."""
        return self._closing(Network(self.host, self.port))

    def _closing(self, made: C) -> C:
        self._stack.callback(made.close)
        return made

    # Other tools

    def room(self, name: str = "lobby") -> Room:
        """Return the room of this name; create it if necessary."""
        return self.server.room(name)

    def wait_until(self, holds: Callable[[], object], what: str) -> None:
        """
        Wait until `holds()` is true, for conditions without an event.

        Args:
            what: A description of the condition, for the error.

        Raises:
            AssertionError: If it was not true before the deadline.
        """
        __tracebackhide__ = True
        wait_until(holds, what, self.deadline)


class MakeChat(Protocol):
    """The function that `chat_servers` yields."""

    def __call__(
        self,
        server: ChatServer | None = None,
        *,
        handlers: Iterable[Handler] | None = None,
        limits: Limits | None = None,
        clock: Clock = SYSTEM_CLOCK,
        port: int = 0,
        deadline: float = DEADLINE,
        **options: Any,
    ) -> ChatHarness:
        """
        Start a server.

        Args:
            server: A server that the program under test has created and not started, on port 0; then only `deadline`
                can be given with it. Default: a new one.
            handlers: Default: those of `ChatServer`.
            limits: Limits of everything that a peer can send or cause.
            clock: The server's source of time, such as a `FakeClock`.
            port: Default: a free one.
            deadline: Seconds after which waiting fails: a limit, not a delay.
            options: Further arguments of `ChatServer`.
        """


@contextmanager
def chat_servers() -> Iterator[MakeChat]:
    """
    Yield a function that starts servers; at the end close them and everything they have, in reverse order.

    Raises:
        AssertionError: If a handler failed, or a thread of pychat is left.
    """
    with Aftermath() as aftermath, ExitStack() as stack:

        def make(server: ChatServer | None = None, *, deadline: float = DEADLINE, **options: Any) -> ChatHarness:
            if server is None:
                anywhere = options.keys().isdisjoint({"server_address", "unix"})
                server = ChatServer(**({"port": 0, **options} if anywhere else options))
            elif options:
                raise TypeError(f"the server was already created, without {', '.join(options)}")
            harness = ChatHarness(server, aftermath.errors, deadline)
            aftermath.deadline = deadline
            stack.callback(harness.close)
            server.start()
            return harness

        yield make
