"""The connection of one member: its session, and the writer's state."""

from __future__ import annotations

import socket
import threading
from collections import deque
from typing import TYPE_CHECKING

from pychat.core.session import Session
from pychat.core.waiting import before_wait
from pychat.model.replies import PingRequest
from pychat.protocols.base import Dialect

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.transport.connection import Connection
    from pychat.transport.subscribers import Subscribers
    from pychat.transport.tls import TlsLayer
    from pychat.transport.write_queue import WriteQueue


class Link:
    """
    The writer's state of a connection, and its pending output.

    The connection makes it and may set `tls`, `session`, `dialect` and `pings` until the session is opened; it reads
    `close_reason`, `finished` and `dead`. Everything else belongs to the loop.
    """

    __slots__ = (
        "allowed",
        "asked",
        "close_reason",
        "connection",
        "dead",
        "dialect",
        "drained",
        "finished",
        "finishing",
        "free_at",
        "interest",
        "is_free",
        "opened",
        "pass_parts",
        "pings",
        "progress",
        "queue",
        "queued_bytes",
        "reads",
        "rooms",
        "send",
        "sent",
        "session",
        "socket",
        "taken",
        "tls",
        "unread",
        "window",
    )

    def __init__(self, sock: socket.socket, dialect: Dialect, opened: float) -> None:
        self.socket = sock
        self.send = sock.send
        self.tls: TlsLayer | None = None
        """Encrypts all output, if it is set. The reader sets it before it requests any output."""
        self.opened = opened
        self.connection: Connection | None = None
        """What reads from the socket; None before it starts, and once it is over."""
        self.interest = 0
        """The events of `selectors` that the loop waits for on the socket."""
        self.dialect = dialect
        self.session: Session | None = None
        """None until the language is detected."""
        self.pings = False
        """True if the peer answers pings."""
        self.asked = 0.0
        """The session's `last_input_time` at the time of the last ping."""
        self.close_reason: str | None = None
        """The disconnect reason from the loop; the connection then ends the session."""
        self.rooms: tuple[Subscribers, ...] = ()
        self.pass_parts: list[bytes] | None = None
        """While the link is singled out in a pass of the writer: all its output of that pass."""
        self.queue: deque[memoryview] | None = None
        """Output that the socket did not accept; usually there is none, and no queue."""
        self.queued_bytes = 0
        """Bytes in the queue."""
        self.allowed = 0
        """Bytes that may be queued beyond the usual limit: long answers to the peer's own requests."""
        self.progress = 0.0
        """When the peer is last known to have read something, since the queue began."""
        self.unread = 0
        """Bytes that the system had not delivered to the peer at the last check."""
        self.sent = 0
        """Bytes that the system accepted since the queue began."""
        self.window = 0.0
        """The start of the period in which the peer's reading rate is measured."""
        self.taken = 0
        """How many of the sent bytes it had read by then."""
        self.reads = True
        """True if it read fast enough in the last period for others to wait for it."""
        self.free_at = 0.0
        """When its session may again send at the full free rate without waiting for readers."""
        self.is_free = True
        """True if its session sends so little that it need not wait for readers."""
        self.drained: list[threading.Event] = []
        """Events to set when the queue is empty or given up."""
        self.finishing = False
        """True if nothing will follow what is queued."""
        self.finished = False
        """True if everything was sent after `finishing`, or cannot be sent any more."""
        self.dead = False
        """True if nothing can be sent any more."""


class WireSession(Session):
    """A session whose peer is connected by a socket."""

    __slots__ = ("_write_queue", "link", "performing", "thread")

    def __init__(self, chat: Chat, write_queue: WriteQueue, link: Link, address: str) -> None:
        super().__init__(chat, address)
        self._write_queue = write_queue
        self.link = link
        self.performing = False
        """True while its verbs are performed and its input cannot be read."""
        self.secure = link.tls is not None
        self.thread = threading.get_ident()
        """The thread on which its verbs are performed; it may be another one for each input."""

    @property
    def on_its_thread(self) -> bool:
        return threading.get_ident() == self.thread

    def request_close(self, reason: str) -> None:
        self._write_queue.disconnect(self.link, reason)

    def drained(self, timeout: float) -> bool:
        return self._write_queue.wait_drained(self.link, timeout)

    def answers(self, timeout: float) -> bool:
        if not self.link.pings:
            return True
        self.asked = asked = self.asked or threading.Event()
        self.chat.send(self, PingRequest())
        # It may be delayed, so that its answer is not read.
        before_wait()
        return (asked.wait(timeout) or self.performing) and not self.closed

    def on_closed(self) -> None:
        if self.asked is not None:
            self.asked.set()


def link_of(session: Session | None) -> Link | None:
    """Return the link of a session; None for a session inside this process."""
    return session.link if isinstance(session, WireSession) else None
