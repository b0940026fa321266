"""
A session: one participant. Verbs go in, events come out; bytes and sockets are somebody else's matter.

`Session` is what handlers see of everybody. `LocalSession` is one inside this process: a bot, a test, a game.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias, TypeVar

from pychat.core.errors import AckTimeout, LocalProtocolError, Refused
from pychat.core.events import Event, Notice
from pychat.core.participant import Participant
from pychat.core.queries import Ref
from pychat.core.replies import Failure, MemberInfo, Reply
from pychat.core.text import shorten
from pychat.core.verbs import Hello, Verb

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.masks import MaskList
    from pychat.core.room import Room

E = TypeVar("E")
Told: TypeAlias = Callable[[Refused], object] | None
"""Who is told why something is refused, instead of an error that is raised; or nobody."""


class Exchange(Protocol):
    """What is known of a login between its messages."""

    ref: Ref
    """Of the message that has begun it."""


_identities = count(time.time_ns() // 1_000_000 << 20)
"""Never the same again, also when the server is started anew: what is kept for some only, is kept with these."""


def names_of(rooms: Iterable[str]) -> tuple[str, ...]:
    """Return the names; a string is not taken for a list of rooms with names of one letter."""
    if isinstance(rooms, str):
        raise TypeError(f"rooms must be a list of names: [{rooms!r}], not {rooms!r}")
    return tuple(rooms)


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
        "away",
        "borrows_until",
        "chat",
        "closed",
        "correspondent",
        "current",
        "echoes",
        "ended",
        "heard",
        "identity",
        "ignored",
        "info",
        "lacks_password",
        "memo",
        "modes",
        "nickname",
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
        "unwanted",
        "userhost",
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
        """What `core/sasl.py` knows while it logs in by several messages."""
        self.secure = False
        """Whether nobody on the way can read or change what is said: its connection is one of TLS."""
        self.identity = next(_identities)
        """Unlike the nickname it never changes, and a resumed session has the one it had before."""
        self.nickname: str | None = None
        """None until one was accepted."""
        self.rooms: dict[str, Room] = {}
        """The rooms it is in, by key, in order of joining."""
        self.current: Room | None = None
        """The room that is meant where none is named."""
        self.away: str | None = None
        self.info = MemberInfo("")
        """Nickname, away text, user@host and account, as lists of members show them."""
        self.ignored: MaskList | None = None
        """Whom it does not want to hear; None: it hears everybody."""
        self.correspondent: str | None = None
        """Who wrote to it last."""
        self.closed = False
        self.echoes = False
        """Whether it hears its own direct messages, because its language wants an echo."""
        self.userhost = ""
        """The "user@host" that IRC shows of it (`core/userhost.py`); empty before it has a nickname."""
        self.realname = ""
        """What IRC shows as its real name, which anything may be."""
        self.modes = ""
        """Letters that it has of `profiles.USER_MODES`; "o" makes it a server operator."""
        self.since = chat.clock.time()
        """When it came; POSIX seconds."""
        self.quits = False
        """Whether it goes by itself: then the reason for its end is what it said."""
        self.replays = False
        """Whether the last messages of a room are wanted on join."""
        self.resumable = False
        """Whether its nickname is kept a while for its `token` when the connection is lost."""
        self.lacks_password = False
        """Whether its last try to come in failed for want of the server's password."""
        self.token: str | None = None
        self.unwanted = False
        """Whether it was put out: then nothing is kept for its `token`, and its client shall not come back."""
        self.heard = chat.clock.monotonic()
        """When its last input arrived, by `Clock.monotonic`."""
        self.spoke = self.heard
        """When it last said something."""
        self.memo: dict[object, Any] = {}
        self.ended: threading.Event | None = None
        """Made by one who waits for the end of this session, to take its place."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.identity} {self.nickname!r}>"

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

    def update_info(self) -> None:
        """The nickname, the away text, the user@host or the account has changed. Under the chat's order lock."""
        away = None if self.away is None else shorten(self.away)
        self.info = MemberInfo(self.nickname or "", away, self.userhost, account=self.account)

    def notice(self, text: str) -> None:
        """Say something to this session alone, in the server's name."""
        self.chat.send(self, Notice(0, self.chat.clock.time(), None, self.chat.checked_text(text)))

    def pause(self, seconds: float) -> None:
        """Let the session wait, in one of its hooks; what it said before is sent out first. Ends early on stop."""
        self.chat.order.flush()
        self.chat.clock.wait(self.chat.stopping, seconds)

    def drained(self, timeout: float) -> bool:
        """Wait until what was sent to this session is on its way; False if it takes nothing for too long."""
        return True

    def end(self, reason: str) -> None:
        """End the session, in one of its own hooks: it is told why, and so are the others."""
        self.chat.close(self, reason, farewell=True)

    def kick(self, reason: str) -> None:
        """End the session, from any thread, without waiting for it; it is told why, and so are the others."""
        raise NotImplementedError

    def over(self) -> None:
        """The chat has closed the session."""

    def deliver(self, items: Sequence[Event | Reply]) -> None:
        """Take items, in order, under the chat's order lock. Sessions behind a socket are served elsewhere."""


