"""
TLS without a socket: bytes of the network in, bytes for the network out. The only module that imports ssl.

Reading an `ssl.SSLSocket` in one thread while another one writes corrupts memory (cpython #143756, #151508). So a
`TlsLayer` guards the state of one connection with a lock, and its users call `recv` and `send` on the raw socket
themselves, outside that lock. On a server the reader calls `receive` and only the writer `send`.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import ssl
import threading
from pathlib import Path
from typing import Final

from pychat.protocols.detect import ALPN
from pychat.transport.client_hello import NO_APPLICATION_PROTOCOL, offered_protocols
from pychat.transport.trust import BadCertificate, Certificate, File, Trust, write_fingerprint

_RECORD_BYTES: Final = 16_384
"""Maximum content of one record (RFC 8446 section 5.1). The buffers in between never shrink, so no more goes in."""
_HANDSHAKE_BYTES: Final = 32_768
"""Limit of input until the handshake is complete: some twenty times what a client needs."""
_UNSENT_BYTES: Final = 65_536
"""Limit of unsent answers to the peer's own TLS messages (KeyUpdate): thousands, which only an attack causes."""
_CLIENT_OFFERS: Final = ["pychat"]


class TooMuch(ssl.SSLError):
    """The handshake, or the answers to the peer, exceed any legitimate size."""


class TlsLayer:
    """The TLS state of one connection. Any thread may call any method; the caller keeps the order of bytes."""

    def __init__(self, context: ssl.SSLContext, *, server_name: str | None = None) -> None:
        """
        Args:
            server_name: The server's name, if this is the client's side.
        """
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_name is None, server_hostname=server_name
        )
        # Guards the state of TLS, which two threads must not use at once. Last in the order of locks: only ssl is
        # called under it, and no socket is used.
        self._lock = threading.Lock()
        self._hello: bytes | None = b"" if server_name is None else None
        """The client's bytes, until it is clear which protocols it offers."""
        self._received = 0
        self._closing = False
        self._refusal = b""
        self.established = False
        """True if the handshake is complete."""
        self.ended = False
        """True if nothing more can be received."""
        self.error: ssl.SSLError | None = None
        """The error that ended it; None after a proper end announced by the peer."""

    @property
    def protocol(self) -> str | None:
        """The protocol agreed on (ALPN), once the handshake is complete; None if the client offered nothing."""
        with self._lock:
            return self._object.selected_alpn_protocol()

    @property
    def pending(self) -> bool:
        """True if TLS itself has output: `send` must be called."""
        with self._lock:
            return bool(self._outgoing.pending or self._refusal)

    def start(self) -> None:
        """Begin the handshake, as the client."""
        with self._lock:
            self._shake_hands_locked()

    def receive(self, data: bytes) -> bytes:
        """Feed bytes from the network; return the decrypted bytes, which may be empty, and check `ended` afterwards."""
        plain: list[bytes] = []
        with self._lock:
            for start in range(0, len(data), _RECORD_BYTES):
                if self.ended:
                    break
                try:
                    self._take_in_locked(data[start : start + _RECORD_BYTES], plain)
                except ssl.SSLWantReadError:
                    pass
                except ssl.SSLZeroReturnError:
                    self.ended = True
                except ssl.SSLError as error:
                    self.ended, self.error = True, error
                if self._outgoing.pending > _UNSENT_BYTES:
                    self.ended, self.error = True, TooMuch("too many bytes are to be sent in answer")
        return b"".join(plain)

    def send(self, plain: bytes = b"") -> bytes:
        """
        Return the bytes for the network: the output of TLS itself, then `plain` encrypted.

        `plain` is dropped before the handshake is complete, after `end`, and after an error.
        """
        with self._lock:
            if not self.established or self._closing or self.error is not None:
                plain = b""
            parts = []
            try:
                for start in range(0, len(plain), _RECORD_BYTES):
                    self._object.write(plain[start : start + _RECORD_BYTES])
                    parts.append(self._outgoing.read())
            except ssl.SSLError as error:
                self.ended, self.error = True, error
            parts += [self._outgoing.read(), self._refusal]
            self._refusal = b""
        return b"".join(parts)

    def end(self) -> None:
        """Announce the end to the peer; `send` returns the message next."""
        with self._lock:
            if self.established and not self._closing and self.error is None:
                self._closing = True
                with contextlib.suppress(ssl.SSLError):  # the peer need not answer with the same
                    self._object.unwrap()

    def fingerprint(self) -> bytes:
        """Return the SHA-256 of the server's certificate, as the client, once the handshake is complete."""
        with self._lock:
            return hashlib.sha256(self._object.getpeercert(binary_form=True) or b"").digest()

    def _take_in_locked(self, data: bytes, plain: list[bytes]) -> None:
        """Continue the handshake, or read until more input is needed, which raises SSLWantReadError."""
        self._incoming.write(data)
        if not self.established:
            self._received += len(data)
            if self._received > _HANDSHAKE_BYTES:
                raise TooMuch(f"the handshake has more than {_HANDSHAKE_BYTES} bytes")
            if self._hello is not None:
                self._hello += data
            self._shake_hands_locked()
            self._check_offer_locked()
        while self.established and not self.ended:
            some = self._object.read(_RECORD_BYTES)
            self.ended = not some
            plain.append(some)

    def _shake_hands_locked(self) -> None:
        with contextlib.suppress(ssl.SSLWantReadError):
            self._object.do_handshake()
            self.established = True

    def _check_offer_locked(self) -> None:
        """Refuse a client that offers only unknown protocols, as soon as its first message is complete."""
        if self._hello is None or not self._outgoing.pending:
            return
        hello, self._hello = self._hello, None
        offered = offered_protocols(hello)
        if offered and not {name.encode() for name in ALPN}.intersection(offered):
            self._outgoing.read()
            self._refusal = NO_APPLICATION_PROTOCOL
            raise ssl.SSLError(f"none of {offered[:8]} is supported here")


