"""
The reader of one connection: find out the language, turn chunks into verbs, let the chat perform them.

One thread runs all of it, so everything that a session asks for happens in order. It never sends; whatever is to be
sent goes through the writer (`fanout.py`), as does the end of the connection.
"""

from __future__ import annotations

import logging
import select
import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from pychat.core.errors import Refused
from pychat.core.replies import Bye, Failure
from pychat.core.verbs import Hello, SayAll, Verb
from pychat.protocols.base import Protocol
from pychat.protocols.detect import MOST_BYTES, PROMPT, PROMPT_BYTES, Ask, Detector, Language
from pychat.protocols.irc.protocol import IrcProtocol
from pychat.protocols.jsonlines import JsonProtocol
from pychat.protocols.text import ClassicProtocol, TextProtocol
from pychat.transport.jobs import Raw, Speak
from pychat.transport.link import Link, WireSession

if TYPE_CHECKING:
    from pychat.server import ChatServer

logger = logging.getLogger("pychat")

PROTOCOLS: Final[dict[Language, type[Protocol]]] = {
    Language.TEXT: TextProtocol,
    Language.CLASSIC: ClassicProtocol,
    Language.JSON: JsonProtocol,
    Language.IRC: IrcProtocol,
}

_NO_PAGE: Final = b"This chat has no web page. Use nc.\r\n"
_NOT_SPOKEN: Final = {
    Language.HTTP: b"HTTP/1.1 501 Not Implemented\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
    b"Connection: close\r\n\r\n%b" % (len(_NO_PAGE), _NO_PAGE),
    Language.TLS: b"",
}

_LEAST_READ: Final = 1024
_MOST_READ: Final = 65_536
_VERBS_AT_ONCE: Final = 512
"""How many verbs of a chunk are performed before the writer may see them: what they cause shall fit a send queue."""
_VERB_BYTES: Final = 32
"""What a verb costs the writer beyond its text: names, ids."""
_LINGER_SECONDS: Final = 2.0
"""How long the last words to a peer may take, and how long it may go on sending without being heard."""


