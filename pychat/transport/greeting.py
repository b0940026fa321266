"""
The first bytes of a connection: who connects, and in which language.

A proxy names its client, TLS begins, the language is detected, and whoever speaks none that is spoken here is answered.
A session exists only afterwards (`connection.py`).
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from pychat.model.errors import RemoteProtocolError, TlsRequired
from pychat.model.replies import Bye, Failure
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
from pychat.transport.jobs import Raw
from pychat.transport.link import Link
from pychat.transport.origins import Origin
from pychat.transport.service import Service
from pychat.transport.threads.home import Steps, Wait

if TYPE_CHECKING:
    from pychat.transport.tls import TlsLayer

logger = logging.getLogger("pychat")

_NOT_SPOKEN: Final = {
    Language.TLS: b"",
    Language.FOREIGN: b"This is a chat. Use nc, an IRC client or pychat connect.\r\n",
}


class Greeting:
    """Used by one connection, until its language is known."""

    def __init__(self, service: Service, link: Link, origin: Origin, incoming: Incoming) -> None:
        self._service = service
        self._link = link
        self._origin = origin
        self._incoming = incoming
        self._deadline: float | None = None
        """The deadline for detecting the language or for the TLS handshake; None until the first bytes arrive."""
        self.answered = False
        """True if the peer was told something that has to reach it, though it cannot join the chat."""

    def run(self) -> Steps[tuple[Language | None, bytes]]:
        """Return the peer's language and all its bytes so far; None if it does not join the chat."""
        service = self._service
        data = (yield from self._meet_proxy()) if self._origin.proxied else b""
        if data is None:
            return None, b""
        tls, tls_required = service.tls, service.tls_required
        patience = PROMPT_SECONDS if tls is None else PATIENT_SECONDS
        detector = Detector(service.limits, prompt=not tls_required, patience=patience)
        language, data = yield from self._detect(detector, data)
        if language is Language.TLS and tls is not None:
            language, data = yield from self._secure(tls.layer(), data)
            self.answered = True
        elif language is not None and tls_required:
            language = self._refuse_plain(language)
        if language is None:
            return None, b""
        logger.debug("%s speaks %s", self._origin, language.value)
        if language in LANGUAGES:
            return language, data
        if language is Language.HTTP:
            yield from self._show_page(data)
        else:
            service.write_queue.submit(Raw(self._link, _NOT_SPOKEN[language]))
        self.answered = True
        return None, b""

    def _await_input(self, seconds: float | None) -> Steps[bool]:
        """Wait until there is something to receive, or the end; return False if the time is up."""
        return self._incoming.ended or (yield Wait(True, seconds))

    def _meet_proxy(self) -> Steps[bytes | None]:
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
                if left <= 0 or not (yield from self._await_input(left)):
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
        self.answered = True
        return None

    def _detect(self, detector: Detector, data: bytes = b"") -> Steps[tuple[Language | None, bytes]]:
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
            if (yield from self._await_input(min(waits, default=None))):
                data = self._incoming.receive(MOST_BYTES)
                if not data and self._incoming.ended:
                    return detector.eof(), detector.buffer
            elif detector.wait is not None and (left is None or detector.wait <= left):
                found = detector.silence()
                if isinstance(found, Ask):
                    self._service.write_queue.submit(Raw(self._link, found.value))
                elif isinstance(found, Language):
                    return found, detector.buffer

    def _secure(self, tls: TlsLayer, data: bytes) -> Steps[tuple[Language | None, bytes]]:
        """Perform the TLS handshake, then detect the language inside, as `_detect` does."""
        assert self._deadline is not None
        plain = yield from self._shake_hands(tls, data, self._deadline)
        if not tls.established:
            logger.debug("TLS with %s failed: %s", self._origin, tls.error or "it did not finish the handshake")
            return None, b""
        if tls.protocol is not None:
            language = ALPN[tls.protocol]
            if language is Language.HTTP and not plain:
                # A browser takes an answer before its request for a broken connection.
                plain = yield from self._more()
                return language if plain else None, plain
            return language, plain
        self._deadline = None  # a person who types by hand starts only now
        return (yield from self._detect(Detector(self._service.limits, tls=False), plain))

    def _shake_hands(self, tls: TlsLayer, data: bytes, deadline: float) -> Steps[bytes]:
        """Return the peer's first decrypted bytes; if TLS is not established then, the handshake failed."""
        plain = self._incoming.secure(tls, data)
        while not tls.established and not self._incoming.ended:
            left = deadline - time.monotonic()
            if left <= 0 or not (yield from self._await_input(left)):
                break
            plain = self._incoming.receive(LEAST_READ)
        return plain

    def _more(self) -> Steps[bytes]:
        """Wait for more of the request; return nothing if none arrives in time."""
        while not self._incoming.ended:
            left = 0.0 if self._deadline is None else self._deadline - time.monotonic()
            if left <= 0 or not (yield from self._await_input(left)):
                break
            if data := self._incoming.receive(MOST_BYTES):
                return data
        return b""

    def _show_page(self, data: bytes) -> Steps[None]:
        """Answer an HTTP request; nobody can join the chat by HTTP."""
        service, chat = self._service, self._service.chat
        while wants_page(data) and not is_whole(data) and (more := (yield from self._more())):
            data += more
        fingerprint = None if service.tls is None else service.tls.fingerprint
        site = Site(chat.name, chat.default_room.name, chat.password is not None, fingerprint, service.tls_required)
        service.write_queue.submit(Raw(self._link, answer(data, site, secure=self._link.tls is not None)))

    def _refuse_plain(self, language: Language) -> Language | None:
        """Refuse a peer without TLS, in its language; return the language instead if it is refused anyway."""
        if language not in LANGUAGES:
            return language
        error = TlsRequired()
        words = self._service.dialects[language].encode_private([Failure.of(error), Bye(str(error))], None)
        self._service.write_queue.submit(Raw(self._link, words))
        self.answered = True
        return None
