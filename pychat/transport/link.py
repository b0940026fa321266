"""One member behind a socket: its session, and the writer's side of its connection."""

from __future__ import annotations

import socket
import threading
from collections import deque
from typing import TYPE_CHECKING

from pychat.core.session import Session
from pychat.model.replies import PingRequest
from pychat.protocols.base import Dialect

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.transport.subscribers import Hearers
    from pychat.transport.tls import TlsLayer
    from pychat.transport.write_queue import Fanout


class Link:
    """
    What the writer thread knows of a connection, and what it still has to send there.

    The connection's reader makes it and may set `tls`, `session`, `dialect` and `pings` until the chat knows the
    session; it reads `verdict`, and waits for events. All else is the writer's.
    """

    __slots__ = (
        "allowed",
        "asked",
        "behind",
        "dead",
        "dialect",
        "drained",
        "finished",
        "finishing",
        "free_at",
        "opened",
        "own",
        "pings",
        "progress",
        "queue",
        "reads",
        "rooms",
        "send",
        "sent",
        "session",
        "socket",
        "taken",
        "tls",
        "unread",
        "verdict",
        "window",
    )

    def __init__(self, sock: socket.socket, dialect: Dialect, opened: float) -> None:
        self.socket = sock
        self.send = sock.send
        self.tls: TlsLayer | None = None
        """What is sent goes through it, if there is one. The reader sets it, before it asks for anything to be sent."""
        self.opened = opened
        self.dialect = dialect
        self.session: Session | None = None
        """None until the language is known."""
        self.pings = False
        """Whether the peer can be asked if it is still there."""
        self.asked = 0.0
        """Its session's `heard` when it was last asked if it is still there."""
        self.verdict: str | None = None
        """Why the writer wants the session to end; the reader sees to it."""
        self.rooms: tuple[Hearers, ...] = ()
        self.own: list[bytes] | None = None
        """While it is singled out in a pass of the writer: everything it gets in that pass."""
        self.queue: deque[memoryview] | None = None
        """What the socket did not take; most of the time there is nothing, and no queue."""
        self.behind = 0
        """Bytes in the queue."""
        self.allowed = 0
        """Bytes that may be in the queue beyond what may wait for anybody: long answers to what the peer has asked."""
        self.progress = 0.0
        """When the peer last read something, as far as is known, since the queue began."""
        self.unread = 0
        """Bytes that the system had not brought to the peer when that was looked at last."""
        self.sent = 0
        """Bytes that the system took since the queue began."""
        self.window = 0.0
        """Since when it is counted how much the peer reads."""
        self.taken = 0
        """How many of the bytes sent it had read then."""
        self.reads = True
        """Whether it read enough, when that was counted last, for others to wait for it."""
        self.free_at = 0.0
        """When its session may say as much as ever without waiting for readers (`Fanout.throttle`)."""
        self.drained: list[threading.Event] = []
        """To be set when the queue is empty or given up."""
        self.finishing = False
        """Nothing comes after what is in the queue."""
        self.finished: threading.Event | None = None
        """Set when everything was sent, or cannot be any more."""
        self.dead = False
        """Nothing can be sent any more."""


class WireSession(Session):
    """A session whose peer is behind a socket."""

    __slots__ = ("_fanout", "_thread", "link", "performing")

    def __init__(self, chat: Chat, fanout: Fanout, link: Link, address: str) -> None:
        super().__init__(chat, address)
        self._fanout = fanout
        self.link = link
        self.performing = False
        """Whether its thread does what it has asked for, and may not read anything else for a while."""
        self.secure = link.tls is not None
        self._thread = threading.get_ident()

    @property
    def on_its_thread(self) -> bool:
        return threading.get_ident() == self._thread

    def expel(self, reason: str) -> None:
        self._fanout.expel(self.link, reason)

    def drained(self, timeout: float) -> bool:
        return self._fanout.wait_drained(self.link, timeout)

    def answers(self, timeout: float) -> bool:
        if not self.link.pings:
            return True
        self.asked = asked = self.asked or threading.Event()
        self.chat.send(self, PingRequest())
        # Its thread may be kept waiting, so that it reads no answer.
        return (asked.wait(timeout) or self.performing) and not self.closed

    def over(self) -> None:
        if self.asked is not None:
            self.asked.set()


def link_of(session: Session | None) -> Link | None:
    """Return the link of a session, None if it is inside this process."""
    return session.link if isinstance(session, WireSession) else None