class Connection:
    """Made and run by the thread that `ChatServer` starts for it."""

    def __init__(self, server: ChatServer, sock: socket.socket, link: Link, address: str) -> None:
        self._server = server
        self._socket = sock
        self._link = link
        self._address = address
        self._tries = 0
        self._lines = 0
        self._peer_ended = False
        self._broken = False

    def run(self) -> None:
        """Serve the peer until it or the server ends the connection."""
        language, data = self._detect()
        if language is None:
            return
        logger.debug("%s speaks %s", self._address, language.value)
        if language in PROTOCOLS:
            self._serve(language, data)
        else:
            self._server.fanout.submit(Raw(self._link, _NOT_SPOKEN[language]))
        self._finish()

    # The first bytes

    def _detect(self) -> tuple[Language | None, bytes]:
        """Return the language and the bytes it was told by; None if the peer was gone or stuck before it was clear."""
        limits = self._server.limits
        detector = Detector(limits)
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        deadline: float | None = None
        found: Language | Ask | None
        while True:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return detector.eof(), detector.buffer
            waits = [seconds for seconds in (left, detector.wait) if seconds is not None]
            if poller.poll(min(waits) * 1000 if waits else None):
                data = self._receive(MOST_BYTES)
                if not data:
                    return detector.eof(), detector.buffer
                found = detector.receive(data)
                if deadline is None:
                    deadline = time.monotonic() + limits.detection_seconds
            elif detector.wait is not None and (left is None or detector.wait <= left):
                found = detector.silence()
                if found is PROMPT:
                    self._server.fanout.submit(Raw(self._link, PROMPT_BYTES))
            else:
                continue
            if isinstance(found, Language):
                return found, detector.buffer

    # Verbs

    def _serve(self, language: Language, data: bytes) -> None:
        server = self._server
        session = WireSession(server.chat, server.fanout, self._link, self._address)
        protocol = PROTOCOLS[language](server.limits, server.dialects[language])  # type: ignore[call-arg]  # all of the table take these
        self._link.session, self._link.dialect, self._link.pings = session, protocol.dialect, protocol.pings
        session.resumable = protocol.resumes
        session.echoes = protocol.dialect.echoes
        try:
            server.chat.open(session)
        except Refused as error:
            server.chat.send(session, Failure.of(error), Bye(str(error)))
            return
        try:
            self._converse(session, protocol, data)
        finally:
            server.chat.close(session, self._link.verdict or "connection closed", lost=True)

    def _converse(self, session: WireSession, protocol: Protocol, data: bytes) -> None:
        size = _LEAST_READ
        monotonic = session.chat.clock.monotonic
        while data:
            session.heard = monotonic()
            protocol.receive(data)
            self._perform(session, protocol, len(data))
            if session.closed or self._link.verdict is not None:
                return
            if len(data) == size:
                size = min(size * 8, _MOST_READ)
            elif len(data) < size // 16:
                size = _LEAST_READ
            data = self._receive(size)
        if self._link.verdict is None and not self._broken:  # else the last line is not unfinished but cut off
            protocol.receive_eof()
            self._perform(session, protocol, 0)

    def _perform(self, session: WireSession, protocol: Protocol, size: int) -> None:
        """Perform what a chunk of `size` bytes completed."""
        chat = self._server.chat
        dialect = protocol.dialect
        while verbs := protocol.take_verbs():
            # Before registration one by one, so that nobody has a thousand tries in one chunk.
            for some in _slices(verbs, 1 if session.nickname is None else _VERBS_AT_ONCE):
                nickname = session.nickname
                if nickname is None:
                    self._count_tries(some)
                chat.perform(session, some)
                chat.throttle(session, size + _VERB_BYTES * sum(map(_weight, some)))
                size = 0
                if session.nickname is None:
                    if session.lacks_password and type(some[-1]) is Hello:
                        protocol.lacks_password()
                    self._give_up_registration(session, protocol)
                elif session.nickname != nickname:
                    protocol.registered(session.nickname)
                if session.closed or self._link.verdict is not None:
                    return
            if protocol.dialect is not dialect:
                dialect = protocol.dialect
                self._server.fanout.submit(Speak(self._link, dialect))
                session.echoes = dialect.echoes

    def _count_tries(self, verbs: list[Verb]) -> None:
        self._lines += len(verbs)
        self._tries += sum(type(verb) is Hello for verb in verbs)

    def _give_up_registration(self, session: WireSession, protocol: Protocol) -> None:
        """End a session that has had its tries and still no nickname."""
        limits = self._server.limits
        if session.lacks_password and not protocol.asks_password:
            session.end("nobody comes in without the password")
        elif self._tries and not protocol.asks_again:
            session.end("that nickname is refused; connect again with another")
        elif self._tries >= limits.registration_tries:
            what = "tries without the password" if session.lacks_password else "nicknames were refused"
            session.end(f"{limits.registration_tries} {what}")
        elif self._lines >= limits.registration_lines:
            session.end(f"no nickname in {limits.registration_lines} lines")

    # The socket

    def _receive(self, size: int) -> bytes:
        """Return what has arrived, at least a byte; nothing if the peer has ended, or the connection is broken."""
        try:
            data = self._socket.recv(size)
        except OSError:
            data, self._broken = b"", True
        self._peer_ended = not data
        return data

    def _finish(self) -> None:
        """
        Let the last words arrive.

        A socket that is closed while unread input waits resets the connection, and the peer may lose what was sent to
        it; so that is read, and thrown away, for a while.
        """
        if self._link.dead:
            return
        self._server.fanout.finish(self._link, _LINGER_SECONDS)
        deadline = time.monotonic() + _LINGER_SECONDS
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        while not self._peer_ended and not self._link.dead and not self._server.chat.stopping.is_set():
            left = deadline - time.monotonic()
            if left <= 0 or not poller.poll(left * 1000):
                return
            self._receive(_MOST_READ)


def _weight(verb: Verb) -> int:
    """How many verbs it stands for."""
    return len(verb.texts) if type(verb) is SayAll else 1


def _slices(verbs: list[Verb], most: int) -> Iterator[list[Verb]]:
    """Cut the verbs so that each part stands for not many more than this number."""
    some: list[Verb] = []
    weight = 0
    for verb in verbs:
        some.append(verb)
        weight += _weight(verb)
        if weight >= most:
            yield some
            some, weight = [], 0
    if some:
        yield some
