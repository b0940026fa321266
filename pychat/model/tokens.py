"""Tokens: secrets by which a client takes a session's place, and what can be kept of them."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

TOKEN_CHARS: Final = 22
"""Of a token: 128 random bits in base64."""


def new_token() -> str:
    """Return a secret that nobody can guess: 128 random bits."""
    return secrets.token_urlsafe(16)


def digest_of(token: str) -> str:
    """Return what can be kept of a token: it tells whether a token is this one, and not what it is."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
