"""
A session: one participant. Verbs go in, events come out; bytes and sockets are handled elsewhere.

`Session` is the base class that handlers see. Sessions inside this process are in `local_session.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias, cast

from pychat.core.people.rules import set_grace
from pychat.core.people.state import Person
from pychat.model.arguments import given
from pychat.model.errors import LocalProtocolError, Refused
from pychat.model.events import Event, Notice
from pychat.model.hostmask import Hostmask
from pychat.model.identities import IDENTITIES
from pychat.model.queries import Ref
from pychat.model.replies import MemberInfo, Reply
from pychat.model.text import checked_text
from pychat.renamed import old_names

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.rooms.behind import Behind
    from pychat.core.rooms.room import Room
    from pychat.model.masks import MaskList

Told: TypeAlias = Callable[[Refused], object] | None
"""A callback that receives refusals, which are raised as errors if it is None."""


class Exchange(Protocol):
    """The state of a login between its messages."""

    ref: Ref
    """The mark of the message that began the login."""


@old_names(
    borrows_until="grace_until",
    end="disconnect_self",
    expel="request_close",
    heard="last_input_time",
    kick="disconnect",
    over="on_closed",
    put_out="disconnect_reason",
    quits="quit_by_client",
    spoke="last_message_time",
    unwanted="must_not_return",
)
class Session:
    """
    The chat's record of one participant. Read it from any thread; only the chat changes it.

    A handler's hooks may keep their state in `memo`, under a key of their own (such as the handler itself). Only the
    session's own thread touches it, so it needs no lock, and it is discarded with the session.
    """

    is_local: ClassVar[bool] = False
    """True if the session is inside this process and receives events by `deliver`."""

    __slots__ = (
        "__weakref__",
        "address",
        "asked",
        "began",
        "behind",
        "caused",
        "chat",
        "closed",
        "coming",
        "correspondent",
        "current",
        "disconnect_reason",
        "echoes",
        "ended",
        "held_back",
        "identity",
        "lacks_password",
        "language",
        "last_input_time",
        "last_message_time",
        "memo",
        "messages",
        "most_replayed",
        "must_not_return",
        "owes",
        "pending",
        "person",
        "quit_by_client",
        "replays",
        "resumable",
        "rooms",
        "sasl",
        "secure",
        "since",
        "token",
        "uncounted",
        "welcomed",
    )

    def __init__(self, chat: Chat, address: str = "") -> None:
        self.chat = chat
        self.address = address
        """The peer's IP address; "unix" for a Unix socket, empty inside this process. Never shown to other members."""
        self.sasl: Exchange | None = None
        """The state of a login in several messages, which belongs to `core/accounts/sasl.py`."""
        self.secure = False
        """True if the connection uses TLS, so nobody on the way can read or change it."""
        self.identity = IDENTITIES.next()
        """The number that stays the same when the nickname changes, or a lost session is resumed."""
        self.person = Person(self.identity)
        """
        What others know of it: the properties below read it. As soon as the session has a nickname, this is part of the
        shared state, and only proposals change it.
        """
        self.rooms = cast("dict[str, Room]", self.person.rooms)
        """The rooms the session is in, by key, in order of joining: the same as `Person.rooms`."""
        self.behind: Behind | None = None
        """The rooms the session is not subscribed to yet; None if it is subscribed to all of its rooms."""
        self.current: Room | None = None
        """The room that a verb means if it names none."""
        self.correspondent: tuple[str, int] | None = None
        """The nickname and identity of the last person who sent the session a direct message."""
        self.closed = False
        self.echoes = False
        """True if the session gets a copy of its own direct messages, because its protocol expects an echo."""
        self.since = chat.clock.time()
        """When the session began, in POSIX seconds."""
        self.began = chat.clock.monotonic()
        """The same by `Clock.monotonic`, so it is right even if the clock is set later."""
        self.quit_by_client = False
        """True if the client sent QUIT; the disconnect reason is then the client's own text."""
        self.replays = False
        """True if the client wants the last messages of a room on join."""
        self.most_replayed: int | None = None
        """The maximum number of messages to replay."""
        self.resumable = False
        """True if the nickname is reserved for the session's `token` for a while after the connection is lost."""
        self.lacks_password = False
        """True if the last hello failed because the server's password was missing."""
        self.language = ""
        """The name of the session's protocol; empty inside this process."""
        self.messages = 0
        """The number of messages sent, to rooms and to people."""
        self.token: str | None = None
        self.coming: tuple[str, ...] = ()
        """The rooms the session is about to join, as its hello asks."""
        self.welcomed = 0.0
        """When the session was sent its token (`Clock.monotonic`)."""
        self.disconnect_reason: str | None = None
        """The reason of a `disconnect`, though the session may not have ended yet; None if it was not disconnected."""
        self.must_not_return = False
        """True if it was disconnected for good: nothing is kept for its `token`, and its client must not reconnect."""
        self.last_input_time = self.began
        """When the last input arrived (`Clock.monotonic`)."""
        self.held_back: float | None = None
        """
        Since when input has been waiting because a hook pauses the session (`Clock.monotonic`); None if none waits.
        """
        self.last_message_time = self.last_input_time
        """When the session last sent a message."""
        self.caused = 0
        """About how many bytes its verbs have caused since the last check: replies to it and events for others."""
        self.pending = 0
        """The number of those bytes that are still queued. Belongs to the delivery, which guards it."""
        self.memo: dict[object, Any] = {}
        self.uncounted = 0
        """The bytes of any kind that the peer has sent since flood control last counted them."""
        self.owes = 0.0
        """
        The extra price of the session's verbs since flood control last charged it (1.0 is one message;
        `core/price.py`). Touched only by the session's own thread.
        """
        self.asked: threading.Event | None = None
        """Created by a thread that waits for the next sign of life from this session (`answers`)."""
        self.ended: threading.Event | None = None
        """Created by a thread that waits for the end of this session in order to take its place."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.identity} {self.nickname!r}>"

    # What others know of it; see `people/state.py`

    @property
    def nickname(self) -> str | None:
        """The nickname; None until one is accepted."""
        return self.person.nickname

    @property
    def account(self) -> str | None:
        """The account the session is logged in to, in its canonical spelling; None for a guest."""
        return self.person.account

    @property
    def away(self) -> str | None:
        """The away text; None if the person is here."""
        return self.person.away

    @property
    def realname(self) -> str:
        """The real name that IRC shows; any text is allowed."""
        return self.person.realname

    @property
    def userhost(self) -> str:
        """The "user@host" that IRC shows; empty before the session has a nickname."""
        return self.person.userhost

    @property
    def modes(self) -> str:
        """Letters of `modes.USER_MODES` that are set; "o" for a server operator."""
        return self.person.modes

    @property
    def visits(self) -> bool:
        """True for a visitor, whose joins and leaves are not announced."""
        return self.person.visits

    @property
    def info(self) -> MemberInfo:
        """The nickname, away text, user@host and account, as member lists show them."""
        return self.person.info

    @property
    def hostmask(self) -> Hostmask:
        """The value that masks are matched against."""
        return self.person.hostmask

    @property
    def ignored(self) -> MaskList | None:
        """Masks of people whose messages are not delivered to the session; None if it ignores nobody."""
        return self.person.ignored

    @property
    def named(self) -> float:
        """When the session took its nickname (`Clock.monotonic`). Resuming does not change it."""
        return self.person.named

    @property
    def named_at(self) -> int:
        """The newest event id when the session took its nickname."""
        return self.person.named_at

    @property
    def grace_until(self) -> float | None:
        """The end of the grace period for nicknames of other accounts (`Clock.monotonic`); None if it never started."""
        return self.person.grace_until

    @grace_until.setter
    def grace_until(self, until: float) -> None:
        set_grace(self.person, until)

    @property
    def knows_token(self) -> bool:
        """True if the client has sent something since it got its token; until then the welcome may have been lost."""
        return self.last_input_time > self.welcomed

    @property
    def is_here(self) -> bool:
        """True if the session's verbs are accepted: it has not ended and was not disconnected."""
        return not self.closed and self.disconnect_reason is None

    @property
    def origin(self) -> tuple[str, str | None, bool]:
        """The fields of an event that describe its author: `userhost`, `account`, `bot`."""
        return self.person.origin

    @property
    def room_names(self) -> tuple[str, ...]:
        """The names of the session's rooms, in order of joining."""
        return tuple([room.name for room in tuple(self.rooms.values())])  # another thread may kick it out meanwhile

    @property
    def username(self) -> str:
        """The part of the user@host before the "@"."""
        return self.person.username

    @property
    def host(self) -> str:
        """The part of the user@host after the "@"."""
        return self.person.host

    def is_of(self, account: str | None) -> bool:
        """Return whether the session is logged in to the account, compared by folded name; False for None."""
        return self.person.is_of(account)

    def become(self, person: Person) -> None:
        """Have a person of the shared state from now on. Hold the chat's order lock."""
        self.person, self.identity = person, person.identity
        self.rooms = cast("dict[str, Room]", person.rooms)

    def notice(self, text: str) -> None:
        """Send this session a notice from the server."""
        text = checked_text(given("text", text, str, "a string"), self.chat.limits)
        self.chat.send(self, Notice(0, self.chat.clock.time(), None, text))

    def pause(self, seconds: float) -> None:
        """
        Pause the session in one of its hooks, after flushing the events it caused before.

        Returns early when the session is disconnected or the server stops.
        """
        if self.held_back is None:
            self.held_back = self.chat.clock.monotonic()
        self.chat.order.flush()
        self.chat.pauses.wait(self, seconds)

    def drained(self, timeout: float) -> bool:
        """Wait until the events sent to this session are on their way; return False if it takes none for too long."""
        return True

    def answers(self, timeout: float) -> bool:
        """Probe the client and wait for a sign of life. Return True also if the client cannot be probed."""
        return True

    @property
    def on_its_thread(self) -> bool:
        """True if the session's hooks run on this thread."""
        return True

    def disconnect_self(self, reason: str) -> None:
        """
        End the session from one of its own hooks; it and the others are told the reason.

        Raises:
            LocalProtocolError: If called in a hook of another session or on another thread; use `disconnect` there.
        """
        if self.chat.order.turn.session not in (None, self) or not self.on_its_thread:
            raise LocalProtocolError(
                f"disconnect_self() is for hooks of {self.nickname!r} itself; use disconnect() from elsewhere"
            )
        self.chat.close(self, reason, farewell=True)

    def disconnect(self, reason: str) -> None:
        """
        End the session from any thread, without waiting; it and the others are told the reason.

        After this returns, no verb of the session is accepted, not even one that waits in a hook, and its `pause` ends.
        If it was disconnected before, the first reason stays.
        """
        self.chat.begin_disconnect(self, reason)
        self.request_close(reason)

    def request_close(self, reason: str) -> None:
        """Ask the thread that may close the session to close it, without waiting. See `disconnect`."""
        raise NotImplementedError

    def on_closed(self) -> None:
        """Release resources after the chat has closed the session."""

    def deliver(self, items: Sequence[Event | Reply]) -> None:
        """Take items in order, under the chat's order lock. Sessions with a socket are served elsewhere."""
