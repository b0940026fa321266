"""
Parse passwords in a typed line, where blanks also separate other words.

A password with blanks is the rest of the line. Where that is ambiguous, or the password begins or ends with blanks, it
stands in double quotes. Quotes around a text without blanks are part of the password.
"""

from __future__ import annotations

import re
from typing import Final

from pychat.model.errors import refusal
from pychat.model.queries import Ref
from pychat.model.verbs import LogIn

_QUOTED: Final = re.compile(r'"([^"\s]*\s[^"]*)"(?:\s+|$)')


def unquoted(text: str) -> str:
    """Return the password that a text stands for."""
    return text[1:-1] if _is_quoted(text) else text


def _is_quoted(text: str) -> bool:
    return len(text) > 2 and text[0] == text[-1] == '"' and any(map(str.isspace, text))


def passwords(text: str) -> list[str]:
    """
    Return the passwords and other words of a text.

    Raises:
        Refused: If there are more than three: one of them has blanks and is not quoted.
    """
    found: list[str] = []
    while text := text.lstrip():
        match = _QUOTED.match(text)
        word, text = (match[1], text[match.end() :]) if match else (*text.split(None, 1), "")[:2]
        found.append(word)
    if len(found) > 3:
        raise refusal('passwords with blanks: put each of them into double quotes, "like this one"', code="bad_request")
    return found


def login(text: str, ref: Ref = None) -> LogIn:
    """
    Return the verb for `[ACCOUNT] PASSWORD`.

    If there is no account with the name of the first word, the whole text is the password of one's own (`LogIn.typed`).
    """
    first, _, rest = text.partition(" ")
    rest = rest.strip()
    if not rest or _is_quoted(text):
        return LogIn(unquoted(text), None, ref)
    return LogIn(unquoted(rest), first, ref, typed=not _is_quoted(rest))
