"""Resume tokens: secrets with which a client resumes its session, and their digests for storage."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

TOKEN_CHARS: Final = 22
"""The length of a token: 128 random bits in base64."""


def new_token() -> str:
    """Return an unguessable secret: 128 random bits."""
    return secrets.token_urlsafe(16)


def digest_of(token: str) -> str:
    """Return the digest of a token for storage, which can verify the token but not reveal it."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
