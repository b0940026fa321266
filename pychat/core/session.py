"""
A session: one participant. Verbs go in, events come out; bytes and sockets are somebody else's matter.

`Session` is what handlers see of everybody. One inside this process is in `local_session.py`.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

from pychat.model.arguments import given
from pychat.model.errors import LocalProtocolError, Refused
from pychat.model.events import Event, Notice
from pychat.model.hostmask import Hostmask, hostmask_of
from pychat.model.names import fold
from pychat.model.queries import Ref
from pychat.model.replies import MemberInfo, Reply
from pychat.model.text import shorten

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.rooms.behind import Behind
    from pychat.core.rooms.room import Room
    from pychat.model.masks import MaskList

Told: TypeAlias = Callable[[Refused], object] | None
"""Who is told why something is refused, instead of an error that is raised; or nobody."""


class Exchange(Protocol):
    """What is known of a login between its messages."""

    ref: Ref
    """Of the message that has begun it."""


_identities = count(secrets.randbits(62))
"""Never the same again, also when the server is started anew by another clock: what is kept for some only, is kept with
these."""


class Session:
    """
    The chat's record of one participant. Read it from any thread; only the chat changes it.

    Hooks of a handler may keep what they need in `memo`, under a key of their own (the handler itself, say): it is
    touched only by the session's own thread, needs no lock, and is gone with the session.
    """

    is_local: ClassVar[bool] = False
    """Whether events are delivered by `deliver`, inside this process."""

    __slots__ = (
        "__weakref__",
        "account",
        "address",
        "asked",
        "away",
        "began",
        "behind",
        "borrows_until",
        "caused",
        "chat",
        "closed",
        "coming",
        "correspondent",
        "current",
        "earlier",
        "echoes",
        "ended",
        "heard",
        "held_back",
        "hostmask",
        "identity",
        "ignored",
        "info",
        "lacks_password",
        "language",
        "memo",
        "messages",
        "modes",
        "most_replayed",
        "named",
        "named_at",
        "nickname",
        "owes",
        "pending",
        "put_out",
        "quits",
        "realname",
        "replays",
        "resumable",
        "rooms",
        "sasl",
        "secure",
        "since",
        "spoke",
        "token",
        "uncounted",
        "unwanted",
        "userhost",
        "visits",
        "welcomed",
    )

    def __init__(self, chat: Chat, address: str = "") -> None:
        self.chat = chat
        self.address = address
        """The peer's IP address; "unix" by a Unix socket, empty inside this process. Never shown to other members."""
        self.account: str | None = None
        """The account that it is logged in to, as that is written; None: it is a guest."""
        self.borrows_until: float | None = None
        """Until when it may have nicknames of other accounts (`Clock.monotonic`); None: it never had one."""
        self.sasl: Exchange | None = None
        """What `core/accounts/sasl.py` knows while it logs in by several messages."""
        self.secure = False
        """Whether nobody on the way can read or change what is said: its connection is one of TLS."""
        self.identity = next(_identities)
        """Unlike the nickname it never changes, and a resumed session has the one it had before."""
        self.nickname: str | None = None
        """None until one was accepted."""
        self.rooms: dict[str, Room] = {}
        """The rooms it is in, by key, in order of joining."""
        self.behind: Behind | None = None
        """The rooms that it does not hear yet; None: it hears all of its rooms."""
        self.current: Room | None = None
        """The room that is meant where none is named."""
        self.away: str | None = None
        self.info = MemberInfo("")
        """Nickname, away text, user@host and account, as lists of members show them."""
        self.hostmask = Hostmask()
        """What masks are matched against (`update_info`)."""
        self.ignored: MaskList | None = None
        """Whom it does not want to hear; None: it hears everybody."""
        self.correspondent: tuple[str, int] | None = None
        """The nickname and the identity of the one who wrote to it last."""
        self.named_at = 0
        """The newest id when it took its nickname."""
        self.named = 0.0
        """When it took its nickname (`Clock.monotonic`); not when it came back for it."""
        self.closed = False
        self.echoes = False
        """Whether it hears its own direct messages, because its language wants an echo."""
        self.userhost = ""
        """The "user@host" that IRC shows of it (`model/cloaks.py`); empty before it has a nickname."""
        self.realname = ""
        """What IRC shows as its real name, which anything may be."""
        self.modes = ""
        """Letters that it has of `modes.USER_MODES`; "o" makes it a server operator."""
        self.since = chat.clock.time()
        """When it came; POSIX seconds."""
        self.began = chat.clock.monotonic()
        """The same by `Clock.monotonic`, wherever the clock is set meanwhile."""
        self.quits = False
        """Whether it goes by itself: then the reason for its end is what it said."""
        self.replays = False
        """Whether the last messages of a room are wanted on join."""
        self.most_replayed: int | None = None
        """No more of them than this."""
        self.visits = False
        """Whether it comes and goes without a word to others (`verbs.Hello.visit`)."""
        self.resumable = False
        """Whether its nickname is kept a while for its `token` when the connection is lost."""
        self.lacks_password = False
        """Whether its last try to come in failed for want of the server's password."""
        self.language = ""
        """What it speaks; empty inside this process."""
        self.messages = 0
        """How many it has said, to rooms and people."""
        self.token: str | None = None
        self.earlier: str | None = None
        """The digest of the token by which it came back, which is good until its client has the new one."""
        self.coming: tuple[str, ...] = ()
        """The rooms that it is about to come into, by its hello."""
        self.welcomed = 0.0
        """When it was told its token (`Clock.monotonic`)."""
        self.put_out: str | None = None
        """Why it was put out (`kick`), though it may not have ended yet; None: it was not."""
        self.unwanted = False
        """Whether it was put out for good: then nothing is kept for its `token`, and its client shall not come back."""
        self.heard = chat.clock.monotonic()
        """When its last input arrived, by `Clock.monotonic`."""
        self.held_back: float | None = None
        """Since when what it has sent waits, for one of its hooks waits (`Clock.monotonic`); None: it does not."""
        self.spoke = self.heard
        """When it last said something."""
        self.caused = 0
        """About how many bytes its verbs have caused since that was asked last: answers, and what others hear."""
        self.pending = 0
        """How many of those are still on their way. The delivery's, which guards it."""
        self.memo: dict[object, Any] = {}
        self.uncounted = 0
        """How many bytes its peer has sent, of whatever kind, since flood control counted them last."""
        self.owes = 0.0
        """
        What its verbs cost beyond their ordinary price (1.0: as much as a message), since flood control collected it
        last (`core/price.py`). Touched only by the session's own thread.
        """
        self.asked: threading.Event | None = None
        """Made by one who waits for the next sign of life of this session (`answers`)."""
        self.ended: threading.Event | None = None
        """Made by one who waits for the end of this session, to take its place."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.identity} {self.nickname!r}>"

    @property
    def knows_token(self) -> bool:
        """Whether its client has its token: it has said something since it was told. The welcome may have been lost."""
        return self.heard > self.welcomed

    @property
    def is_here(self) -> bool:
        """Whether what it asks for is accepted: it has not ended, and was not put out."""
        return not self.closed and self.put_out is None

    @property
    def origin(self) -> tuple[str, str | None, bool]:
        """What events tell of the one who did it: `userhost`, `account`, `bot`."""
        return self.userhost, self.account, "B" in self.modes

    @property
    def room_names(self) -> tuple[str, ...]:
        """The names of its rooms, in order of joining."""
        return tuple([room.name for room in tuple(self.rooms.values())])  # others may kick it out meanwhile

    @property
    def username(self) -> str:
        """The part of its user@host before the "@"."""
        return self.userhost.partition("@")[0]

    @property
    def host(self) -> str:
        """The part of its user@host behind the "@"."""
        return self.userhost.partition("@")[2]

    def is_of(self, account: str | None) -> bool:
        """Whether it is logged in to the account, however that is written; to None nobody is."""
        return account is not None and self.account is not None and fold(self.account) == fold(account)

    def update_info(self) -> None:
        """The nickname, away text, user@host, real name or account has changed. Under the chat's order lock."""
        away = None if self.away is None else shorten(self.away)
        self.info = MemberInfo(self.nickname or "", away, self.userhost, "", self.account, self.visits)
        before = self.hostmask
        self.hostmask = hostmask_of(self.nickname or "", self.userhost, self.account, self.realname)
        if self.nickname is not None and not self.closed:
            self.chat.census.directory.update(self, before, self.hostmask)

    def notice(self, text: str) -> None:
        """Say something to this session alone, in the server's name."""
        self.chat.send(
            self, Notice(0, self.chat.clock.time(), None, self.chat.checked_text(given("text", text, str, "a string")))
        )

    def pause(self, seconds: float) -> None:
        """
        Let the session wait, in one of its hooks; what it said before is sent out first.

        Ends early when the session is put out or the server stops.
        """
        if self.held_back is None:
            self.held_back = self.chat.clock.monotonic()
        self.chat.order.flush()
        self.chat.pauses.wait(self, seconds)

    def drained(self, timeout: float) -> bool:
        """Wait until what was sent to this session is on its way; False if it takes nothing for too long."""
        return True

    def answers(self, timeout: float) -> bool:
        """Ask whether somebody is still there, and wait for that; True also of those who cannot be asked."""
        return True

    @property
    def on_its_thread(self) -> bool:
        """Whether the hooks of the session run on this thread."""
        return True

    def end(self, reason: str) -> None:
        """
        End the session, in one of its own hooks: it is told why, and so are the others.

        Raises:
            LocalProtocolError: This is a hook of another session, or another thread: that is what `kick` is for.
        """
        if self.chat.order.turn.session not in (None, self) or not self.on_its_thread:
            raise LocalProtocolError(f"end() is for hooks of {self.nickname!r} itself; use kick() from elsewhere")
        self.chat.close(self, reason, farewell=True)

    def kick(self, reason: str) -> None:
        """
        End the session, from any thread, without waiting for it; it is told why, and so are the others.

        Nothing that it asks for is accepted after this has returned, also what waits in a hook; its `pause` ends. If it
        was put out before, the first reason stays.
        """
        self.chat.put_out(self, reason)
        self.expel(reason)

    def expel(self, reason: str) -> None:
        """Let the session, which was put out, be closed by the thread that may do that. Without waiting for it."""
        raise NotImplementedError

    def over(self) -> None:
        """The chat has closed the session."""

    def deliver(self, items: Sequence[Event | Reply]) -> None:
        """Take items, in order, under the chat's order lock. Sessions behind a socket are served elsewhere."""
