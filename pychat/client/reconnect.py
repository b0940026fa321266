"""
A client's connection that may be lost and come back: one reader thread, and the questions that wait for answers.

After a loss it tries again, in growing intervals with a random part, so that all clients of a server that was
restarted do not come at once. It returns with its token, which gives the nickname back, and with the id of the last
event it heard, so that the server sends what was missed.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

from pychat.client.answers import own_message, with_account
from pychat.client.backoff import Backoff
from pychat.client.inbox import Inbox, LateAnswer, Reconnected, Reconnecting
from pychat.client.rooms import OurRooms
from pychat.client.settings import OurSettings
from pychat.client.wire import Wire, say_hello
from pychat.model.account_replies import LoggedOut
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
from pychat.model.replies import Bye, Failure, Gap, Members, Ok, PingRequest, Reply, Welcome
from pychat.model.verbs import Direct, Hello, Join, Leave, Ping, Pong, Quit, Say, Verb, no_answer
from pychat.protocols.base import Item
from pychat.transport.forking import Forkable

if TYPE_CHECKING:
    from pychat.client.tls import ClientTls

_CLOSE_SECONDS: Final = 2.0
_RETRY_SECONDS: Final = 5.0
"""How long to wait before asking again for rooms that nobody can come into while nothing can be stored."""
_MOST_LATE: Final = 1000  # questions that still wait for their answers after a timeout
_PASSING: Final = frozenset({"nickname_in_use", "shutting_down", "internal", "flood", "too_many_attempts", "busy"})
"""Codes of refusals that may not last: our own ghost has the nickname until the server finds out that it is gone."""


class _Question(NamedTuple):
    """A verb that waits for its answer."""

    verb: Verb
    answer: Future[Reply]
    is_late: bool = False
    """Whether nobody waits for it any more."""


class Lifeline(Forkable):
    """Made connected, and in its rooms. Its public methods may be called from any thread."""

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
            port: None: `host` is the path of a Unix socket.
            keep_token: Told each token before it is sent, and that of each welcome as soon as it has come.

        Raises:
            ConnectFailed: No server answers there.
            Refused: The server does not let us in.
        """
        self._host, self._port, self._inbox, self._timeout, self._tls = host, port, inbox, timeout, tls
        self._reconnect, self._own_messages, self._keep_token = reconnect, own_messages, keep_token
        self._hello = hello._replace(create=True)  # a room that was there shall be there when we come back
        self._refs = count(1)
        self._closing = threading.Event()
        self._hurried = threading.Event()  # to try at once, or not any more
        # Guards what follows. Nothing is called under it.
        self._changed = threading.Condition()
        self._questions: dict[Ref, _Question] = {}
        self._rooms = OurRooms(hello.keys)
        self._settings = OurSettings()
        self._wire: Wire | None = None
        """None while there is no connection."""
        self.correspondent: tuple[str, int] | None = None
        """Who wrote to us last."""

        # Only the reader thread touches these.
        self._unasked: set[Ref] = set()
        """The marks of what nobody asked for: `OurRooms.joins`, `OurSettings.verbs`."""
        self._last_id = hello.after or 0
        self.resumes = hello.after is not None
        """Whether it began behind an id that was known before."""
        self._missed = 0
        self._gaps = 0
        self._resumed: Ref = None
        """The mark whose answer says that everything missed has come."""
        self._goodbye: str | None = None
        self._put_out = False

        wire, self.welcome, items = self._connect(hello)
        self._backoff = Backoff(retry_seconds)
        self.nickname = self.welcome.nickname
        self._wire = wire
        self.belong()
        if hello.after is not None:
            self._await_missed(wire)
        self._reader = threading.Thread(target=self._run, args=(wire, items), name="pychat-client", daemon=True)
        self._reader.start()
        try:
            self.ask(Ping())  # the rooms of the hello are joined before it is answered
            if self._rooms.mistaken is not None:
                raise self._rooms.mistaken.error()
        except BaseException as error:
            self.close("")
            if isinstance(error, AckTimeout | ConnectionLost):
                raise ConnectFailed(host, port, str(error)) from error
            raise

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms we are in; the last one is the current one."""
        with self._changed:
            return self._rooms.names

    @property
    def connected(self) -> bool:
        """Whether there is a connection at this moment."""
        return self._wire is not None

    def wait_connected(self, timeout: float | None) -> bool:
        """Wait until there is a connection; False if there was none in time. Raises what `Inbox.error` says."""
        with self._changed:
            self._changed.wait_for(lambda: self._wire or self._inbox.error(), timeout)
            connected = self._wire is not None
        error = self._inbox.error()
        if error is not None and not connected:
            raise error
        return connected

    def hurry(self) -> None:
        """See `ChatClient.hurry`."""
        if self._wire is None:
            self._hurried.set()

    def ask(self, verb: Verb) -> Reply:
        """See `ChatClient.ask`."""
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
        """Let a question wait for its answer without anybody; False if that has come."""
        with self._changed:
            if ref not in self._questions:
                return False
            self._questions[ref] = self._questions[ref]._replace(is_late=True)
            for oldest in [ref for ref, question in self._questions.items() if question.is_late][:-_MOST_LATE]:
                del self._questions[oldest]
            return True

    def close(self, reason: str) -> None:
        """See `ChatClient.close`."""
        with self._changed:
            first = not self._closing.is_set()
            self._closing.set()
            self._hurried.set()
            wire = self._wire
        if first and wire is not None:
            with contextlib.suppress(ConnectionLost):
                wire.send(Quit(reason[: self.welcome.limits.short_text_chars]))
        self._reader.join(_CLOSE_SECONDS)
        if self._reader.is_alive() and wire is not None:
            wire.shutdown()
            self._reader.join(_CLOSE_SECONDS)

    def disown(self) -> None:
        # Guards the same; the old one may be held by a thread that is not here.
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
        except BaseException:
            wire.close()
            raise
        self._keep_token(welcome.token)
        return wire, welcome, items

    def _run(self, wire: Wire, items: list[Item]) -> None:
        current: Wire | None = wire
        while current is not None:
            reason = self._listen(current, items)
            current, items = self._come_back(reason) if self._reconnect and not self._put_out else (None, [])
            if current is None:
                self._inbox.end(self._why or reason, asked_to=self._closing.is_set())
        with self._changed:
            self._changed.notify_all()

    def _listen(self, wire: Wire, items: list[Item]) -> str:
        """Take what comes until the connection is over; return why."""
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
        """Wait for the server, and meanwhile ask now and then for rooms that cannot be joined yet."""
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

    _why: str | None = None
    """Why coming back was given up."""

    def _come_back(self, reason: str) -> tuple[Wire | None, list[Item]]:
        """Try until there is a connection again; return it, and what came with it. None: it is of no use."""
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
                reason = f"coming back was refused: {error}"
                # After the server has let us go, there is no ghost of ours that could have the nickname.
                if error.code not in _PASSING or (error.code == "nickname_in_use" and self._goodbye is not None):
                    self._why = reason
                    break
            else:
                return (wire, items) if self._resume(wire, welcome) else (None, [])
        return None, []

    def _resume(self, wire: Wire, welcome: Welcome) -> bool:
        """Use the new connection; False if the client was closed meanwhile."""
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
        """Say again what the server may have forgotten; ask for what is answered behind everything that was missed."""
        self._resumed = next(self._refs)
        with self._changed:
            verbs = self._settings.verbs()
        with contextlib.suppress(ConnectionLost):  # `_listen` will notice
            self._send_unasked(wire, verbs)
            wire.send(Ping(ref=self._resumed))

    def _hear(self, wire: Wire, item: Item) -> None:
        """Take one thing that the server said."""
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
        """Remember what is needed to go on, and to come back."""
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
            case LoggedOut():  # also if nobody asked: the password is another one, or the account is no more
                self._hello = self._hello._replace(account=None, account_password="")
            case Bye():
                self._goodbye = item.reason
                self._put_out = item.final
        if question is not None:
            self._hello = with_account(self._hello, question.verb, item)
            self._settings.hear_answer(question.verb, item)
        if isinstance(item, Event | Ok) and item.id is not None:
            self._last_id = max(self._last_id, item.id)
