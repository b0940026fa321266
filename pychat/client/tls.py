"""
The client's side of TLS: shake hands with the server, and find out whether it is the right one.

What can go wrong is told as a person must know it: who wants to fool us and who has just no certificate that others
vouch for look the same from here.
"""

from __future__ import annotations

import hmac
import select
import socket
import time
from typing import TYPE_CHECKING, Final

from pychat.model.errors import TlsFailed
from pychat.protocols.detect import behind_prompt
from pychat.protocols.foreign import first_line, recognise, speaks_tls
from pychat.transport.tls import TlsLayer, client_context
from pychat.transport.trust import Trust, read_fingerprint, write_fingerprint
from pychat.transport.unix import open_connection

if TYPE_CHECKING:
    from ssl import SSLContext

_READ_BYTES: Final = 16_384

_NOBODY_VOUCHES: Final = frozenset({18, 19, 20, 21})
"""Codes of X509_verify_cert: self-signed, signed by one that we do not know."""
_NOT_VERIFIED: Final = {
    9: "its certificate is not valid yet; is this machine's clock right?",
    10: "its certificate has expired",
    18: "nobody vouches for its certificate, which is self-signed",
    19: "nobody that we know vouches for its certificate",
    20: "nobody that we know vouches for its certificate",
    21: "nobody that we know vouches for its certificate",
    62: "its certificate is for another host name",
    64: "its certificate is for another address",
}
"""What a certificate lacks, by the codes of X509_verify_cert."""
_REASONS: Final = {
    "no application protocol": "it speaks TLS, but is no pychat",
    "protocol version": "it speaks another version of TLS only; 1.2 is the oldest that is safe",
    "unsupported protocol": "it speaks another version of TLS only; 1.2 is the oldest that is safe",
}
"""What alerts and errors of OpenSSL mean here, by words in them: not every Python knows all of their names."""


class ClientTls:
    """Which servers one client trusts. Made once, used for each of its connections."""

    def __init__(self, trust: Trust | SSLContext | bool) -> None:
        """
        Raises:
            BadCertificate: What it names cannot be used.
        """
        trusted = trust if isinstance(trust, Trust) else Trust()
        self._fingerprint = None if trusted.fingerprint is None else read_fingerprint(trusted.fingerprint)
        self._context = client_context(trusted) if isinstance(trust, Trust | bool) else trust

    def shake_hands(self, sock: socket.socket, host: str, port: int | None, timeout: float) -> tuple[TlsLayer, bytes]:
        """
        Make a connection one of TLS; return its layer, and what the server said behind the handshake.

        Args:
            port: None: `host` is the path of a Unix socket; then the certificate must be for "localhost".

        Raises:
            TlsFailed: The other side does not speak it, or is not the one that we trust.
        """
        try:
            layer = TlsLayer(self._context, server_name=_name_of(host, port))
        except ValueError as error:  # "" connects, but is no name to look for in a certificate
            raise TlsFailed(host, port, str(error)) from error
        plain, problem = _shake_hands(layer, sock, timeout)
        if problem is None and self._fingerprint is not None:
            found = layer.fingerprint()
            if not hmac.compare_digest(found, self._fingerprint):
                problem = f"its certificate has another fingerprint: {write_fingerprint(found)}"
        if problem is None:
            return layer, plain
        fingerprint = None
        if getattr(layer.error, "verify_code", 0) in _NOBODY_VOUCHES:
            fingerprint = look_up_fingerprint(host, port, timeout)
            if fingerprint is not None:
                problem += f"; its fingerprint is {fingerprint}"
        raise TlsFailed(host, port, problem, fingerprint)


def _name_of(host: str, port: int | None) -> str:
    """What the server's certificate must be for."""
    return "localhost" if port is None else host


def _shake_hands(layer: TlsLayer, sock: socket.socket, timeout: float) -> tuple[bytes, str | None]:
    """Return what the server said behind the handshake, and what is wrong with it; None: nothing is."""
    deadline = time.monotonic() + timeout
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    head: bytes | None = b""
    plain = b""
    layer.start()
    try:
        while True:
            sock.sendall(layer.send())  # a handshake fits the buffer of a new socket
            if layer.established or layer.error is not None:
                return plain, _problem(layer)
            if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
                return b"", f"no answer within {timeout:g} s"
            data = sock.recv(_READ_BYTES)
            if not data:
                return b"", "it ended the connection instead of speaking TLS"
            if head is not None:
                head += data
                if not (data := behind_prompt(head)):
                    continue  # we were asked for a nickname before our hello came; that is not for TLS
                head = None
                if not speaks_tls(data):
                    return b"", f"there is no TLS, {recognise(data) or 'it'} says {first_line(data)!r}"
            plain = layer.receive(data)
    except OSError as error:
        return b"", f"{error.strerror or error}, instead of TLS"


def _problem(layer: TlsLayer) -> str | None:
    error = layer.error
    if error is None:
        return None
    code = getattr(error, "verify_code", 0)
    if code:
        return _NOT_VERIFIED.get(code) or f"its certificate is not valid: {getattr(error, 'verify_message', code)}"
    said = f"{error.reason} {error}".replace("_", " ").lower()
    return next((text for words, text in _REASONS.items() if words in said), f"TLS failed: {error.reason or error}")


def look_up_fingerprint(host: str, port: int | None, timeout: float) -> str | None:
    """Connect once more, and trust anybody, to tell who it would be; the first connection does not show it any more."""
    layer = TlsLayer(client_context(Trust(fingerprint="0" * 64)), server_name=_name_of(host, port))
    try:
        with open_connection(host, port, timeout) as sock:
            _, problem = _shake_hands(layer, sock, timeout)
    except OSError:
        return None
    return write_fingerprint(layer.fingerprint()) if problem is None else None
