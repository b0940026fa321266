"""
Hashes of account passwords, slow enough to make guessing expensive (scrypt, RFC 7914).

Each hash keeps its parameters, so that they can be raised later. Hashing or comparing takes 16 MiB and a fifth of a
second of a CPU: leave it to `worker_pool.Workers`, never do it on the thread of a session.
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
    """Parameters of scrypt (RFC 7914 section 2). It uses 128 * n * r bytes of memory; the time is proportional to p."""

    n: int = 2**14
    r: int = 8
    p: int = 5


class PasswordHash(NamedTuple):
    """The stored hash of a password."""

    cost: Cost
    salt: bytes
    key: bytes

    @classmethod
    def of(cls, password: str, cost: Cost = Cost()) -> PasswordHash:  # noqa: B008 -- immutable
        """
        Hash a password; takes about a fifth of a second.

        Raises:
            BadPassword: If it is not a possible password (`scram.prepare`).
        """
        salt = secrets.token_bytes(_SALT_BYTES)
        return cls(cost, salt, _scrypt(prepare(password), salt, cost))

    def fits(self, password: str) -> bool:
        """
        Return whether this is the password; takes as long as hashing it.

        Raises:
            BadPassword: If it is not a possible password.
        """
        return hmac.compare_digest(self.key, _scrypt(prepare(password), self.salt, self.cost))


def _scrypt(password: str, salt: bytes, cost: Cost) -> bytes:
    n, r, p = cost
    memory = 128 * r * (n + p + 2) + 1024 * 1024  # what OpenSSL counts, and a little more
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=_KEY_BYTES)
