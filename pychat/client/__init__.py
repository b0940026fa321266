"""
A chat client for programs: connect, say, hear, and come back after the connection was lost.

The methods are those of a session inside the server's process (`core/local_session.py`), so what is written for one
works with the other.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

from pychat.client.backoff import RETRY_SECONDS
from pychat.client.inbox import Dropped, Heard, Inbox, LateAnswer, Reconnected, Reconnecting
from pychat.client.reconnect import Lifeline
from pychat.model.arguments import given, positive_seconds, whole_number, wrong
from pychat.model.errors import Refused
from pychat.model.limits import Limits
from pychat.model.names import room_names
from pychat.model.participant import Participant
from pychat.model.replies import Ok, Reply, Welcome
from pychat.model.tokens import new_token
from pychat.model.verb_types import check_verb
from pychat.model.verbs import Direct, Hello, Quit, Verb
from pychat.transport.trust import Trust

if TYPE_CHECKING:
    from ssl import SSLContext

    from pychat.client.session_file import SessionFile
    from pychat.client.tls import ClientTls

__all__ = ["ChatClient", "Dropped", "Heard", "LateAnswer", "Reconnected", "Reconnecting"]

H = TypeVar("H", bound=Heard)


class ChatClient(Participant):
    """
    A participant that is connected to a server. Every method may be called from any thread.

    A verb returns when the server has accepted it and raises when it has not: `Refused` with the reason, `AckTimeout`
    if no answer came in time, `ConnectionLost` if none can come. In the latter two cases the server may or may not
    have accepted it: nothing is ever sent again by itself.

    What is heard waits in an inbox until `next` or `events` take it. When 10,000 things wait, or 64 MiB, the oldest are
    dropped, and `Dropped` says so: a program that only talks need not listen.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 55555,
        *,
        nick: str,
        unix: str | os.PathLike[str] | None = None,
        rooms: Iterable[str] = (),
        keys: Mapping[str, str] | None = None,
        reconnect: bool = False,
        retry_seconds: float = RETRY_SECONDS,
        replay: bool = False,
        password: str | None = None,
        account: str | None = None,
        account_password: str = "",
        bot: bool = False,
        visit: bool = False,
        create: bool = True,
        own_messages: bool = False,
        state: str | os.PathLike[str] | SessionFile | None = None,
        timeout: float = 10.0,
        tls: bool | Trust | SSLContext = False,
    ) -> None:
        """
        Connect, register, and join the rooms.

        Args:
            unix: The path of a Unix socket, to connect to that instead of a host and a port.
            rooms: Which to join; none: the server's default room. One that is refused is a `Failure` in the inbox; one
                that can be no room is refused at once, and so is "#ops", as IRC writes it, if no room is called so.
            keys: Those of rooms that have one, by their names.
            reconnect: Whether to come back when the connection is lost: with the same nickname, in the same rooms,
                and with everything that was missed. `Reconnecting` and `Reconnected` in the inbox tell of it. A room
                that does not let us in again is a `Failure` before `Reconnected`, and none of ours (`rooms`) any more.
            retry_seconds: How long to wait before the first try to come back, at most, for the time is random; twice as
                long before each further one, up to 30 s. Tests want it short.
            replay: Whether the last messages of a room are wanted on join, as `Replay`.
            password: The server's, if it wants one.
            account: Log in to this account before the nickname is claimed, also when coming back.
            account_password: Its password.
            bot: Whether others shall see that it is a program that answers people.
            visit: Whether to come and go without a word to others; for programs that come for a moment.
            create: Whether rooms are made that are not there; otherwise they are refused (`no_such_room`).
            own_messages: Whether to hear what one says oneself, too, as `Message` in its place among those of others.
            state: A file in which the session is kept over the end of the program. The next client with it has the
                nickname back and hears what was missed since, then `Reconnected`. What was taken last counts as done
                when the next thing is taken, or `done` is called; before that, the next client hears it again.
            timeout: Seconds to wait for the connection, and for the answer to each verb.
            tls: True: speak TLS, with a server whose certificate is for `host` and from an authority that this system
                knows; over a Unix socket it must be for `localhost`. `Trust` names another one to trust; a context of
                your own decides by itself.

        Raises:
            CannotOpen: The file for the state cannot be used, or another program uses it.
            BadCertificate: What `tls` names cannot be used.
            InvalidRoomName: There can be no such room.
            ConnectFailed: No server answers there; `TlsFailed`: one does, but there is no TLS with it.
            Refused: The nickname is not allowed or in use, or the server does not let us in: `code` is
                `password_required` or `wrong_password` if it is for its password, `bad_credentials` for the account's.
        """
        given("nick", nick, str, "a string")
        given("host", host, str, "a string, such as '127.0.0.1'")
        whole_number("port", port, 0, 65535)
        positive_seconds("retry_seconds", retry_seconds)
        self.address: Final[tuple[str, int | None]] = (host, port) if unix is None else (os.fspath(unix), None)
        """Host and port; or the path of a Unix socket, and None."""
        hello = Hello(
            nick,
            room_names(rooms) or None,
            replay,
            password=password,
            bot=bot,
            account=account,
            account_password=account_password,
            keys=keys or {},
            visit=visit,
            create=create,
        )
        self._state = state = _open_state(state)
        self._inbox = Inbox(done=None if state is None else lambda place: state.keep(place=place))
        where, number = self.address
        if state is not None:
            kept = state.begin(where if number is None else f"{where}:{number}", nick)
            # One of our own may come back, too, if the welcome is lost.
            hello = hello._replace(token=kept.token or new_token(), after=kept.place)
        try:
            self._line = Lifeline(
                where,
                number,
                hello,
                self._inbox,
                reconnect=reconnect,
                retry_seconds=retry_seconds,
                own_messages=own_messages,
                timeout=timeout,
                tls=_make_tls(tls) if tls else None,
                keep_token=(lambda token: None) if state is None else lambda token: state.keep(token=token),
            )
        except BaseException as error:
            if state is not None:
                state.close(done=isinstance(error, Refused) and kept.token is None)
            raise

    def __enter__(self) -> ChatClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, *args: object) -> None:
        if kind is None:
            self.done()
        self.close()

    # What is known

    @property
    def nickname(self) -> str:
        """Our own."""
        return self._line.nickname

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms we are in; the last one is the current one, which is meant where none is named."""
        return self._line.rooms

    @property
    def welcome(self) -> Welcome:
        """What the server said when we came in. Its token is a secret."""
        return self._line.welcome

    @property
    def limits(self) -> Limits:
        """Those of the server, as far as it tells."""
        return self._line.welcome.limits

    @property
    def resumes(self) -> bool:
        """Whether it goes on where a client before it was, by its state file."""
        return self._line.resumes

    @property
    def connected(self) -> bool:
        """Whether there is a connection at this moment."""
        return self._line.connected

    def wait_connected(self, timeout: float | None = None) -> bool:
        """
        Wait until there is a connection; False if there was none within `timeout` seconds.

        Raises:
            ConnectionLost: There will be none any more.
            LocalProtocolError: The client was closed.
        """
        return self._line.wait_connected(timeout)

    def hurry(self) -> None:
        """Try to come back at once, if the connection is lost, instead of waiting for the next try."""
        self._line.hurry()

    # Verbs

    def ask(self, verb: Verb) -> Reply:
        """
        Send any verb and return its answer. A `ref` of its own is not sent.

        Raises:
            Refused: With the reason and its code.
            AckTimeout: No answer came in time. If it comes later, it is heard as a `LateAnswer`.
            ConnectionLost: The connection is lost. If it was before, nothing was sent.
            LocalProtocolError: The client is closed.
        """
        check_verb(verb)
        if isinstance(verb, Quit):
            self.close(verb.reason)
            return Ok(verb.ref)
        if isinstance(verb, Direct) and verb.to is None:
            if self._line.correspondent is None:
                raise Refused("nobody has written to you yet", code="bad_request")
            to, id = self._line.correspondent
            verb = verb._replace(to=to, reply_to=id or None)
        return self._line.ask(verb)

    def close(self, reason: str = "") -> None:
        """Leave for good, within some seconds; what was heard can still be taken. May be called again."""
        self.quit(reason)
        if self._state is not None:
            self._state.close(done=True)

    def quit(self, reason: str = "") -> None:
        """Leave, as `close` does, but keep the state file: whoever does something yet may say that it is done."""
        self._line.close(reason)

    # What is heard

    def done(self) -> None:
        """Note in the state file that what was taken last is done; to take the next thing notes it as well."""
        self._inbox.settle()

    def next(self, kind: type[H], timeout: float | None = None) -> H:
        """
        Take what was heard until something of this type comes, and return it.

        Raises:
            TimeoutError: It did not come within `timeout` seconds (default: wait for ever).
            ConnectionLost: The connection is lost for good, and everything was taken.
            LocalProtocolError: The client is closed, and everything was taken.
        """
        return self._inbox.next(kind, timeout)

    def take(self, timeout: float | None = None) -> Heard | None:
        """
        Wait for the next thing and return it; None if it did not come in time, or somebody called `interrupt`.

        Raises:
            ConnectionLost: The connection is lost for good, and everything was taken.
            LocalProtocolError: The client is closed, and everything was taken.
        """
        return self._inbox.take(timeout)

    def interrupt(self) -> None:
        """Let the thread that waits in `take` go on, or the next one that would wait there."""
        self._inbox.interrupt()

    def events(self, timeout: float | None = None) -> Iterator[Heard]:
        """
        Yield what is heard, until nothing came for `timeout` seconds or the client is closed.

        Raises:
            ConnectionLost: The connection is lost for good, and everything was taken.
        """
        return self._inbox.each(timeout)


def _open_state(state: str | os.PathLike[str] | SessionFile | None) -> SessionFile | None:
    if isinstance(state, str | os.PathLike):
        from pychat.client.session_file import SessionFile  # only who wants it pays for loading it

        return SessionFile(state)
    return state


def _make_tls(trust: bool | Trust | SSLContext) -> ClientTls:
    if not isinstance(trust, bool | Trust) and not hasattr(trust, "wrap_bio"):
        raise wrong("tls", trust, "True, or Trust(ca='cert.pem'), or an ssl.SSLContext")
    from pychat.client.tls import ClientTls  # only who wants TLS pays for loading ssl

    return ClientTls(trust)
