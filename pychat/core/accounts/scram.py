"""
SCRAM-SHA-256: proving knowledge of a password without sending it (RFC 5802, RFC 7677). Pure functions of bytes.

The server stores `ScramKeys`, which can check a proof but not make one. Channel binding is not supported.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import stringprep
import unicodedata
from typing import Final, NamedTuple

from pychat.model.errors import ChatError

ITERATIONS: Final = 600_000
"""The iterations of PBKDF2 for new passwords: more than RFC 7677's minimum of 4096, because the keys may be stolen."""

_HASH: Final = "sha256"
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 18


class BadScram(ChatError):
    """The message is not SCRAM, or asks for an unsupported feature."""


class BadPassword(ChatError):
    """The text is not a possible password: it has a character that RFC 4013 prohibits."""


class ScramKeys(NamedTuple):
    """The keys that a server stores instead of a password."""

    salt: bytes
    iterations: int
    stored: bytes
    """StoredKey, which checks the client's proof."""
    server: bytes
    """ServerKey, with which the server proves that it knows the password, too."""


class ScramProof(NamedTuple):
    """A client's proof that it knows a password, with the exchange it covers (`proves`)."""

    proof: bytes
    exchange: bytes
    """AuthMessage: all messages so far, without the proof (RFC 5802 section 3)."""


def prepare(password: str) -> str:
    """
    Return the password in the form that is hashed, the same for every keyboard (SASLprep, RFC 4013).

    Characters that Unicode 3.2 did not have are not changed: people use them, and NFKC is stable.

    Raises:
        BadPassword: If it has prohibited characters: control characters, private use, surrogates.
    """
    if password.isascii():
        mapped = password
    else:
        spaces = [" " if stringprep.in_table_c12(c) else c for c in password if not stringprep.in_table_b1(c)]
        mapped = unicodedata.normalize("NFKC", "".join(spaces))
    if any(map(_is_prohibited, mapped)):
        raise BadPassword("a password must not contain control characters")
    return mapped


def _is_prohibited(character: str) -> bool:
    return (
        stringprep.in_table_c21_c22(character)
        or stringprep.in_table_c3(character)
        or stringprep.in_table_c4(character)
        or stringprep.in_table_c5(character)
        or stringprep.in_table_c6(character)
        or stringprep.in_table_c7(character)
        or stringprep.in_table_c8(character)
        or stringprep.in_table_c9(character)
    )


def make_keys(password: str, iterations: int = ITERATIONS, salt: bytes | None = None) -> ScramKeys:
    """
    Return the keys of a password; takes the time of `iterations`.

    Raises:
        BadPassword: If it is not a possible password.
    """
    salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    salted = hashlib.pbkdf2_hmac(_HASH, prepare(password).encode(), salt, iterations)
    client = hmac.digest(salted, b"Client Key", _HASH)
    return ScramKeys(salt, iterations, hashlib.sha256(client).digest(), hmac.digest(salted, b"Server Key", _HASH))


def fake_keys(name: str, secret: bytes, iterations: int = ITERATIONS) -> ScramKeys:
    """Return keys that no password fits, always the same for a name, so that they look like real ones."""
    digest = hmac.digest(secret, name.encode(errors="surrogatepass"), hashlib.sha512)
    return ScramKeys(digest[:_SALT_BYTES], iterations, digest[:32], digest[32:])


def proves(proof: ScramProof, keys: ScramKeys) -> bool:
    """Return whether the proof's sender knows the password (RFC 5802 section 3). Runs in constant time."""
    signature = hmac.digest(keys.stored, proof.exchange, _HASH)
    if len(proof.proof) != len(signature):
        return False
    client = bytes([one ^ other for one, other in zip(proof.proof, signature, strict=True)])
    return hmac.compare_digest(hashlib.sha256(client).digest(), keys.stored)


def server_signature(exchange: bytes, keys: ScramKeys) -> bytes:
    """Return the proof for the client that the server knows its password."""
    return hmac.digest(keys.server, exchange, _HASH)


class ClientFirst(NamedTuple):
    """The first message of a client (RFC 5802 section 7)."""

    header: str
    """The GS2 header, which the client repeats in its last message."""
    bare: str
    """The message without the header."""
    name: str
    """The name of the account."""
    authzid: str
    """The account it wants to act as; empty for its own."""
    nonce: str


class Challenge:
    """The server's side of one exchange, from the client's first message on."""

    def __init__(self, first: ClientFirst, keys: ScramKeys, nonce: str | None = None) -> None:
        """
        Args:
            nonce: The server's part of the nonce. Default: a new one.
        """
        self._first = first
        self._nonce = first.nonce + (secrets.token_urlsafe(_NONCE_BYTES) if nonce is None else nonce)
        self.message: Final = f"r={self._nonce},s={_base64(keys.salt)},i={keys.iterations}"
        """The server's first message."""
        self._keys = keys

    def proof(self, final: bytes) -> ScramProof:
        """
        Return the proof in the client's last message.

        Raises:
            BadScram: If it is not such a message, or belongs to another exchange.
        """
        text = _text(final)
        without, comma, proof = text.rpartition(",p=")
        attributes = _attributes(without)
        if not comma or attributes[:2] != [("c", _base64(self._first.header.encode())), ("r", self._nonce)]:
            raise BadScram("not a valid final message of this exchange")
        exchange = f"{self._first.bare},{self.message},{without}"
        return ScramProof(_from_base64(proof), exchange.encode())

    def answer(self, proof: ScramProof) -> str:
        """Return the server's last message, for a proof that has been checked."""
        return f"v={_base64(server_signature(proof.exchange, self._keys))}"


def read_first(message: bytes) -> ClientFirst:
    """
    Return the parsed first message of a client.

    Raises:
        BadScram: If it is not one, or demands channel binding or an extension.
    """
    text = _text(message)
    binding, _, rest = text.partition(",")
    authzid, comma, bare = rest.partition(",")
    if binding not in ("n", "y") or not comma or (authzid and not authzid.startswith("a=")):
        raise BadScram("channel binding is not offered" if binding.startswith("p=") else "not a valid first message")
    attributes = _attributes(bare)
    if [name for name, _ in attributes[:2]] != ["n", "r"]:
        raise BadScram("not a valid first message")
    name, nonce = attributes[0][1], attributes[1][1]
    if not nonce or not name:
        raise BadScram("the name or the nonce is empty")
    return ClientFirst(text[: -len(bare)], bare, _name(name), _name(authzid[2:]), nonce)


def _text(message: bytes) -> str:
    try:
        text = message.decode()
    except UnicodeDecodeError:
        raise BadScram("not UTF-8") from None
    if not text.isprintable():  # RFC 5802 section 7 allows only printable characters
        raise BadScram("control characters")
    return text


def _attributes(text: str) -> list[tuple[str, str]]:
    parts = [part.partition("=") for part in text.split(",")]
    if any(len(name) != 1 or not equals for name, equals, _ in parts):
        raise BadScram("not a list of attributes")
    return [(name, value) for name, _, value in parts]


def _name(escaped: str) -> str:
    """Decode a name: "=2C" is a comma, "=3D" an equals sign, others are errors (RFC 5802 section 5.1)."""
    plain = escaped.replace("=2C", ",").replace("=3D", "")
    if "=" in plain:
        raise BadScram("not a name")
    return escaped.replace("=2C", ",").replace("=3D", "=")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadScram("not base64") from None
