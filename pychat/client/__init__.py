"""
A chat client for programs: connect, send, receive, and reconnect.

It has the same methods as a session inside the server's process (`core/local_session.py`), so a program for one works
with the other.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

from pychat.client.backoff import RETRY_SECONDS
from pychat.client.inbox import Dropped, Heard, Inbox, LateAnswer, Reconnected, Reconnecting
from pychat.client.reconnect import ReconnectingWire
from pychat.model.arguments import given, positive_seconds, whole_number, wrong
from pychat.model.errors import Refused, refusal
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

    A verb returns when the server has accepted it and raises otherwise: `Refused` with the reason, `AckTimeout` if no
    answer arrived in time, `ConnectionLost` if none can arrive. In the latter two cases the server may or may not have
    accepted it; nothing is ever sent again automatically.

    Received items wait in an inbox for `next` or `events`. Beyond 10,000 items, or 64 MiB, the oldest are dropped and
    reported by `Dropped`, so a program that only sends need not receive.
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
            unix: The path of a Unix socket to connect to, instead of a host and a port.
            rooms: The rooms to join; the server's default room if empty. A refused room is a `Failure` in the inbox; an
                invalid name is refused at once, and so is "#ops", the IRC notation, if no room has that name.
            keys: The keys of rooms that have one, by room name.
            reconnect: True to reconnect when the connection is lost: with the same nickname, in the same rooms, and
                with all missed events. The inbox contains `Reconnecting` and `Reconnected`. A room that refuses us is a
                `Failure` before `Reconnected`, and is removed from `rooms`.
            retry_seconds: The maximum of the random delay before the first reconnect; it doubles for each further one,
                up to 30 s. Use a short one in tests.
            replay: True to receive the last messages of a room on joining it, as `Replay`.
            password: The server password, if there is one.
            account: Log in to this account before the nickname is claimed, also on reconnect.
            account_password: Its password.
            bot: True to be marked as a program that answers people.
            visit: True to join and leave without notices to others; for programs that connect only briefly.
            create: True to create missing rooms; otherwise they are refused (`no_such_room`).
            own_messages: True to receive the client's own messages, too, as `Message` in order with those of others.
            state: A file that preserves the session beyond the end of the program. The next client that uses it has the
                same nickname and receives what was missed since, then `Reconnected`. An item counts as done when the
                next one is taken, or `done` is called; before that, the next client receives it again.
            timeout: Seconds to wait for the connection, and for the answer to each verb.
            tls: True for TLS with a server whose certificate is for `host` and from an authority that this system
                trusts; over a Unix socket it must be for `localhost`. `Trust` names a different certificate or
                authority; a context of your own decides itself.

        Raises:
            CannotOpen: If the state file cannot be used, or another program uses it.
            BadCertificate: If the files or fingerprint in `tls` cannot be used.
            InvalidRoomName: If a room name is invalid.
            ConnectFailed: If no server answers; `TlsFailed` if one does, but TLS fails.
            Refused: If the nickname is not allowed or in use, or the server refuses the client: `code` is
                `password_required` or `wrong_password` for the server password, `bad_credentials` for the account's.
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
            # The session may also be resumed with our own token, if the welcome is lost.
            hello = hello._replace(token=kept.token or new_token(), after=kept.place)
        try:
            self._line = ReconnectingWire(
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

    # State

    @property
    def nickname(self) -> str:
        """The client's own nickname."""
        return self._line.nickname

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms that the client is in; the last one is the current one, the default for verbs without a room."""
        return self._line.rooms

    @property
    def welcome(self) -> Welcome:
        """The server's reply to the registration. Its token is a secret."""
        return self._line.welcome

    @property
    def limits(self) -> Limits:
        """The server's limits, as far as it announces them."""
        return self._line.welcome.limits

    @property
    def resumes(self) -> bool:
        """True if it continues the session of an earlier client, from its state file."""
        return self._line.resumes

    @property
    def connected(self) -> bool:
        """True if there is a connection at the moment."""
        return self._line.connected

    def wait_connected(self, timeout: float | None = None) -> bool:
        """
        Wait until there is a connection; return False after `timeout` seconds without one.

        Raises:
            ConnectionLost: If there will be no connection any more.
            LocalProtocolError: If the client was closed.
        """
        return self._line.wait_connected(timeout)

    def hurry(self) -> None:
        """Reconnect at once if the connection is lost, instead of waiting for the next attempt."""
        self._line.hurry()

    # Verbs

    def ask(self, verb: Verb) -> Reply:
        """
        Send any verb and return its answer. Its own `ref` is not sent.

        Raises:
            Refused: With the reason and its code.
            AckTimeout: If no answer arrived in time. A later one is received as a `LateAnswer`.
            ConnectionLost: If the connection is lost. If it was lost before the call, nothing was sent.
            LocalProtocolError: If the client is closed.
        """
        check_verb(verb)
        if isinstance(verb, Quit):
            self.close(verb.reason)
            return Ok(verb.ref)
        if isinstance(verb, Direct) and verb.to is None:
            if self._line.correspondent is None:
                raise refusal("nobody has written to you yet", code="bad_request")
            to, id = self._line.correspondent
            verb = verb._replace(to=to, reply_to=id or None)
        return self._line.ask(verb)

    def close(self, reason: str = "") -> None:
        """Leave for good, within some seconds; received items can still be taken. May be called again."""
        self.quit(reason)
        if self._state is not None:
            self._state.close(done=True)

    def quit(self, reason: str = "") -> None:
        """Leave, as `close` does, but keep the state file open, so that a running function can still call `done`."""
        self._line.close(reason)

    # Receiving

    def done(self) -> None:
        """Record in the state file that the last item taken is done; taking the next item does so as well."""
        self._inbox.settle()

    def next(self, kind: type[H], timeout: float | None = None) -> H:
        """
        Take items until one of this type arrives, and return it.

        Raises:
            TimeoutError: If none arrived within `timeout` seconds (default: no limit).
            ConnectionLost: If the connection is lost for good, and everything was taken.
            LocalProtocolError: If the client is closed, and everything was taken.
        """
        return self._inbox.next(kind, timeout)

    def take(self, timeout: float | None = None) -> Heard | None:
        """
        Wait for the next item and return it; None after `timeout` seconds, or if `interrupt` was called.

        Raises:
            ConnectionLost: If the connection is lost for good, and everything was taken.
            LocalProtocolError: If the client is closed, and everything was taken.
        """
        return self._inbox.take(timeout)

    def interrupt(self) -> None:
        """Wake the thread that waits in `take`, or the next one that would wait there."""
        self._inbox.interrupt()

    def events(self, timeout: float | None = None) -> Iterator[Heard]:
        """
        Yield received items, until none arrives for `timeout` seconds or the client is closed.

        Raises:
            ConnectionLost: If the connection is lost for good, and everything was taken.
        """
        return self._inbox.each(timeout)


def _open_state(state: str | os.PathLike[str] | SessionFile | None) -> SessionFile | None:
    if isinstance(state, str | os.PathLike):
        from pychat.client.session_file import SessionFile  # loaded only where it is used

        return SessionFile(state)
    return state


def _make_tls(trust: bool | Trust | SSLContext) -> ClientTls:
    if not isinstance(trust, bool | Trust) and not hasattr(trust, "wrap_bio"):
        raise wrong("tls", trust, "True, or Trust(ca='cert.pem'), or an ssl.SSLContext")
    from pychat.client.tls import ClientTls  # ssl is loaded only where TLS is used

    return ClientTls(trust)
