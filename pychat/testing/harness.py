"""
A running server, and everything that a test of it wants: members, bare sockets, networks; and an end that is checked.

`chat_servers` is what the fixtures of `pytest_pychat.py` are made of. It needs no pytest.
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
"""Members and bots of a test come back soon after the connection is lost."""

C = TypeVar("C", Member, LocalMember, Network, Peer)


class ChatHarness:
    """A server that runs, on a free port of 127.0.0.1. What its methods make is closed when the test is over."""

    def __init__(self, server: ChatServer, errors: list[str], deadline: float) -> None:
        self.server = server
        self.errors = errors
        """
        What pychat has logged as errors since the test began, with tracebacks: handlers that failed, above all.

        What is still in here when the test is over, fails it. So a test that wants them looks at them and clears it.
        """
        self.deadline = deadline
        """Seconds after which whatever is waited for is taken for lost."""
        self._usual = {"timeout": deadline, "retry_seconds": RETRY_SECONDS}
        """What clients are given that are given nothing else."""
        self._stack = ExitStack()
        self._stack.callback(server.stop)

    def close(self) -> None:
        """Close everything and stop the server. May be called again."""
        self._stack.close()

    @property
    def port(self) -> int:
        """That of the server."""
        return self.server.port

    @property
    def host(self) -> str:
        """That of the server."""
        return str(self.server.server_address[0])

    # Who takes part

    def join(self, nickname: str, *rooms: str, via: Network | None = None, **options: Any) -> Member:
        """
        Connect somebody over a socket, and return when the join is over, also for the others.

        Args:
            rooms: None: the server's default room.
            via: The network to go through.
            options: What `ChatClient` takes: `reconnect`, `replay`, `password`. The default of `retry_seconds` is 0.01.

        Raises:
            Refused: The nickname is not allowed or in use, or the server does not let them in.
        """
        host, port = (self.host, self.port) if via is None else ("127.0.0.1", via.port)
        member = Member(host, port, nick=nickname, rooms=rooms, **{**self._usual, **options})
        member.deadline = self.deadline
        self._closing(member)
        if via is not None:
            self._closing(via)  # again: one who says goodbye through a network that is stalled would wait
        return member

    def run_bot(self, bot: Bot, *, via: Network | None = None, **options: Any) -> Bot:
        """
        Let a bot come over a socket, on a thread of its own, and return when it is in its rooms.

        Args:
            via: The network to go through.
            options: What `Bot.run` takes: `password`, `tls`.

        Raises:
            Refused: The nickname is not allowed or in use, or the server does not let it in.
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
        Let somebody in who has no socket, as `ChatServer.session` does.

        Raises:
            Refused: The nickname is not allowed or in use, it may not join a room, or a handler said no.
        """
        member = LocalMember(self.server.chat)
        self.server.chat.admit(member, nickname, rooms)
        member.deadline = self.deadline
        return self._closing(member)

    def connect(self, *, receive_buffer: int | None = None) -> Peer:
        """Connect a socket that has sent nothing yet, and can misbehave."""
        return self._closing(Peer(self.host, self.port, deadline=self.deadline, receive_buffer=receive_buffer))

    def network(self) -> Network:
        """Return a network between clients and the server, which can break."""
        return self._closing(Network(self.host, self.port))

    def _closing(self, made: C) -> C:
        self._stack.callback(made.close)
        return made

    # What else a test asks

    def room(self, name: str = "lobby") -> Room:
        """Return the room of this name; make it if there is none."""
        return self.server.room(name)

    def wait_until(self, holds: Callable[[], object], what: str) -> None:
        """
        Wait until `holds()` is true, for what nobody announces.

        Args:
            what: What is waited for, for the error.

        Raises:
            AssertionError: It was not true before the deadline.
        """
        __tracebackhide__ = True
        wait_until(holds, what, self.deadline)


class MakeChat(Protocol):
    """What `chat_servers` yields."""

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
            server: One that the program under test has made and not started, on port 0; then only `deadline` can be
                given with it. Default: one is made.
            handlers: Default: those of `ChatServer`.
            limits: Bounds of everything a peer can send.
            clock: What time it is for the server: a `FakeClock`, say.
            port: Default: one that is free.
            deadline: Seconds after which whatever is waited for is taken for lost: a limit, not a delay.
            options: Everything else that `ChatServer` takes.
        """


@contextmanager
def chat_servers() -> Iterator[MakeChat]:
    """
    Yield a function that starts servers; at the end close everything they have, the last one first.

    Raises:
        AssertionError: A handler failed, or a thread of pychat is left.
    """
    with Aftermath() as aftermath, ExitStack() as stack:

        def make(server: ChatServer | None = None, *, deadline: float = DEADLINE, **options: Any) -> ChatHarness:
            if server is None:
                anywhere = options.keys().isdisjoint({"server_address", "unix"})
                server = ChatServer(**({"port": 0, **options} if anywhere else options))
            elif options:
                raise TypeError(f"the server is made already, without {', '.join(options)}")
            harness = ChatHarness(server, aftermath.errors, deadline)
            aftermath.deadline = deadline
            stack.callback(harness.close)
            server.start()
            return harness

        yield make
