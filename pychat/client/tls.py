"""
The client's side of TLS: perform the handshake, and check the server's identity.

Problems are described for people: an attacker and a server with an unverified certificate look the same from here.
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
"""Codes of X509_verify_cert: self-signed, or signed by an unknown authority."""
_NOT_VERIFIED: Final = {
    9: "its certificate is not valid yet; is this machine's clock right?",
    10: "its certificate has expired",
    18: "its certificate is self-signed",
    19: "its certificate is not from a trusted authority",
    20: "its certificate is not from a trusted authority",
    21: "its certificate is not from a trusted authority",
    62: "its certificate is for another host name",
    64: "its certificate is for another address",
}
"""The problems of a certificate, by the codes of X509_verify_cert."""
_REASONS: Final = {
    "no application protocol": "it uses TLS, but is not pychat",
    "protocol version": "it supports only another version of TLS; 1.2 is the oldest that is safe",
    "unsupported protocol": "it supports only another version of TLS; 1.2 is the oldest that is safe",
}
"""The meaning of alerts and OpenSSL errors, by words in them: not every Python version knows all their names."""


class ClientTls:
    """The trust of one client. Created once, used for each of its connections."""

    def __init__(self, trust: Trust | SSLContext | bool) -> None:
        """
        Load the certificates to trust.

        Raises:
            BadCertificate: If the file or fingerprint cannot be used.
        """
        trusted = trust if isinstance(trust, Trust) else Trust()
        self._fingerprint = None if trusted.fingerprint is None else read_fingerprint(trusted.fingerprint)
        self._context = client_context(trusted) if isinstance(trust, Trust | bool) else trust

    def shake_hands(self, sock: socket.socket, host: str, port: int | None, timeout: float) -> tuple[TlsLayer, bytes]:
        """
        Start TLS on a connection; return its layer, and the server's first decrypted bytes.

        Args:
            port: None if `host` is the path of a Unix socket; the certificate must then be for "localhost".

        Raises:
            TlsFailed: If the server does not speak TLS, or is not trusted.
        """
        try:
            layer = TlsLayer(self._context, server_name=_name_of(host, port))
        except ValueError as error:  # "" connects, but is not a name that a certificate can have
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
    """Return the name that the server's certificate must have."""
    return "localhost" if port is None else host


def _shake_hands(layer: TlsLayer, sock: socket.socket, timeout: float) -> tuple[bytes, str | None]:
    """Return the server's first decrypted bytes, and the problem, or None."""
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
                return b"", "it ended the connection instead of starting TLS"
            if head is not None:
                head += data
                if not (data := behind_prompt(head)):
                    continue  # the prompt was sent before our hello arrived; it is not part of TLS
                head = None
                if not speaks_tls(data):
                    return b"", f"it does not use TLS: {recognise(data) or 'it'} says {first_line(data)!r}"
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
    """Connect again without verification and return the fingerprint, which the failed connection does not reveal."""
    layer = TlsLayer(client_context(Trust(fingerprint="0" * 64)), server_name=_name_of(host, port))
    try:
        with open_connection(host, port, timeout) as sock:
            _, problem = _shake_hands(layer, sock, timeout)
    except OSError:
        return None
    return write_fingerprint(layer.fingerprint()) if problem is None else None
