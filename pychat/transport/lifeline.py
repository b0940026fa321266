"""
A client's connection that may be lost and come back: one reader thread, and the questions that wait for answers.

After a loss it tries again, in growing intervals with a random part, so that all clients of a server that was
restarted do not come at once. It returns with its token, which gives the nickname back, and with the id of the last
event it heard, so that the server sends what was missed.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from concurrent.futures import Future
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

from pychat.core.account_replies import LoggedIn, LoggedOut
from pychat.core.account_verbs import ChangePassword, LogIn, Register
from pychat.core.errors import AckTimeout, ConnectFailed, ConnectionLost, Refused, RemoteProtocolError
from pychat.core.events import Event, Kicked, Left, Message, Renamed
from pychat.core.queries import ReadHistory, Ref
from pychat.core.replies import Bye, Failure, HistoryPage, Members, Ok, PingRequest, Reply, Welcome
from pychat.core.text import clean
from pychat.core.verbs import Direct, Hello, Leave, Ping, Pong, Quit, Say, Verb
from pychat.protocols.base import Item
from pychat.transport.dial import Wire, say_hello
from pychat.transport.inbox import Inbox, Reconnected, Reconnecting

if TYPE_CHECKING:
    from pychat.transport.tls_client import ClientTls

_FIRST_SECONDS: Final = 0.5
_LONGEST_SECONDS: Final = 30.0
_STEADY_SECONDS: Final = 10.0
"""A connection that lasted so long was a good one. After others delays go on growing: a server that lets everybody in
and drops them at once is not to be hammered."""
_CLOSE_SECONDS: Final = 2.0
_PASSING: Final = frozenset({"nickname_in_use", "shutting_down", "internal", "flood", "too_many_attempts", "busy"})
"""Codes of refusals that may not last: our own ghost has the nickname until the server finds out that it is gone."""


def backoff(attempt: int) -> float:
    """Return how many seconds to wait before this attempt to connect; the first one after a good connection is 1."""
    return random.uniform(0, min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** min(attempt - 1, 30)))


class _Question(NamedTuple):
    """A verb that waits for its answer."""

    verb: Verb
    answer: Future[Reply]


class Lifeline:
    """Made connected, and in its rooms. Its public methods may be called from any thread."""

    def __init__(
        self,
        host: str,
        port: int | None,
        hello: Hello,
        inbox: Inbox,
        *,
        reconnect: bool,
        timeout: float,
        own_messages: bool = False,
        tls: ClientTls | None = None,
    ) -> None:
        """
        Args:
            port: None: `host` is the path of a Unix socket.

        Raises:
            ConnectFailed: No server answers there.
            Refused: The server does not let us in.
        """
        self._host, self._port, self._inbox, self._timeout, self._tls = host, port, inbox, timeout, tls
        self._reconnect, self._hello, self._own_messages = reconnect, hello, own_messages
        self._refs = count(1)
        self._closing = threading.Event()
        # Guards what follows. Nothing is called under it.
        self._changed = threading.Condition()
        self._questions: dict[Ref, _Question] = {}
        self._rooms: dict[str, None] = {}
        self._wire: Wire | None = None
        """None while there is no connection."""
        self.correspondent: str | None = None
        """Who wrote to us last."""

        # Only the reader thread touches these.
        self._last_id = 0
        self._missed = 0
        self._resumed: Ref = None
        """The mark whose answer says that everything missed has come."""
        self._baseline: Ref = None
        """The mark whose answer tells where in the log the connection began."""
        self._goodbye: str | None = None
        self._put_out = False
        self._tried = 0
        """How often we tried to connect since a connection lasted."""
        self._began = time.monotonic()
        """When the connection was made that there is, or was last."""

        wire, self.welcome, items = self._connect(hello)
        self.nickname = self.welcome.nickname
        self._wire = wire
        if reconnect:
            # What is said from now on can be missed, even if nothing is heard before the connection is lost.
            self._baseline = next(self._refs)
            with contextlib.suppress(ConnectionLost):  # the reader will notice
                wire.send(ReadHistory(limit=1, ref=self._baseline))
        self._reader = threading.Thread(target=self._run, args=(wire, items), name="pychat-client", daemon=True)
        self._reader.start()
        try:
            self.ask(Ping())  # the rooms of the hello are joined before it is answered
        except BaseException as error:
            self.close("")
            if isinstance(error, AckTimeout | ConnectionLost):
                raise ConnectFailed(host, port, str(error)) from error
            raise

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms we are in; the last one is the current one."""
        with self._changed:
            return tuple(self._rooms)

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

    def ask(self, verb: Verb) -> Reply:
        """See `ChatClient.ask`."""
        ref, answer = next(self._refs), Future[Reply]()
        with self._changed:
            wire = self._wire
            if wire is not None:
                if isinstance(verb, Leave) and verb.room is None and self._rooms:
                    verb = verb._replace(room=next(reversed(self._rooms)))
                self._questions[ref] = _Question(verb, answer)
        if wire is None:
            raise self._inbox.error() or ConnectionLost("not connected at the moment; nothing was sent")
        try:
            wire.send(verb._replace(ref=ref))
            return answer.result(self._timeout)
        except TimeoutError:
            raise AckTimeout(f"no answer to {type(verb).__name__} within {self._timeout:g} s") from None
        finally:
            with self._changed:
                self._questions.pop(ref, None)

    def close(self, reason: str) -> None:
        """See `ChatClient.close`."""
        with self._changed:
            first = not self._closing.is_set()
            self._closing.set()
            wire = self._wire
        if first and wire is not None:
            with contextlib.suppress(ConnectionLost):
                wire.send(Quit(reason[: self.welcome.limits.short_text_chars]))
        self._reader.join(_CLOSE_SECONDS)
        if self._reader.is_alive() and wire is not None:
            wire.shutdown()
            self._reader.join(_CLOSE_SECONDS)

    # The reader thread

    def _connect(self, hello: Hello) -> tuple[Wire, Welcome, list[Item]]:
        wire = Wire(self._host, self._port, self._timeout, self._tls)
        try:
            welcome, items = say_hello(wire, hello._replace(ref=next(self._refs)), self._timeout)
        except BaseException:
            wire.close()
            raise
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
                items = wire.receive()
        except (ConnectionLost, ConnectFailed, RemoteProtocolError) as error:
            reason = str(error) if self._goodbye is None else f"the server said goodbye: {self._goodbye}"
        with self._changed:
            self._wire = None
            questions = list(self._questions.values())
            self._questions.clear()
        wire.shutdown()
        wire.close()
        for question in questions:
            question.answer.set_exception(ConnectionLost(f"{reason}; it may or may not have been accepted"))
        return reason

    _why: str | None = None
    """Why coming back was given up."""

    def _come_back(self, reason: str) -> tuple[Wire | None, list[Item]]:
        """Try until there is a connection again; return it, and what came with it. None: it is of no use."""
        if time.monotonic() - self._began >= _STEADY_SECONDS:
            self._tried = 0
        for attempt in count(1):
            if self._closing.is_set():
                break
            self._tried += 1
            delay = backoff(self._tried)
            self._inbox.put(Reconnecting(attempt, delay, reason))
            if self._closing.wait(delay):
                break
            token, after = self.welcome.token, self._last_id or None
            hello = self._hello._replace(nickname=self.nickname, rooms=self.rooms, token=token, after=after)
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
        self._began = time.monotonic()
        with self._changed:
            if not self._closing.is_set():
                self.welcome, self.nickname, self._wire = welcome, welcome.nickname, wire
                self._changed.notify_all()
        if self._wire is None:
            wire.close()
            return False
        self._resumed = next(self._refs)
        with contextlib.suppress(ConnectionLost):  # `_listen` will notice
            wire.send(Ping(ref=self._resumed))
        return True

    def _hear(self, wire: Wire, item: Item) -> None:
        """Take one thing that the server said."""
        if isinstance(item, PingRequest):
            wire.send(Pong())
            return
        ref = getattr(item, "ref", None)
        with self._changed:
            question = self._questions.pop(ref, None)
            self._note_locked(item, question)
        if ref is None:
            self._inbox.put(item)
        elif ref == self._resumed:
            self._inbox.put(Reconnected(self._missed))
            self._missed, self._resumed = 0, None
        elif question is not None and isinstance(item, Failure):
            question.answer.set_exception(item.error())
        elif question is not None:
            assert not isinstance(item, Event)
            if self._own_messages and isinstance(item, Ok) and isinstance(question.verb, Say | Direct):
                self._inbox.put(self._own_message(question.verb, item))
            question.answer.set_result(item)

    def _own_message(self, verb: Say | Direct, answer: Ok) -> Message:
        """What we said, as others hear it; only this thread knows its place among what they say."""
        if isinstance(verb, Direct):
            room, to = None, verb.to
        else:
            room, to = verb.room or next(reversed(self.rooms), ""), None
        text = clean(verb.text)
        return Message(answer.id or 0, time.time(), room, self.nickname, text, verb.action, to, notice=verb.notice)

    def _note_locked(self, item: Item, question: _Question | None) -> None:
        """Remember what is needed to go on, and to come back."""
        match item:
            case Message():
                self._missed += self._resumed is not None
                if item.room is None:
                    self.correspondent = item.sender
            case Renamed() if item.old == self.nickname:
                self.nickname = item.new
            case Left() | Kicked() if item.nickname == self.nickname:
                self._rooms.pop(item.room, None)
            case Members() if item.joined:
                self._rooms.pop(item.room, None)
                self._rooms[item.room] = None
            case Ok() if question is not None and isinstance(question.verb, Leave):
                left = (question.verb.room or "").casefold()
                self._rooms = {room: None for room in self._rooms if room.casefold() != left}
            case HistoryPage() if item.ref == self._baseline and item.events:
                self._last_id = max(self._last_id, item.events[-1].id)
            case LoggedOut():  # also if nobody asked: the password is another one, or the account is no more
                self._hello = self._hello._replace(account=None, account_password="")
            case Bye():
                self._goodbye = item.reason
                self._put_out = item.final
        if question is not None:
            self._hello = _with_account(self._hello, question.verb, item)
        if isinstance(item, Event | Ok) and item.id is not None:
            self._last_id = max(self._last_id, item.id)


def _with_account(hello: Hello, verb: Verb, answer: Item) -> Hello:
    """What we say to come back, after this was answered: a server that was started anew forgets who is logged in."""
    match answer, verb:
        case LoggedIn(), LogIn() | Register():
            return hello._replace(account=answer.account, account_password=verb.password)
        case Ok(), ChangePassword() if hello.account is not None:
            return hello._replace(account_password=verb.new_password)
    return hello
