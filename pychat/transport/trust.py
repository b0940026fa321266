"""TLS identities: the server's certificate, and what a client trusts. Values only: importing this does not load ssl."""

from __future__ import annotations

import re
from os import PathLike
from typing import Final, NamedTuple, TypeAlias

from pychat.model.errors import ChatError

File: TypeAlias = str | PathLike[str]

_DIGEST_HEX: Final = 64
"""Hexadecimal digits of a SHA-256."""


class Certificate(NamedTuple):
    """
    The files with which a server proves its identity, in PEM: `ChatServer(tls=Certificate("cert.pem", "key.pem"))`.

    They are read when the server is made, and by `ChatServer.reload_tls`.
    """

    file: File
    """The server's certificate, followed by the intermediate certificates."""
    key: File | None = None
    """Its private key, without a passphrase. None if it is in the same file."""


class Trust(NamedTuple):
    """
    The server that a client accepts: `ChatClient(tls=Trust(fingerprint="9f:86:..."))`.

    With neither field, the server needs a certificate for its host name, from an authority that this system trusts.
    """

    ca: File | None = None
    """Trust the certificates of this PEM file instead of the system's authorities."""
    fingerprint: str | None = None
    """Trust the certificate with this SHA-256 and no other; its names and dates are not checked."""


class BadCertificate(ChatError):
    """A certificate, a key or a fingerprint cannot be used; `problem` says why."""

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(what, problem)
        self.what, self.problem = what, problem

    def __str__(self) -> str:
        return f"{self.what}: {self.problem}"


def write_fingerprint(digest: bytes) -> str:
    """Return a SHA-256 in the usual notation: `9F:86:D0:...`."""
    return digest.hex(":").upper()


def read_fingerprint(text: str) -> bytes:
    """
    Return the SHA-256, written with colons or without.

    Raises:
        BadCertificate: If the text is not a SHA-256.
    """
    digits = text.replace(":", "").strip()
    if not re.fullmatch(f"[0-9A-Fa-f]{{{_DIGEST_HEX}}}", digits):
        raise BadCertificate(f"fingerprint {text!r}", f"a SHA-256 has {_DIGEST_HEX} hexadecimal digits")
    return bytes.fromhex(digits)
