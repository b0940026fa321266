"""
Passwords in a line that somebody types, where blanks separate other things as well.

A password with blanks is the rest of the line. Where that could be something else, or it begins or ends with blanks, it
stands in double quotes. Quotes around a text without blanks are part of the password.
"""

from __future__ import annotations

import re
from typing import Final

from pychat.model.account_verbs import LogIn
from pychat.model.errors import Refused
from pychat.model.queries import Ref

_QUOTED: Final = re.compile(r'"([^"\s]*\s[^"]*)"(?:\s+|$)')


def unquoted(text: str) -> str:
    """Return the password that a text is."""
    return text[1:-1] if _is_quoted(text) else text


def _is_quoted(text: str) -> bool:
    return len(text) > 2 and text[0] == text[-1] == '"' and any(map(str.isspace, text))


def passwords(text: str) -> list[str]:
    """
    Return the passwords, and other words, that a text has.

    Raises:
        Refused: There are more than three: one of them has blanks and no quotes.
    """
    found: list[str] = []
    while text := text.lstrip():
        match = _QUOTED.match(text)
        word, text = (match[1], text[match.end() :]) if match else (*text.split(None, 1), "")[:2]
        found.append(word)
    if len(found) > 3:
        raise Refused('two passwords with blanks: put each into double quotes, "like this one"', code="bad_request")
    return found


def login(text: str, ref: Ref = None) -> LogIn:
    """
    Return what logs in with `[ACCOUNT] PASSWORD`.

    If nobody has an account of the first word, all of it is the password of one's own (`LogIn.typed`).
    """
    first, _, rest = text.partition(" ")
    rest = rest.strip()
    if not rest or _is_quoted(text):
        return LogIn(unquoted(text), None, ref)
    return LogIn(unquoted(rest), first, ref, typed=not _is_quoted(rest))
