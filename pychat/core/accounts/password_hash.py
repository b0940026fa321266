"""
Passwords of accounts as they are kept: hashed so slowly that nobody can try many (scrypt, RFC 7914).

Each hash keeps the parameters that it was made with, so that they can be raised later. To make or to compare one takes
16 MiB and a fifth of a second of a processor: leave it to `workers.Workers`, never to the thread of a session.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final, NamedTuple

from pychat.core.accounts.scram import prepare

_SALT_BYTES: Final = 16
_KEY_BYTES: Final = 32


class Cost(NamedTuple):
    """Parameters of scrypt (RFC 7914 section 2). It takes 128 * n * r bytes of memory, and time for p times that."""

    n: int = 2**14
    r: int = 8
    p: int = 5


class PasswordHash(NamedTuple):
    """What is kept of a password."""

    cost: Cost
    salt: bytes
    key: bytes

    @classmethod
    def of(cls, password: str, cost: Cost = Cost()) -> PasswordHash:  # noqa: B008 -- immutable
        """
        Hash a password; takes about a fifth of a second.

        Raises:
            BadPassword: It can be no password (`scram.prepare`).
        """
        salt = secrets.token_bytes(_SALT_BYTES)
        return cls(cost, salt, _scrypt(prepare(password), salt, cost))

    def fits(self, password: str) -> bool:
        """
        Whether this is the password; takes as long as it took to make it.

        Raises:
            BadPassword: It can be no password.
        """
        return hmac.compare_digest(self.key, _scrypt(prepare(password), self.salt, self.cost))


def _scrypt(password: str, salt: bytes, cost: Cost) -> bytes:
    n, r, p = cost
    memory = 128 * r * (n + p + 2) + 1024 * 1024  # what OpenSSL counts, and a little more
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=_KEY_BYTES)
