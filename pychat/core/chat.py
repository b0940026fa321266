"""
The chat: sessions, nicknames, rooms and handlers, without a socket.

Verbs come in by `perform`, on the thread of the session that sent them; `actions.py` says what each one does.
Whatever they cause takes its place in one order (`order.py`) and is handed to `delivery`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from pychat.core.accounts import Accounts
from pychat.core.actions import ACTIONS
from pychat.core.alarms import Alarms
from pychat.core.attempts import Attempts
from pychat.core.audit import Audit
from pychat.core.authority import authorize
from pychat.core.census import Census, Past
from pychat.core.clock import SYSTEM_CLOCK, Clock
from pychat.core.delivery import Delivery
from pychat.core.errors import InternalFailure, LimitExceeded, LocalProtocolError, NoSuchNickname, NotAMember, Refused
from pychat.core.events import Event, Message
from pychat.core.handler import Chains, Handler, run_before, run_on
from pychat.core.kept_accounts import KeptAccounts
from pychat.core.lasting import Lasting
from pychat.core.limits import Limits
from pychat.core.log import Log, MemoryLog
from pychat.core.membership import Membership
from pychat.core.names import check_room, fold
from pychat.core.nicknames import Nicknames
from pychat.core.operators import Operators
from pychat.core.order import Order
from pychat.core.passwords import Password
from pychat.core.queries import Ref
from pychat.core.replies import Bye, Counts, Failure, Reply
from pychat.core.room import Room
from pychat.core.server_bans import ServerBans
from pychat.core.session import LocalSession, Session, Told
from pychat.core.talking import failure_of
from pychat.core.text import clean, clean_line, lines_of
from pychat.core.userhost import Cloaks
from pychat.core.verbs import SayAll, Verb
from pychat.core.watching import Watches


class Chat:
    """The state of one chat server. Its methods may be called from any thread, and from hooks."""

    def __init__(
        self,
        handlers: Iterable[Handler] = (),
        *,
        limits: Limits | None = None,
        log: Log | None = None,
        delivery: Delivery | None = None,
        name: str = "pychat",
        default_room: str = "lobby",
        motd: Iterable[str] = (),
        operators: Mapping[str, str] | None = None,
        password: str | None = None,
        accounts: Accounts | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """
        Args:
            handlers: What is allowed, said and shown. Without `Broadcast`, nobody hears anybody.
            limits: Bounds of everything a peer can send.
            log: Where the record of the rooms is kept. Default: in memory, the last events of each room.
            delivery: Who brings events to sessions. Default: only to those of this process.
            name: What the server calls itself.
            default_room: Where a session goes that names no room.
            motd: The message of the day, line by line; everybody who comes in is told.
            operators: Who may become a server operator: passwords by name.
            password: What everybody must give who comes in from outside of this process. Default: nothing.
            accounts: Who has one. Default: `KeptAccounts`, which last as long as the log does.
            clock: What time it is. Tests give it a clock of their own.

        Raises:
            TypeError: A handler is none, has a misspelt hook, or one with other parameters.
            ValueError: The password is empty.
        """
        self.limits = limits or Limits()
        self.name = name
        self.clock = clock
        self.chains = Chains(handlers)
        self.log = log or MemoryLog(self.limits.history_events, self.limits.history_chars)
        self.delivery = delivery or Delivery()
        self.order = Order(self.log, self.delivery, clock)
        self.started = clock.time()
        self.motd = lines_of(motd)
        self.operators = Operators(operators or {})
        self.password = None if password is None else Password(password)
        self.cloaks = Cloaks(name, self.log.secret)
        self.accounts = accounts or KeptAccounts()
        self.alarms = Alarms(clock)
        # Guarded by the order lock, as is the table of rooms.
        self.nicknames = Nicknames(clock, self.log.drop_session)
        self.logins = Attempts(self.limits.login_attempts_per_minute, 60.0, clock)
        self.registrations = Attempts(self.limits.registrations_per_10_minutes, 600.0, clock)
        self.census = Census()
        self.past = Past(clock)
        self.watches = Watches(self.order, self.nicknames)
        self._rooms: dict[str, Room] = {}
        self.bans = ServerBans(self.log, clock)
        self.audit = Audit(self)
        self.membership = Membership(self)
        self.lasting = Lasting(self)
        self.lasting.restore()
        self.accounts.begin(self.log, self.order.lock, clock.time)
        self.default_room = self.room(default_room)

    @property
    def stopping(self) -> threading.Event:
        """Set when the chat ends: nobody is let in and nothing is published any more."""
        return self.order.stopping

    # Handlers

    @property
    def handlers(self) -> tuple[Handler, ...]:
        """The handlers in order."""
        return self.chains.handlers

    def add_handler(self, handler: Handler, *, before: Handler | None = None) -> None:
        """Add a handler at the end, or before another one; it takes part from the next verb on."""
        with self.order.lock:
            handlers = list(self.chains.handlers)
            handlers.insert(len(handlers) if before is None else handlers.index(before), handler)
            self.chains = Chains(handlers)

    def remove_handler(self, handler: Handler) -> None:
        """Remove a handler; a hook of it that runs at this moment finishes."""
        with self.order.lock:
            self.chains = Chains(other for other in self.chains.handlers if other is not handler)

    # Rooms and people

    def room(self, name: str) -> Room:
        """Return the room of this name; make it if there is none. It stays when nobody is in it."""
        checked = check_room(name, self.limits)
        with self.order.lock:
            room = self._rooms.get(fold(checked)) or self.add_room_locked(Room(self, checked))
            room.pinned = True
            return room

    def find_room(self, name: str) -> Room | None:
        """Return the room of this name, or None."""
        return self._rooms.get(name) or self._rooms.get(fold(name))

    def rooms(self) -> list[Room]:
        """Return all rooms, sorted by name."""
        with self.order.lock:
            return sorted(self._rooms.values(), key=lambda room: room.key)

    def remove_room(self, name: str, reason: str = "the room was closed") -> None:
        """
        Let everybody leave the room; forget it and its history. Hooks run on the calling thread.

        Raises:
            LocalProtocolError: It is the default room, which everybody comes into.
        """
        room = self.find_room(name)
        if room is None:
            return
        if room is self.default_room:
            raise LocalProtocolError(f"room {room.name!r} is the default room and stays")
        for member in room.members:
            self.membership.leave(member, room, reason)
        with self.order.lock:
            self._forget_room_locked(room)

    def restore_room_locked(self, room: Room) -> None:
        """Put a room into the table that was there before the server ended."""
        self._rooms[room.key] = room

    def add_room_locked(self, room: Room) -> Room:
        """Put a new room into the table; if there are too many, the oldest empty one goes, of an account last."""
        if len(self._rooms) >= self.limits.max_rooms:
            empties = [other for other in self._rooms.values() if not other.occupants and not other.pinned]
            empty = next(iter(sorted(empties, key=lambda other: other.rules.owned)), None)
            if empty is None:
                raise LimitExceeded("rooms on this server", self.limits.max_rooms, "rooms", room=room.name)
            self._forget_room_locked(empty)
        self._rooms[room.key] = room
        return room

    def _forget_room_locked(self, room: Room) -> None:
        if self._rooms.get(room.key) is room and not room.occupants:
            del self._rooms[room.key]
            self.log.forget(room.key)

    def find(self, nickname: str) -> Session | None:
        """Return who has this nickname now, or None."""
        with self.order.lock:
            return self.nicknames.find(nickname)

    def sessions(self) -> list[Session]:
        """Return everybody who has a nickname."""
        with self.order.lock:
            return self.nicknames.sessions()

    def counts(self, ref: Ref = None) -> Counts:
        """Return how many people and rooms there are."""
        with self.order.lock:
            census = self.census
            invisible, operators = len(census.having["i"]), len(census.having["o"])
            rooms = sum([bool(room.occupants) or room.pinned for room in self._rooms.values()])
            return Counts(ref, census.people, invisible, operators, len(census.strangers), rooms, census.most)

    def session(self, nickname: str, rooms: Iterable[str] = (), *, bot: bool = False) -> LocalSession:
        """
        Let somebody in who lives inside this process: a bot, a test, a game.

        Args:
            rooms: Which to join; none: the default room.
            bot: Whether it shall be marked as a bot.

        Raises:
            Refused: The nickname is not allowed or in use, it may not join a room, or a handler said no.
        """
        session = LocalSession(self)
        self.admit(session, nickname, rooms, bot=bot)
        return session

    def admit(
        self, session: LocalSession, nickname: str, rooms: Iterable[str] = (), *, bot: bool = False, told: Told = None
    ) -> None:
        """
        Let a session in that was made elsewhere, of a class of its own, say. See `session` and `LocalSession.hello`.

        Raises:
            Refused: The nickname is not allowed or in use, it may not join a room, or a handler said no.
        """
        self.open(session)
        try:
            session.hello(nickname, rooms, bot=bot, told=told)
        except BaseException:
            self.close(session, "not admitted")
            raise

    # The life of a session

    def open(self, session: Session) -> None:
        """
        A participant has arrived.

        Raises:
            Refused: The chat is ending, or a handler said no.
        """
        if self.stopping.is_set():
            raise Refused("the server is shutting down", code="shutting_down")
        run_before(self.chains.before_connect, session)
        with self.order.lock:
            self.census.arrive(session)
        self.run_on(self.chains.on_connect, session)

    def perform(self, session: Session, verbs: Iterable[Verb]) -> None:
        """
        Perform verbs of one session, in order, on the calling thread. What comes of them is sent to it as replies.

        Two threads that perform verbs of the same session let its handlers run at the same time.
        """
        turn = self.order.turn
        outer, turn.session = turn.session, session
        outer_ref, turn.ref = turn.ref, None
        stopping = self.stopping.is_set()
        try:
            for verb in verbs:
                if session.closed:
                    break
                try:
                    if stopping:
                        raise Refused("the server is shutting down", code="shutting_down")
                    authorize(session, verb)
                    if self.chains.before_verb and type(verb) is not SayAll:  # which becomes as many Say
                        if self.chains.verb_waits:
                            self.order.flush()
                        run_before(self.chains.before_verb, session, verb)
                        if session.closed:
                            break
                    ACTIONS[type(verb)](self, session, verb)
                except Refused as error:
                    turn.ref = None
                    self.send(session, failure_of(session, verb, error))
        finally:
            turn.session, turn.ref = outer, outer_ref
            self.order.flush()

    def close(self, session: Session, reason: str, *, lost: bool = False, farewell: bool = False) -> None:
        """
        A participant is gone: it leaves its rooms, and its nickname is free as soon as the others hear of it.

        Args:
            lost: Nobody asked for it, so the nickname of a resumable session is kept a while for its token.
            farewell: It is told the reason, when all that is done.
        """
        self.order.flush()
        kept = self.limits.resume_seconds if lost and _comes_back(session) else 0.0
        if not self.membership.remove_everywhere(session, kept):
            return
        turn = self.order.turn
        outer, turn.session = turn.session, session
        try:
            for room in session.rooms.values():
                self.run_on(self.chains.on_leave, session, room, reason)
            self.run_on(self.chains.on_disconnect, session, reason)
        finally:
            turn.session = outer
        with self.order.lock:
            keep = lost and _comes_back(session) and not self.stopping.is_set()
            self.nicknames.release(session, self.limits.resume_seconds if keep else 0.0)
            self.lasting.release_locked(session, keep)
            self.census.leave(session)
            if session.nickname is not None:
                self.past.add(session, session.nickname)
            self.order.flush_locked()
            self.watches.gone_locked(session)
            if session.ended is not None:
                session.ended.set()
            if farewell:
                self.order.send_locked(session, Bye(reason, session.unwanted))
        self.order.wake()
        session.over()

    def run_on(self, hooks: Sequence[Callable[..., object]], session: Session, *args: object) -> None:
        """Run `on_*` hooks of something that holds whatever they do; if one fails, the session hears of it."""
        try:
            run_on(hooks, session, *args)
        except InternalFailure as failure:
            self.send(session, Failure.of(failure))

    # Speaking

    def publish(self, message: Message, *, to: Iterable[Session] | None = None) -> None:
        """
        Publish a message where it belongs: in its room, or to the one person it is for.

        Args:
            to: Only these sessions may see it, of those in the room.

        Raises:
            Refused: The room is no more, or nobody has the nickname any more.
        """
        if message.room is not None:
            room = self.find_room(message.room)
            if room is None:
                raise NotAMember(message.room)
            if to is None and message.role:
                to = room.holders(message.role).union(filter(None, [self.order.turn.session]))
            self.order.publish(message, room.alone, only=None if to is None else frozenset(to))
        elif message.to is not None:
            recipient = self.find(message.to)
            if recipient is None:
                raise NoSuchNickname(message.to)
            self.order.publish(message, (), only=frozenset({recipient}))

    def send(self, session: Session, *items: Event | Reply) -> None:
        """Tell one session something, behind everything that this thread caused before."""
        self.order.send(session, *items)

    def throttle(self, session: Session, size: int) -> None:
        """A session has caused about `size` bytes: wait while too many are on their way. Without a lock."""
        self.log.throttle()
        self.delivery.throttle(session, size)

    def checked_text(self, text: str) -> str:
        """
        Return text as it may enter a room: clean, not empty, within the limits.

        Raises:
            Refused: It is empty or too long.
        """
        text = clean(text)
        limits = self.limits
        if len(text) * 4 > limits.text_bytes and len(text.encode()) > limits.text_bytes:
            raise LimitExceeded("message", limits.text_bytes, "bytes")
        if "\n" in text and text.count("\n") >= limits.text_lines:
            raise LimitExceeded("message", limits.text_lines, "lines")
        if not text or text.isspace():
            raise Refused("the message is empty", code="empty")
        return text

    def checked_short_text(self, what: str, text: str) -> str:
        """
        Return a topic, an away text or a reason as others may see it: clean, on one line, possibly empty.

        Raises:
            LimitExceeded: It is too long.
        """
        text = clean_line(text).strip()
        if len(text) > self.limits.short_text_chars:
            raise LimitExceeded(what, self.limits.short_text_chars, "characters")
        return text


def _comes_back(session: Session) -> bool:
    return session.resumable and not session.unwanted
