"""
A chat client for programs: connect, say, hear, and come back after the connection was lost.

The methods are those of a session inside the server's process (`core/session.py`), so what is written for one works
with the other.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, TypeVar

from pychat.core.errors import Refused
from pychat.core.limits import Limits
from pychat.core.participant import Participant
from pychat.core.replies import Ok, Reply, Welcome
from pychat.core.session import names_of
from pychat.core.verbs import Direct, Hello, Quit, Verb
from pychat.transport.inbox import Dropped, Heard, Inbox, Reconnected, Reconnecting
from pychat.transport.lifeline import Lifeline
from pychat.transport.trust import Trust

if TYPE_CHECKING:
    from ssl import SSLContext

    from pychat.transport.tls_client import ClientTls

__all__ = ["ChatClient", "Dropped", "Heard", "Reconnected", "Reconnecting"]

H = TypeVar("H", bound=Heard)


class ChatClient(Participant):
    """
    A participant that is connected to a server. Every method may be called from any thread.

    A verb returns when the server has accepted it and raises when it has not: `Refused` with the reason, `AckTimeout`
    if no answer came in time, `ConnectionLost` if none can come. In the latter two cases the server may or may not
    have accepted it: nothing is ever sent again by itself.

    What is heard waits in an inbox until `next` or `events` take it. When 10,000 things wait, the oldest are dropped,
    and `Dropped` says so: a program that only talks need not listen.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 55555,
        *,
        nick: str,
        unix: str | os.PathLike[str] | None = None,
        rooms: Iterable[str] = (),
        reconnect: bool = False,
        replay: bool = False,
        password: str | None = None,
        account: str | None = None,
        account_password: str = "",
        bot: bool = False,
        own_messages: bool = False,
        timeout: float = 10.0,
        tls: bool | Trust | SSLContext = False,
    ) -> None:
        """
        Connect, register, and join the rooms.

        Args:
            unix: The path of a Unix socket, to connect to that instead of a host and a port.
            rooms: Which to join; none: the server's default room. One that is refused is a `Failure` in the inbox.
            reconnect: Whether to come back when the connection is lost: with the same nickname, in the same rooms,
                and with everything that was missed. `Reconnecting` and `Reconnected` in the inbox tell of it.
            replay: Whether the last messages of a room are wanted on join, as `Replay`.
            password: The server's, if it wants one.
            account: Log in to this account before the nickname is claimed, also when coming back.
            account_password: Its password.
            bot: Whether others shall see that it is a program that answers people.
            own_messages: Whether to hear what one says oneself, too, as `Message` in its place among those of others.
            timeout: Seconds to wait for the connection, and for the answer to each verb.
            tls: True: speak TLS, with a server whose certificate is for `host` and from an authority that this system
                knows; over a Unix socket it must be for `localhost`. `Trust` names another one to trust; a context of
                your own decides by itself.

        Raises:
            BadCertificate: What `tls` names cannot be used.
            ConnectFailed: No server answers there; `TlsFailed`: one does, but there is no TLS with it.
            Refused: The nickname is not allowed or in use, or the server does not let us in: `code` is
                `password_required` or `wrong_password` if it is for its password, `bad_credentials` for the account's.
        """
        self.address: Final[tuple[str, int | None]] = (host, port) if unix is None else (os.fspath(unix), None)
        """Host and port; or the path of a Unix socket, and None."""
        self._inbox = Inbox()
        hello = Hello(
            nick,
            names_of(rooms) or None,
            replay,
            password=password,
            bot=bot,
            account=account,
            account_password=account_password,
        )
        where, number = self.address
        self._line = Lifeline(
            where,
            number,
            hello,
            self._inbox,
            reconnect=reconnect,
            own_messages=own_messages,
            timeout=timeout,
            tls=_make_tls(tls) if tls else None,
        )

    def __enter__(self) -> ChatClient:
        return self

    def __exit__(self, *args: object) -> None:
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

    # Verbs

    def ask(self, verb: Verb) -> Reply:
        """
        Send any verb and return its answer. A `ref` of its own is not sent.

        Raises:
            Refused: With the reason and its code.
            AckTimeout: No answer came in time.
            ConnectionLost: The connection is lost. If it was before, nothing was sent.
            LocalProtocolError: The client is closed.
        """
        if isinstance(verb, Quit):
            self.close(verb.reason)
            return Ok(verb.ref)
        if isinstance(verb, Direct) and verb.to is None:
            if self._line.correspondent is None:
                raise Refused("nobody has written to you yet", code="bad_request")
            verb = verb._replace(to=self._line.correspondent)
        return self._line.ask(verb)

    def close(self, reason: str = "") -> None:
        """Leave for good, within some seconds; what was heard can still be taken. May be called again."""
        self._line.close(reason)

    # What is heard

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


def _make_tls(trust: bool | Trust | SSLContext) -> ClientTls:
    from pychat.transport.tls_client import ClientTls  # only who wants TLS pays for loading ssl

    return ClientTls(trust)
