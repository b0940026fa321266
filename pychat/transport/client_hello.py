"""
Read the protocols that a client offers in the first TLS message (RFC 8446 section 4.1.2, RFC 7301 section 3.1).

The ssl module does not reveal them, and continues if it knows none of them. But a client that wants another protocol
was redirected here, perhaps to misuse the certificate (https://alpaca-attack.com).
"""

from __future__ import annotations

from typing import Final

NO_APPLICATION_PROTOCOL: Final = b"\x15\x03\x03\x00\x02\x02\x78"
"""The alert that refuses such an offer, as a record: fatal, 120 (RFC 7301 section 3.2)."""

_HANDSHAKE, _CLIENT_HELLO, _ALPN = 22, 1, 16
_VERSION_AND_RANDOM = 2 + 32


class _Vectors:
    """Reads TLS vectors, which begin with their length; raises ValueError if one is incomplete."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        part = self._data[self._at : self._at + size]
        if len(part) < size:
            raise ValueError("it is cut off")
        self._at += size
        return part

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size_of_length: int) -> bytes:
        return self.take(self.number(size_of_length))


def offered_protocols(stream: bytes) -> list[bytes]:
    """
    Return the protocol names from the start of a stream of records; empty if there are none.

    Args:
        stream: The bytes from the client. An incomplete or malformed message offers nothing; the ssl module reports its
            errors.
    """
    try:
        extensions = _extensions(_message(stream))
        names = _Vectors(_Vectors(extensions[_ALPN]).vector(2)) if _ALPN in extensions else _Vectors(b"")
        offered = []
        while names:
            offered.append(names.vector(1))
        return offered
    except ValueError:
        return []


def _message(stream: bytes) -> _Vectors:
    """Return the body of the ClientHello, joined from its records."""
    records = _Vectors(stream)
    handshake = b""
    while len(handshake) < 4 or len(handshake) < 4 + int.from_bytes(handshake[1:4], "big"):
        if records.number(1) != _HANDSHAKE:
            raise ValueError("no handshake")
        records.take(2)
        handshake += records.vector(2)
    if handshake[0] != _CLIENT_HELLO:
        raise ValueError("no ClientHello")
    return _Vectors(_Vectors(handshake[1:]).vector(3))


def _extensions(hello: _Vectors) -> dict[int, bytes]:
    hello.take(_VERSION_AND_RANDOM)
    for size_of_length in (1, 2, 1):  # session id, cipher suites, compression methods
        hello.vector(size_of_length)
    extensions = {}
    left = _Vectors(hello.vector(2) if hello else b"")
    while left:
        kind = left.number(2)
        extensions[kind] = left.vector(2)
    return extensions