class ServerTls:
    """The server's TLS configuration. Thread-safe."""

    def __init__(self, certificate: Certificate) -> None:
        """
        Load the certificate and its key.

        Raises:
            BadCertificate: If the files cannot be used.
        """
        self.certificate: Final = certificate
        self._context = _server_context(certificate)
        self.fingerprint = fingerprint_of(certificate.file)
        """The SHA-256 of the certificate, in the usual notation."""

    def layer(self) -> TlsLayer:
        """Return the server's side of a new connection."""
        return TlsLayer(self._context)


def _server_context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(list(ALPN))
    # A client that returns after hours gains nothing from resumption, and every new client would receive two tickets.
    context.num_tickets = 0
    _read_text(certificate.file)
    if certificate.key is not None:
        _read_text(certificate.key)
    try:
        # Without this password OpenSSL would ask for one at the terminal.
        context.load_cert_chain(certificate.file, certificate.key, password=lambda: b"")
    except ssl.SSLError as error:
        raise BadCertificate(*_why_not_loaded(certificate, error)) from error
    return context


def _why_not_loaded(certificate: Certificate, error: ssl.SSLError) -> tuple[str, str]:
    file, key = f"certificate {str(certificate.file)!r}", f"key {str(certificate.key or certificate.file)!r}"
    if error.reason == "KEY_VALUES_MISMATCH":
        return key, f"it does not belong to the {file}"
    try:
        fingerprint_of(certificate.file)
    except BadCertificate as bad:
        return bad.what, bad.problem
    if "ENCRYPTED" in _read_text(certificate.key or certificate.file):
        return key, "it has a passphrase; use a key without one, because the server cannot ask for it"
    if "PRIVATE KEY-----" not in _read_text(certificate.key or certificate.file):
        return key, "there is no private key in PEM form in it"
    return f"{file} with {key}", error.reason or str(error)


def fingerprint_of(file: File) -> str:
    """
    Return the SHA-256 of the first certificate of a PEM file, in the usual notation.

    Raises:
        BadCertificate: If there is none.
    """
    found = re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", _read_text(file), re.DOTALL)
    what = f"certificate {str(file)!r}"
    if found is None:
        raise BadCertificate(what, "there is no certificate in PEM form in it")
    try:
        return write_fingerprint(hashlib.sha256(ssl.PEM_cert_to_DER_cert(found[0])).digest())
    except ValueError as error:
        raise BadCertificate(what, f"it is damaged: {error}") from error


def _read_text(file: File) -> str:
    try:
        return Path(file).read_text("utf-8", "replace")
    except OSError as error:
        raise BadCertificate(f"cannot read {str(file)!r}", error.strerror or str(error)) from error


def client_context(trust: Trust) -> ssl.SSLContext:
    """
    Return the context of a client. With a fingerprint, the context itself verifies nothing.

    Raises:
        BadCertificate: If the file of authorities cannot be used.
    """
    if trust.fingerprint is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    else:
        if trust.ca is not None:
            fingerprint_of(trust.ca)
        context = ssl.create_default_context(cafile=trust.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(_CLIENT_OFFERS)
    return context
