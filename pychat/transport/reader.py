"""
The reader of one connection: start TLS, detect the language, turn chunks into verbs, and let the chat perform them.

One thread does all of this, so the requests of a session are performed in order. It never sends; all output goes
through the writer (`writer.py`), as does the end of the connection.
"""

from __future__ import annotations

import logging
import socket
import time
from typing import TYPE_CHECKING, Final

from pychat.model.errors import Refused, RemoteProtocolError, TlsRequired
from pychat.model.replies import Bye, Failure
from pychat.model.verbs import Hello, Pong, Verb
from pychat.protocols.base import Protocol
from pychat.protocols.detect import (
    ALPN,
    HINT_BYTES,
    MOST_BYTES,
    PATIENT_SECONDS,
    PROMPT_SECONDS,
    Ask,
    Detector,
    Language,
)
from pychat.protocols.http.page import Site, answer, is_whole, wants_page
from pychat.protocols.proxy import MOST_BYTES as MOST_PROXY_BYTES
from pychat.protocols.proxy import ProxyLine
from pychat.protocols.registry import LANGUAGES
from pychat.transport.input import LEAST_READ, Incoming
from pychat.transport.jobs import Raw, Speak
from pychat.transport.link import Link, WireSession
from pychat.transport.origins import Origin
from pychat.transport.service import Service

if TYPE_CHECKING:
    from pychat.transport.tls import TlsLayer

logger = logging.getLogger("pychat")

_NOT_SPOKEN: Final = {
    Language.TLS: b"",
    Language.FOREIGN: b"This is a chat. Use nc, an IRC client or pychat connect.\r\n",
}

_NOISE_BYTES: Final = 4096
"""
Bytes without a verb (blank lines, telnet commands, TLS records) that count as one sign of life, which is charged like
any verb.
"""
_LINGER_SECONDS: Final = 2.0
"""The time limit for sending the last bytes to a peer, and for discarding what it still sends."""


