"""What must not be said to a room, however it is mistyped: commands with a password, or with a text for one person."""

from __future__ import annotations

import re
from typing import Final
from unicodedata import normalize

from pychat.model.errors import Refused
from pychat.model.text import UNSEEN
from pychat.model.verbs import Invalid, Say

WITH_PASSWORD: Final = ("register", "login", "identify", "password", "passwd", "drop", "regain", "ghost", "oper")
"""Commands that take a password: whoever mistypes one must not say it in a room."""

_CONFIDENTIAL: Final = frozenset((*WITH_PASSWORD, "msg", "m", "w", "tell", "reply", "r"))
"""And those that say something to one person only."""


_KEY: Final = r"\x1b[\[O][0-9;]*[A-Za-z~]"
"""What an arrow and its like send where nothing edits the line, as below `nc`."""
_SLASHES: Final = "/\uff0f"
"""The second one is what Japanese keyboards have."""
_START: Final = rf"(?:{_KEY}|[{UNSEEN}\x00-\x09\x0b-\x1f\x7f-\x9f\ufffd])*[{_SLASHES}]"
_COMMAND: Final = re.compile(rf"{_START}(\S+)")
HIDDEN: Final = re.compile(rf"(?:\A|\n){_START}")
"""Where a line begins in several ones that may be a command, though not to the eye of a program."""


def hidden(line: str) -> Invalid | None:
    """Return the refusal of a line that would be a confidential command, were there no blank or the like before it."""
    name = _confidential(line)
    if not name:
        return None
    what = "a blank" if line[:1].isspace() else "something that is not seen"
    if line.lstrip()[:1] == _SLASHES[1]:
        what = "another slash"
    return Invalid("bad_request", f"there is {what} before /{name}: nothing was done, and nothing was said")


def in_text(text: str) -> Invalid | None:
    """Return the refusal of a text in which one of several lines is a confidential command."""
    name = next(filter(None, map(_confidential, text.split("\n"))), "")
    if not name:
        return None
    return Invalid("bad_request", f"there is a line with /{name} in it: nothing was done, and nothing was said")


def not_a_command(text: str) -> Say:
    """
    Return what says a text that a program gives, for which there are no commands; two slashes say one.

    Raises:
        Refused: It begins with a slash, or there is a confidential command in it: it may have been meant for no room.
    """
    if text.startswith("//"):
        return Say(text[1:])
    if text.startswith("/"):
        raise Refused("it begins with a slash and was not said: there are no commands here; two slashes say one")
    if refusal := in_text(text):
        raise Refused(refusal.text)
    return Say(text)


def _confidential(line: str) -> str:
    """The name of the confidential command in a line, whatever unseen is before it; empty if there is none."""
    command = _COMMAND.match(line)
    name = "" if command is None else normalize("NFKC", command[1]).lower()
    return name if name in _CONFIDENTIAL else ""