class LocalSession(Participant, Session):
    """
    A participant inside this process, made by `Chat.session(nickname)`. Its verbs may be called from any thread.

    A verb returns when it is accepted and raises `Refused` when it is not. Events wait in a bounded inbox until they
    are taken; a session that does not take them is disconnected, like a slow member behind a socket.
    """

    is_local = True
    __slots__ = ("_answers", "_arrived", "_crowded", "_inbox", "_interrupted", "_refs", "_waiting")

    INBOX_EVENTS: ClassVar = 10_000
    """Events that may wait to be taken."""
    ANSWER_SECONDS: ClassVar = 10.0
    """How long a verb waits to be accepted; with a log in memory it never waits."""

    def __init__(self, chat: Chat) -> None:
        super().__init__(chat)
        # Guards the inbox and the answers. Below the chat's order lock (`deliver` runs under that); nothing is called
        # under it.
        self._arrived = threading.Condition()
        self._inbox: deque[Event] = deque()
        self._crowded = False
        self._interrupted = False
        self._answers: dict[Ref, Reply] = {}
        self._waiting: set[Ref] = set()
        self._refs = count(1)

    def ask(self, verb: Verb) -> Reply:
        """
        Perform any verb and return its answer.

        Raises:
            Refused: With the reason and its code.
            LocalProtocolError: The session is closed.
            AckTimeout: The log has not accepted it in time; it may do so yet.
        """
        ref = next(self._refs)
        with self._arrived:
            self._waiting.add(ref)
        try:
            self.heard = self.chat.clock.monotonic()
            self.chat.perform(self, [verb._replace(ref=ref)])
            with self._arrived:
                self._arrived.wait_for(lambda: ref in self._answers or self.closed, self.ANSWER_SECONDS)
                answer = self._answers.pop(ref, None)
                if answer is None and self.closed:
                    raise LocalProtocolError("the session is closed")
                if answer is None:
                    raise AckTimeout(f"no answer to {type(verb).__name__} within {self.ANSWER_SECONDS} s")
        finally:
            with self._arrived:
                self._waiting.discard(ref)
        self.chat.throttle(self, len(getattr(verb, "text", None) or ""))
        if isinstance(answer, Failure):
            raise answer.error()
        return answer

    def close(self, reason: str = "") -> None:
        """
        Leave for good, which no handler can refuse; what is in the inbox can still be taken.

        Raises:
            LimitExceeded: The reason is too long.
        """
        self.chat.close(self, self.chat.checked_short_text("reason", reason) or "quit")

    def hello(self, nickname: str, rooms: Iterable[str] = (), *, bot: bool = False, told: Told = None) -> None:
        """
        Claim a nickname and join rooms (none: the default room). `Chat.session` has done it.

        Args:
            told: Called with what is against it, for each room that may not be joined. Default: it is raised.
        """
        wanted = names_of(rooms)
        self.ask(Hello(nickname, wanted or None, bot=bot))
        for name in wanted or (self.chat.default_room.name,):
            if not self.closed and self.chat.find_room(name) not in self.rooms.values():
                try:
                    self.join(name)  # again: the answer to a hello does not tell why not
                except Refused as error:
                    if told is None:
                        raise
                    told(error)

    def next(self, kind: type[E], timeout: float | None = None) -> E:
        """
        Take events from the inbox until one of this type comes, and return it.

        Raises:
            TimeoutError: It did not come within `timeout` seconds (default: wait for ever).
            LocalProtocolError: The session is closed and its inbox empty.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            remaining = None if deadline is None else max(0.0, deadline - time.monotonic())
            event = self.take(remaining)
            if event is None:
                raise TimeoutError(f"no {kind.__name__} within {timeout} s")
            if isinstance(event, kind):
                return event

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Yield events as they come, until none came for `timeout` seconds or the session is closed."""
        while True:
            try:
                event = self.take(timeout)
            except LocalProtocolError:
                return
            if event is None:
                return
            yield event

    def take(self, timeout: float | None = None) -> Event | None:
        """
        Wait for the next event and return it; None if it did not come in time, or somebody called `interrupt`.

        Raises:
            LocalProtocolError: The session is closed and its inbox empty.
        """
        with self._arrived:
            self._arrived.wait_for(lambda: self._inbox or self.closed or self._interrupted, timeout)
            self._interrupted = False
            if self._inbox:
                return self._inbox.popleft()
            if self.closed:
                raise LocalProtocolError("the session is closed")
            return None

    def interrupt(self) -> None:
        """Let the thread that waits in `take` go on, or the next one that would wait there."""
        with self._arrived:
            self._interrupted = True
            self._arrived.notify_all()

    def deliver(self, items: Sequence[Event | Reply]) -> None:
        with self._arrived:
            for item in items:
                ref = getattr(item, "ref", None)
                if ref is not None:
                    if ref in self._waiting:
                        # Of several answers the first one counts: a change of modes that was refused.
                        self._answers.setdefault(ref, item)  # type: ignore[arg-type]  # only replies have a ref
                elif isinstance(item, Event):
                    self._inbox.append(item)
            self._arrived.notify_all()
            crowded = len(self._inbox) > self.INBOX_EVENTS and not self._crowded
            self._crowded |= crowded
        if crowded:
            self.kick(f"too slow: {self.INBOX_EVENTS} events were waiting")

    def over(self) -> None:
        with self._arrived:
            self._arrived.notify_all()

    def kick(self, reason: str) -> None:
        # Ending a session runs hooks, which may not run on the thread of whoever asked for it, nor under its locks.
        threading.Thread(target=self.chat.close, args=(self, reason), name="pychat-kick", daemon=True).start()