class Connection:
    """Made and run on the thread that `Readers` starts for it."""

    def __init__(self, service: Service, sock: socket.socket, link: Link, origin: Origin) -> None:
        self._service = service
        self._link = link
        self._origin = origin
        self._incoming = Incoming(sock, link, service.write_queue)
        self._deadline: float | None = None
        """The deadline for detecting the language or for the TLS handshake; None until the first bytes arrive."""
        self._tries = 0
        self._lines = 0
        self._nickname: str | None = None
        """The nickname that the protocol knows; the server may have renamed the session since."""

    def run(self) -> None:
        """Serve the peer until it or the server ends the connection."""
        service = self._service
        data = self._meet_proxy() if self._origin.proxied else b""
        if data is None:
            return
        tls, tls_required = service.tls, service.tls_required
        patience = PROMPT_SECONDS if tls is None else PATIENT_SECONDS
        language, data = self._detect(Detector(service.limits, prompt=not tls_required, patience=patience), data)
        if language is Language.TLS and tls is not None:
            language, data = self._secure(tls.layer(), data)
        elif language is not None and tls_required:
            language = self._refuse_plain(language)
        if language is None:
            if self._link.tls is not None:
                self._finish()
            return
        logger.debug("%s speaks %s", self._origin, language.value)
        if language in LANGUAGES:
            self._serve(language, data)
        elif language is Language.HTTP:
            self._show_page(data)
        else:
            service.write_queue.submit(Raw(self._link, _NOT_SPOKEN[language]))
        self._finish()

    # The first bytes

    def _meet_proxy(self) -> bytes | None:
        """
        Read the PROXY line; return the client's bytes after it, None if the connection is over.

        The time limit is that of language detection, from the start of the connection: proxies send the line at once
        (proxy-protocol.txt, section 2).
        """
        line = ProxyLine()
        deadline = self._link.opened + self._service.limits.detection_seconds
        try:
            while not line.complete:
                left = deadline - time.monotonic()
                if left <= 0 or not self._incoming.wait(left):
                    raise RemoteProtocolError("it did not name its client in time")
                line.receive(self._incoming.receive(MOST_PROXY_BYTES))
                if self._incoming.ended and not line.complete:
                    logger.debug("proxy %s closed the connection without naming a client", self._origin)
                    return None
        except RemoteProtocolError as error:
            logger.warning("proxy %s is disconnected: %s", self._origin, error)
            return None
        proxy = self._origin.address
        refusal = None if line.address is None else self._service.admission.identify(self._origin, line.address)
        logger.debug("proxy %s forwards %s", proxy, line.address or "an unknown client")
        if refusal is None:
            return line.rest
        self._service.write_queue.submit(Raw(self._link, f"{refusal}\r\n".encode()))
        self._finish()
        return None

    def _detect(self, detector: Detector, data: bytes = b"") -> tuple[Language | None, bytes]:
        """
        Return the language and all bytes so far; None if the peer left or stalled before it was clear.

        Args:
            data: The bytes that have already arrived.
        """
        found: Language | Ask | None
        while True:
            if data:
                found = detector.receive(data)
                if self._deadline is None:
                    self._deadline = time.monotonic() + self._service.limits.detection_seconds
                if isinstance(found, Language):
                    if found is Language.IRC and detector.prompted and not detector.hinted:
                        self._service.write_queue.submit(Raw(self._link, HINT_BYTES))
                    return found, detector.buffer
            left = None if self._deadline is None else self._deadline - time.monotonic()
            if left is not None and left <= 0:
                return detector.eof(), detector.buffer
            waits = [seconds for seconds in (left, detector.wait) if seconds is not None]
            data = b""
            if self._incoming.wait(min(waits, default=None)):
                data = self._incoming.receive(MOST_BYTES)
                if not data and self._incoming.ended:
                    return detector.eof(), detector.buffer
            elif detector.wait is not None and (left is None or detector.wait <= left):
                found = detector.silence()
                if isinstance(found, Ask):
                    self._service.write_queue.submit(Raw(self._link, found.value))
                elif isinstance(found, Language):
                    return found, detector.buffer

    def _secure(self, tls: TlsLayer, data: bytes) -> tuple[Language | None, bytes]:
        """Perform the TLS handshake, then detect the language inside, as `_detect` does."""
        assert self._deadline is not None
        plain = self._incoming.secure(tls, data, self._deadline)
        if plain is None:
            logger.debug("TLS with %s failed: %s", self._origin, tls.error or "it did not finish the handshake")
            return None, b""
        if tls.protocol is not None:
            language = ALPN[tls.protocol]
            if language is Language.HTTP and not plain:
                # A browser takes an answer before its request for a broken connection.
                plain = self._more()
                return language if plain else None, plain
            return language, plain
        self._deadline = None  # a person who types by hand starts only now
        return self._detect(Detector(self._service.limits, tls=False), plain)

    def _more(self) -> bytes:
        """Wait for more of the request; return nothing if none arrives in time."""
        while not self._incoming.ended:
            left = 0.0 if self._deadline is None else self._deadline - time.monotonic()
            if left <= 0 or not self._incoming.wait(left):
                break
            if data := self._incoming.receive(MOST_BYTES):
                return data
        return b""

    def _show_page(self, data: bytes) -> None:
        """Answer an HTTP request; nobody can join the chat by HTTP."""
        service, chat = self._service, self._service.chat
        while wants_page(data) and not is_whole(data) and (more := self._more()):
            data += more
        fingerprint = None if service.tls is None else service.tls.fingerprint
        site = Site(chat.name, chat.default_room.name, chat.password is not None, fingerprint, service.tls_required)
        service.write_queue.submit(Raw(self._link, answer(data, site, secure=self._link.tls is not None)))

    # Verbs

    def _serve(self, language: Language, data: bytes) -> None:
        service = self._service
        session = WireSession(service.chat, service.write_queue, self._link, self._origin.address)
        protocol = LANGUAGES[language].protocol(service.limits, service.dialects[language])
        self._link.session, self._link.dialect, self._link.pings = session, protocol.dialect, protocol.pings
        session.language = language.value
        session.resumable = protocol.resumes
        session.echoes = protocol.dialect.echoes
        try:
            service.chat.open(session)
        except Refused as error:
            service.chat.send(session, Failure.of(error), Bye(str(error)))
            return
        try:
            self._converse(session, protocol, data)
        finally:
            service.chat.close(session, self._link.close_reason or "connection closed", lost=True)

    def _converse(self, session: WireSession, protocol: Protocol, data: bytes) -> None:
        chat = session.chat
        monotonic = chat.clock.monotonic
        had_more = False
        while data or not self._incoming.ended:
            session.uncounted += self._incoming.take_count()
            if data:
                session.last_input_time = monotonic()
                if not had_more:
                    session.held_back = None
                if session.asked is not None:
                    session.asked.set()
                    session.asked = None
                if session.nickname != self._nickname:
                    self._tell_nickname(session, protocol)
                protocol.receive(data)
                session.performing = True
                self._perform(session, protocol)
                session.performing = False
            if session.uncounted > _NOISE_BYTES:
                chat.perform(session, [Pong()])
            if session.closed or self._link.close_reason is not None:
                return
            waits = session.held_back is not None
            had_more = waits and self._incoming.wait(0)  # input that arrived during the wait is just as old
            data = self._incoming.receive(LEAST_READ if session.nickname is None or waits else None)
        if self._link.close_reason is None and not self._incoming.broken:  # otherwise the last line was cut off
            protocol.receive_eof()
            self._perform(session, protocol)

    def _perform(self, session: WireSession, protocol: Protocol) -> None:
        """Perform the verbs that a chunk completed."""
        chat = self._service.chat
        dialect = protocol.dialect
        while verbs := protocol.take_verbs():
            # One by one before registration, so that a chunk does not contain many attempts.
            for some in (verbs,) if session.nickname is not None else [[verb] for verb in verbs]:
                if session.nickname is None:
                    self._count_tries(some)
                chat.perform(session, some)
                if session.nickname is None:
                    if session.lacks_password and type(some[-1]) is Hello:
                        protocol.lacks_password()
                    self._give_up_registration(session, protocol)
                if session.nickname != self._nickname:
                    self._tell_nickname(session, protocol)
                if session.closed or self._link.close_reason is not None:
                    return
            if protocol.dialect is not dialect:
                dialect = protocol.dialect
                self._service.write_queue.submit(Speak(self._link, dialect))
                session.echoes = dialect.echoes

    def _tell_nickname(self, session: WireSession, protocol: Protocol) -> None:
        """Update the protocol if the session's nickname has changed."""
        if session.nickname is not None:
            self._nickname = session.nickname
            protocol.registered(session.nickname)

    def _count_tries(self, verbs: list[Verb]) -> None:
        self._lines += len(verbs)
        self._tries += sum(type(verb) is Hello for verb in verbs)

    def _give_up_registration(self, session: WireSession, protocol: Protocol) -> None:
        """End a session that has used up its attempts to register."""
        limits = self._service.limits
        if session.lacks_password and not protocol.asks_password:
            session.disconnect_self("nobody can join without the password")
        elif self._tries and not protocol.asks_again:
            session.disconnect_self("the nickname was refused; connect again with another")
        elif self._tries >= limits.registration_tries:
            what = "tries without the password" if session.lacks_password else "nicknames were refused"
            session.disconnect_self(f"{limits.registration_tries} {what}")
        elif self._lines >= limits.registration_lines:
            session.disconnect_self(f"no nickname accepted in {limits.registration_lines} lines")

    # The end

    def _refuse_plain(self, language: Language) -> Language | None:
        """Refuse a peer without TLS, in its language; return the language instead if it is refused anyway."""
        if language not in LANGUAGES:
            return language
        error = TlsRequired()
        words = self._service.dialects[language].encode_private([Failure.of(error), Bye(str(error))], None)
        self._service.write_queue.submit(Raw(self._link, words))
        self._finish()
        return None

    def _finish(self) -> None:
        """
        Let the last bytes reach the peer.

        Closing a socket with unread input resets the connection, and the peer may lose the last bytes; so input is read
        and discarded for a while.
        """
        if self._link.dead:
            return
        self._service.write_queue.finish(self._link, _LINGER_SECONDS)
        deadline = time.monotonic() + _LINGER_SECONDS
        while not self._link.dead and not self._service.chat.stopping.is_set():
            if not self._incoming.throw_away(deadline):
                return
