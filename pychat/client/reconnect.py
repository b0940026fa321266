"""
A client's connection that reconnects: one reader thread, and the requests that wait for answers.

It retries at growing, partly random intervals, so that the clients of a restarted server do not all return at once. Its
token restores the nickname; the id of the last event that it received makes the server send what was missed.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pychat.client.answers import own_message, with_account
from pychat.client.backoff import Backoff
from pychat.client.inbox import Inbox, LateAnswer, Reconnected, Reconnecting
from pychat.client.rooms import OurRooms
from pychat.client.settings import OurSettings
from pychat.client.wire import Wire, say_hello
from pychat.model.errors import (
    AckTimeout,
    ConnectFailed,
    ConnectionLost,
    NotConnected,
    NotStored,
    Refused,
    RemoteProtocolError,
)
from pychat.model.events import Event, Kicked, Left, Message, ModesChanged, Renamed
from pychat.model.queries import Ref
from pychat.model.replies import Bye, Failure, Gap, LoggedOut, Members, Ok, PingRequest, Reply, Welcome
from pychat.model.verbs import Direct, Hello, Join, Leave, Ping, Pong, Quit, Say, Verb, no_answer
from pychat.protocols.base import Item
from pychat.transport.forking import Forkable

if TYPE_CHECKING:
    from pychat.client.tls import ClientTls

_CLOSE_SECONDS: Final = 2.0
_RETRY_SECONDS: Final = 5.0  # between attempts to join rooms that nobody can join while the server's storage fails
_MOST_LATE: Final = 1000  # requests that still wait for their answers after a timeout
_PASSING: Final = frozenset({"nickname_in_use", "shutting_down", "internal", "flood", "too_many_attempts", "busy"})
"""Codes of temporary refusals: the server keeps our nickname for the lost connection until it notices the loss."""


class _Question(NamedTuple):
    """A verb that waits for its answer."""

    verb: Verb
    answer: Future[Reply]
    is_late: bool = False
    """True if its caller does not wait any more."""


class ReconnectingWire(Forkable):
    """Connected, and in its rooms, once it is created. Its public methods may be called from any thread."""

    def __init__(
        self,
        host: str,
        port: int | None,
        hello: Hello,
        inbox: Inbox,
        *,
        reconnect: bool,
        retry_seconds: float,
        timeout: float,
        own_messages: bool = False,
        tls: ClientTls | None = None,
        keep_token: Callable[[str], object] = lambda token: None,
    ) -> None:
        """
        Args:
            port: None if `host` is the path of a Unix socket.
            keep_token: Called with each token before it is sent, and with that of each welcome when it arrives.

        Raises:
            ConnectFailed: If no server answers.
            Refused: If the server refuses the client.
        """
        self._host, self._port, self._inbox, self._timeout, self._tls = host, port, inbox, timeout, tls
        self._reconnect, self._own_messages, self._keep_token = reconnect, own_messages, keep_token
        self._hello = hello._replace(create=True)  # a room that existed must exist after a reconnect
        self._refs = count(1)
        self._closing = threading.Event()
        self._hurried = threading.Event()  # to reconnect at once, or to give up
        # Guards what follows. Nothing is called under it.
        self._changed = threading.Condition()
        self._questions: dict[Ref, _Question] = {}
        self._rooms = OurRooms(hello.keys)
        self._settings = OurSettings()
        self._wire: Wire | None = None  # while there is no connection
        self.correspondent: tuple[str, int] | None = None
        """The last person who wrote to us."""

        # Only the reader thread uses these.
        self._unasked: set[Ref] = set()  # of requests that the user did not make: `OurRooms.joins`, `OurSettings.verbs`
        self._last_id = hello.after or 0
        self.resumes = hello.after is not None
        """True if it started with an event id from an earlier session."""
        self._missed = 0
        self._gaps = 0
        self._resumed: Ref = None  # whose answer follows all missed events
        self._goodbye: str | None = None
        self._must_not_return = False

        self._backoff = Backoff(retry_seconds)
        first: list[Any] = []
        self._reader = threading.Thread(target=self._run, args=first, name="pychat-client", daemon=True)
        # Ctrl-C can come at any call. After the hello we then say goodbye, or the server would keep the nickname.
        wire, self.welcome, items = self._connect(hello)
        self._wire, self.nickname = wire, self.welcome.nickname
        try:
            first += (wire, items)
            self.belong()
            if hello.after is not None:
                self._await_missed(wire)
            self._reader.start()
            self.ask(Ping())  # the rooms of the hello are joined before the answer
            if self._rooms.mistaken is not None:
                raise self._rooms.mistaken.error()
        except BaseException as error:
            self.close("")
            if isinstance(error, AckTimeout | ConnectionLost):
                raise ConnectFailed(host, port, str(error)) from error
            raise

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms that we are in; the last one is the current one."""
        with self._changed:
            return self._rooms.names

    @property
    def connected(self) -> bool:
        """True if there is a connection at the moment."""
        return self._wire is not None

    def wait_connected(self, timeout: float | None) -> bool:
        """Wait until there is a connection; return False on timeout. Raises the error from `Inbox.error`."""
        with self._changed:
            self._changed.wait_for(lambda: self._wire or self._inbox.error(), timeout)
            connected = self._wire is not None
        error = self._inbox.error()
        if error is not None and not connected:
            raise error
        return connected

    def hurry(self) -> None:
        """Reconnect at once; see `ChatClient.hurry`."""
        if self._wire is None:
            self._hurried.set()

    def ask(self, verb: Verb) -> Reply:
        """Send a verb and return its answer; see `ChatClient.ask`."""
        ref, answer = next(self._refs), Future[Reply]()
        with self._changed:
            wire = self._wire
            if wire is not None:
                if isinstance(verb, Leave) and verb.room is None:
                    verb = verb._replace(room=self._rooms.current)
                self._questions[ref] = _Question(verb, answer)
        if wire is None:
            raise self._inbox.error() or NotConnected
        try:
            wire.send(verb._replace(ref=ref))
            return answer.result(self._timeout)
        except TimeoutError:
            if self._let_wait(ref):
                raise AckTimeout(no_answer(verb, self._timeout)) from None
            return answer.result()
        except BaseException:
            with self._changed:
                self._questions.pop(ref, None)
            raise

    def _let_wait(self, ref: Ref) -> bool:
        """Mark a request as late; return False if its answer has arrived."""
        with self._changed:
            if ref not in self._questions:
                return False
            self._questions[ref] = self._questions[ref]._replace(is_late=True)
            for oldest in [ref for ref, question in self._questions.items() if question.is_late][:-_MOST_LATE]:
                del self._questions[oldest]
            return True

    def close(self, reason: str) -> None:
        """Leave for good; see `ChatClient.close`."""
        with self._changed:
            first = not self._closing.is_set()
            self._closing.set()
            self._hurried.set()
            wire = self._wire
        if first and wire is not None:
            with contextlib.suppress(ConnectionLost):
                wire.send(Quit(reason[: self.welcome.limits.short_text_chars]))
        with contextlib.suppress(RuntimeError):  # Ctrl-C while it was started
            self._reader.join(_CLOSE_SECONDS)
        if self._reader.is_alive() and wire is not None:
            wire.shutdown()
            self._reader.join(_CLOSE_SECONDS)

    def disown(self) -> None:
        # Guards the same; the old lock may be held by a thread that does not exist here.
        self._changed = threading.Condition()
        self._closing.set()
        self._questions.clear()
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.disown()
        self._inbox.disown(f"this client belongs to process {self.process}")

    # The reader thread

    def _connect(self, hello: Hello) -> tuple[Wire, Welcome, list[Item]]:
        wire = Wire(self._host, self._port, self._timeout, self._tls)
        try:
            if hello.token is not None:
                self._keep_token(hello.token)
            welcome, items = say_hello(wire, hello._replace(ref=next(self._refs)), self._timeout)
            self._keep_token(welcome.token)
        except BaseException as error:
            try:
                if not isinstance(error, Exception):  # the server may let us in all the same
                    wire.leave()
            finally:
                wire.close()
            raise
        return wire, welcome, items

    def _run(self, wire: Wire, items: list[Item]) -> None:
        current: Wire | None = wire
        while current is not None:
            reason = self._listen(current, items)
            current, items = self._come_back(reason) if self._reconnect and not self._must_not_return else (None, [])
            if current is None:
                self._inbox.end(self._why or reason, asked_to=self._closing.is_set())
        with self._changed:
            self._changed.notify_all()

    def _listen(self, wire: Wire, items: list[Item]) -> str:
        """Receive until the connection is over; return the reason."""
        self._goodbye = None
        try:
            while True:
                for item in items:
                    self._hear(wire, item)
                items = self._receive(wire)
        except (ConnectionLost, ConnectFailed, RemoteProtocolError) as error:
            reason = str(error) if self._goodbye is None else f"the server said goodbye: {self._goodbye}"
        with self._changed:
            self._wire = None
            questions = list(self._questions.values())
            self._questions.clear()
        wire.shutdown()
        wire.close()
        self._unasked.clear()
        for question in questions:
            question.answer.set_exception(ConnectionLost(f"{reason}; it may or may not have been accepted"))
        return reason

    def _receive(self, wire: Wire) -> list[Item]:
        """Receive, and retry from time to time to join rooms that cannot be joined yet."""
        joins: list[Join] = []
        if not self._unasked:
            with self._changed:
                joins = self._rooms.joins()
        try:
            return wire.receive(_RETRY_SECONDS if joins else None)
        except TimeoutError:
            self._send_unasked(wire, joins)
            return []

    def _send_unasked(self, wire: Wire, verbs: Sequence[Verb]) -> None:
        for verb in verbs:
            ref = next(self._refs)
            self._unasked.add(ref)
            wire.send(verb._replace(ref=ref))

    _why: str | None = None  # for giving up the reconnect

    def _come_back(self, reason: str) -> tuple[Wire | None, list[Item]]:
        """Retry until it succeeds; return the connection and the items that arrived with it. None if it gave up."""
        self._backoff.lost()
        for attempt in count(1):
            if self._closing.is_set():
                break
            delay = self._backoff.delay()
            self._inbox.put(Reconnecting(attempt, delay, reason))
            if self._hurried.wait(delay) and self._closing.is_set():
                break
            self._hurried.clear()
            token, after = self.welcome.token, self._last_id or None
            with self._changed:
                hello = self._rooms.hello(self._hello)
            hello = hello._replace(nickname=self.nickname, token=token, after=after)
            try:
                wire, welcome, items = self._connect(hello)
            except ConnectFailed as error:
                reason = str(error)
            except Refused as error:
                reason = f"reconnecting was refused: {error}"
                # After the server has closed the session, it does not keep our nickname, so somebody else has it.
                if error.code not in _PASSING or (error.code == "nickname_in_use" and self._goodbye is not None):
                    self._why = reason
                    break
            else:
                return (wire, items) if self._resume(wire, welcome) else (None, [])
        return None, []

    def _resume(self, wire: Wire, welcome: Welcome) -> bool:
        """Use the new connection; return False if the client was closed meanwhile."""
        self._backoff.connected()
        with self._changed:
            if not self._closing.is_set():
                self.welcome, self.nickname, self._wire = welcome, welcome.nickname, wire
                self._changed.notify_all()
        if self._wire is None:
            wire.close()
            return False
        self._await_missed(wire)
        return True

    def _await_missed(self, wire: Wire) -> None:
        """Repeat settings that the server may have forgotten; request an answer that follows all missed events."""
        self._resumed = next(self._refs)
        with self._changed:
            verbs = self._settings.verbs()
        with contextlib.suppress(ConnectionLost):  # `_listen` will notice
            self._send_unasked(wire, verbs)
            wire.send(Ping(ref=self._resumed))

    def _hear(self, wire: Wire, item: Item) -> None:
        """Process an item from the server."""
        if isinstance(item, PingRequest):
            wire.send(Pong())
            return
        ref = getattr(item, "ref", None)
        with self._changed:
            question = self._questions.pop(ref, None)
            self._note_locked(item, question)
        if ref in self._unasked:
            self._unasked.discard(ref)
            if isinstance(item, Members) or (isinstance(item, Failure) and item.code != NotStored.code):
                self._inbox.put(item._replace(ref=None), self._last_id)
        elif ref is None:
            self._inbox.put(item, self._last_id)
        elif ref == self._resumed:
            with self._changed:
                self._rooms.settle()
            self._inbox.put(Reconnected(self._missed, self._gaps))
            self._missed, self._gaps, self._resumed = 0, 0, None
        elif question is not None and isinstance(item, Failure):
            question.answer.set_exception(item.error())
        elif question is not None:
            assert not isinstance(item, Event)
            if self._own_messages and isinstance(item, Ok) and isinstance(question.verb, Say | Direct):
                said = own_message(question.verb, item, self.nickname, next(reversed(self.rooms), ""))
                self._inbox.put(said, self._last_id)
            else:
                self._inbox.pass_by(self._last_id)
            question.answer.set_result(item)
        if question is not None and question.is_late and not isinstance(item, Event):
            self._inbox.put(LateAnswer(question.verb, item))

    def _note_locked(self, item: Item, question: _Question | None) -> None:
        """Record what is needed to continue and to reconnect."""
        match item:
            case Message():
                self._missed += self._resumed is not None
                if item.room is None:
                    self.correspondent = item.sender, item.id
            case Gap():
                self._gaps += self._resumed is not None
            case Renamed() if item.old == self.nickname:
                self.nickname = item.new
            case Left() | Kicked() | ModesChanged():
                self._rooms.hear_event(item, self.nickname)
            case Members() if item.joined:
                verb = None if question is None else question.verb
                self._rooms.enter(item, verb.key if isinstance(verb, Join) else None)
                self._last_id = max(self._last_id, item.place or 0)
            case Failure() if question is None:
                self._rooms.refuse(item)
            case Ok() if question is not None and isinstance(question.verb, Leave):
                self._rooms.leave(question.verb.room or "")
            case LoggedOut():  # also unrequested: the password was changed, or the account was deleted
                self._hello = self._hello._replace(account=None, account_password="")
            case Bye():
                self._goodbye = item.reason
                self._must_not_return = item.final
        if question is not None:
            self._hello = with_account(self._hello, question.verb, item)
            self._settings.hear_answer(question.verb, item)
        if isinstance(item, Event | Ok) and item.id is not None:
            self._last_id = max(self._last_id, item.id)
