"""
The chat: sessions, nicknames, rooms and handlers, without a socket.

Verbs come in by `perform`, on the thread of the session that sent them; `verb_table.py` defines what each one does. The
resulting events get their position in one order (`order.py`) and are handed to `delivery`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from pychat.core.accounts.base import Accounts, check_accounts
from pychat.core.accounts.logins import Logins
from pychat.core.accounts.operators import Operators
from pychat.core.accounts.server_password import Password
from pychat.core.accounts.stored import StoredAccounts
from pychat.core.delivery import Delivery
from pychat.core.disowned import check_owned
from pychat.core.handler import Handler
from pychat.core.hooks.chains import Chains, run_before, run_on
from pychat.core.local_session import LocalSession
from pychat.core.log.log import Log, MemoryLog, check_log
from pychat.core.moderation.audit import Audit
from pychat.core.moderation.server_bans import ServerBans, arrive
from pychat.core.order import Order
from pychat.core.outcome import Outcome
from pychat.core.pauses import Pauses
from pychat.core.people.changes import NicknameRelease
from pychat.core.people.journal import note_going
from pychat.core.people.monitor import Watches
from pychat.core.people.nicknames import Nicknames
from pychat.core.people.state import Parked
from pychat.core.people.user_counts import Census, Past
from pychat.core.performing import Work, perform_some
from pychat.core.persistence import Persistence
from pychat.core.publish import publish
from pychat.core.rooms.changes import PinnedRoom, RoomRemoval
from pychat.core.rooms.membership import Membership
from pychat.core.rooms.registry import RoomRegistry
from pychat.core.rooms.room import Room
from pychat.core.scheduler import Alarms
from pychat.core.sequencer import Sequencer
from pychat.core.session import Session, Told
from pychat.core.state import State
from pychat.model.arguments import given
from pychat.model.cloaks import Cloaks
from pychat.model.clock import SYSTEM_CLOCK, Clock, check_clock
from pychat.model.errors import LocalProtocolError, NoSuchRoom, Refused, refusal
from pychat.model.events import Event, Message
from pychat.model.limits import Limits, check_limits
from pychat.model.names import check_room
from pychat.model.queries import Ref
from pychat.model.replies import Bye, Counts, Failure, Reply
from pychat.model.text import lines_of
from pychat.model.verbs import Verb
from pychat.renamed import old_names
from pychat.version import DESCRIPTION


@old_names(put_out="begin_disconnect")
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
        description: str = DESCRIPTION,
        default_room: str = "lobby",
        motd: Iterable[str] = (),
        operators: Mapping[str, str] | None = None,
        password: str | None = None,
        accounts: Accounts | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """
        Args:
            handlers: The handlers in order. Without `Broadcast`, messages reach nobody.
            limits: Bounds of everything a peer can send.
            log: The storage of the rooms' events. Default: in memory, the last events of each room.
            delivery: Brings events to sessions. Default: only to sessions of this process.
            name: The name of the server.
            description: One line about the server, for IRC clients.
            default_room: The room that a session joins if it names none.
            motd: The lines of the message of the day, which everybody gets on connecting.
            operators: The passwords of server operators, by name.
            password: The password for connections from outside this process. Default: none.
            accounts: The registered accounts. Default: `StoredAccounts`, which are persisted with the log.
            clock: The source of time. Tests pass their own.

        Raises:
            TypeError: If a handler is not a `Handler`, or has an unknown hook or one with other parameters.
            ValueError: If the password is empty.
        """
        self.limits = check_limits(limits) or Limits()
        self.name = given("name", name, str, "a string")
        self.description = given("description", description, str, "a string")
        self.clock = check_clock(clock)
        self.chains = Chains(handlers)
        self.log = check_log(log) or MemoryLog(self.limits.history_events, self.limits.history_chars)
        self.delivery = delivery or Delivery()
        self.order = Order(self.log, self.delivery, clock)
        self.started, self.began = clock.time(), clock.monotonic()
        self.motd = lines_of("motd", motd)
        self.operators = Operators({} if operators is None else operators)
        self.password = None if password is None else Password(given("password", password, str, "a string"))
        self.cloaks = Cloaks(name, self.log.secret)
        self.accounts = StoredAccounts() if accounts is None else check_accounts(accounts)
        self.alarms = Alarms(clock)
        self.pauses = Pauses(clock)
        # Guarded by the order lock, as is the table of rooms.
        self.table = RoomRegistry(self)
        self.state = State(self.table)
        self.nicknames = Nicknames(self.state.people, clock)
        self.logins = Logins(self.state.logins, self.limits, clock)
        self.census = Census()
        self.past = Past(self.state.people)
        self.watches = Watches(self.state.people, self.order, self.nicknames)
        self.bans = ServerBans(self.state.server_bans, clock)
        self.sequencer = Sequencer(self)
        self.propose = self.sequencer.propose
        """Applies a proposal to the state; see `Sequencer.propose`."""
        self.audit = Audit(self)
        self.membership = Membership(self)
        self.persistence = Persistence(self)
        self.persistence.restore()
        self.accounts.begin(self.log, self.order.lock, clock.time)
        self.default_room = self.room(given("default_room", default_room, str, "a string"))

    @property
    def stopping(self) -> threading.Event:
        """Set when the chat ends: from then on nobody is admitted and nothing is published."""
        return self.order.stopping

    # Handlers

    @property
    def handlers(self) -> tuple[Handler, ...]:
        """The handlers, in order."""
        return self.chains.handlers

    def add_handler(self, handler: Handler, *, before: Handler | None = None) -> None:
        """Add a handler at the end or before another one, effective from the next verb; see `Chains.add`."""
        with self.order.lock:
            self.chains = self.chains.add(handler, before)

    def remove_handler(self, handler: Handler) -> None:
        """Remove a handler; a hook of it that is running finishes. See `Chains.remove`."""
        with self.order.lock:
            self.chains = self.chains.remove(handler)

    def let_wait(self, handler: Handler) -> None:
        """Treat a handler as one that may block (`Handler.waits`), because it did."""
        with self.order.lock:
            handler.waits = True
            if handler in self.chains.handlers:
                self.chains = Chains(self.chains.handlers)

    # Rooms and people

    def room(self, name: str) -> Room:
        """Return the room of this name, or create it. It stays when it is empty."""
        check_owned(self.order)
        checked = check_room(name, self.limits)
        while True:
            room = self.table.obtain(checked)
            with suppress(NoSuchRoom):  # another thread has removed it, so there will be another one, or is already
                self.propose(PinnedRoom(room.key, room.name, room.state.created))
                if self.table.has(room):
                    return room

    def find_room(self, name: str) -> Room | None:
        """
        Return the room of this name, or None. Do not hold the order lock: an empty room is read from the log.

        Raises:
            NotReadable: If the log cannot be read.
        """
        return self.table.find(name)

    def rooms(self) -> list[Room]:
        """Return the rooms that have members or expect members back, and pinned rooms, sorted by name."""
        with self.order.lock:
            return self.table.used()

    def remove_room(self, name: str, reason: str = "the room was closed") -> None:
        """
        Remove all members from the room and delete the room and its history. Hooks run on the calling thread.

        Raises:
            LocalProtocolError: If it is the default room, which everybody joins.
        """
        room = self.find_room(name)
        if room is None:
            return
        if room is self.default_room:
            raise LocalProtocolError(f"room {room.name!r} is the default room and stays")
        for member in room.members:
            self.membership.leave(member, room, reason)
        self.propose(RoomRemoval(room.key))

    def find(self, nickname: str) -> Session | None:
        """Return the session that has this nickname, or None."""
        with self.order.lock:
            return self.nicknames.find(nickname)

    def sessions(self) -> list[Session]:
        """Return all sessions that have a nickname."""
        with self.order.lock:
            return self.nicknames.sessions()

    def everybody(self) -> list[Session]:
        """Return all sessions, also those without a nickname."""
        with self.order.lock:
            return [*self.census.strangers, *self.nicknames.sessions()]

    def reservations(self) -> list[tuple[str, Parked]]:
        """Return the saved states of lost sessions, each with the digest of its token."""
        with self.order.lock:
            return list(self.state.people.parked.items())

    def counts(self, ref: Ref = None) -> Counts:
        """Return the numbers of people and rooms."""
        with self.order.lock:
            rooms = self.table.by_key.values()
            return self.census.counts(ref, sum([bool(room.state.members) or room.pinned for room in rooms]))

    def session(self, nickname: str, rooms: Iterable[str] = (), *, bot: bool = False) -> LocalSession:
        """
        Admit a session inside this process: a bot, a test or a game.

        Args:
            rooms: The rooms to join. Default: the default room.
            bot: True to mark the session as a bot.

        Raises:
            Refused: If the nickname is not allowed or in use, a room cannot be joined, or a handler refused.
        """
        session = LocalSession(self)
        self.admit(session, nickname, rooms, bot=bot)
        return session

    def admit(
        self, session: LocalSession, nickname: str, rooms: Iterable[str] = (), *, bot: bool = False, told: Told = None
    ) -> None:
        """
        Admit a session that the caller made, of a subclass for example. See `session` and `LocalSession.hello`.

        Raises:
            Refused: If the nickname is not allowed or in use, a room cannot be joined, or a handler refused.
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
        Register a participant that has connected.

        Raises:
            Refused: If the chat is ending, or a handler refused.
        """
        check_owned(self.order)
        if self.stopping.is_set():
            raise refusal("the server is shutting down", code="shutting_down")
        run_before(self.chains.before_connect, session)
        arrive(self, session)
        self.run_on(self.chains.on_connect, session)

    def perform(self, session: Session, verbs: Iterable[Verb]) -> None:
        """
        Perform the verbs of one session, in order, on the calling thread. Results are sent to it as replies.

        Blocks while the session must wait. If two threads perform verbs of the same session, its hooks run
        concurrently.
        """
        work = Work(verbs)
        while (rest := perform_some(session, work)) is not None:
            if rest.seconds is None:
                self.order.throttle(session)
            else:
                session.pause(rest.seconds)

    def close(self, session: Session, reason: str, *, lost: bool = False, farewell: bool = False) -> None:
        """
        Close a session: it leaves its rooms, and its nickname is free once the others are told.

        Args:
            lost: True if the connection was lost; a resumable session's nickname is then reserved for its token.
            farewell: True to tell the session the reason, after everything else.
        """
        self.order.flush()
        if session.disconnect_reason is not None:
            reason = session.disconnect_reason
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
            self._release_locked(session, lost=lost)
            if session.ended is not None:
                session.ended.set()
            if farewell:
                self.order.send_locked(session, Bye(reason, session.must_not_return))
        self.order.wake()
        note_going(session, reason)
        session.on_closed()

    def _release_locked(self, session: Session, *, lost: bool) -> None:
        """Free the nickname of a session that has ended, together with the events that tell the others of it."""
        keep = lost and _comes_back(session) and not self.stopping.is_set()

        def release_locked(outcome: Outcome) -> None:
            self.nicknames.by_identity.pop(session.identity, None)
            self.persistence.release_locked(session, keep)
            self.census.leave(session)
            self.order.flush_locked()

        if session.nickname is None:
            release_locked(Outcome())
            return
        seconds = self.limits.resume_seconds if keep else 0.0
        proposal = NicknameRelease(session.identity, seconds, session.coming, session.knows_token, session.address)
        self.sequencer.apply_locked(proposal, first=release_locked)

    def begin_disconnect(self, session: Session, reason: str) -> None:
        """Stop accepting verbs of the session, and end its pauses. See `Session.disconnect`."""
        with self.order.lock:
            if session.disconnect_reason is None:
                session.disconnect_reason = reason
        self.pauses.end(session)

    def run_on(self, hooks: Sequence[Callable[..., object]], session: Session, *args: object) -> None:
        """Run `on_*` hooks of a change that cannot be undone; the session is told what a hook refuses."""
        try:
            run_on(hooks, session, *args)
        except Refused as failure:
            self.send(session, Failure.of(failure))

    # Speaking

    def publish(self, message: Message, *, to: Iterable[Session] | None = None) -> None:
        """
        Publish a message in its room, or to the one person it is for.

        Args:
            to: The only sessions of the room that may see it.

        Raises:
            Refused: If the room or the nickname does not exist, or the text is empty or too long.
            LocalProtocolError: If the sender's nickname is not valid.
        """
        publish(self, message, to)

    def send(self, session: Session, *items: Event | Reply, confirms: bool = False) -> None:
        """Send items to one session, after everything that this thread caused before; see `Order.send`."""
        self.order.send(session, *items, confirms=confirms)

    def end(self) -> None:
        """Stop accepting verbs, end all pauses and timers, and persist the state for the next start."""
        self.stopping.set()
        self.pauses.end_all()
        self.alarms.stop()
        self.persistence.save_ends()


def _comes_back(session: Session) -> bool:
    return session.resumable and not session.must_not_return
