"""Keep mistyped commands out of rooms if they contain a password or a text for one person."""

from __future__ import annotations

import re
from typing import Final
from unicodedata import normalize

from pychat.model.errors import Refused
from pychat.model.text import UNSEEN
from pychat.model.verbs import Invalid, Say

WITH_PASSWORD: Final = ("register", "login", "identify", "password", "passwd", "drop", "regain", "ghost", "oper")
"""Commands that take a password: a mistyped one must not be sent to a room."""

_CONFIDENTIAL: Final = frozenset((*WITH_PASSWORD, "msg", "m", "w", "tell", "reply", "r"))
"""These, and the commands that send a text to one person only."""


_KEY: Final = r"\x1b[\[O][0-9;]*[A-Za-z~]"
"""The sequence that an arrow key and similar keys send if nothing edits the line, as with `nc`."""
_SLASHES: Final = "/\uff0f"
"""The second one is on Japanese keyboards."""
_START: Final = rf"(?:{_KEY}|[{UNSEEN}\x00-\x09\x0b-\x1f\x7f-\x9f\ufffd])*[{_SLASHES}]"
_COMMAND: Final = re.compile(rf"{_START}(\S+)")
HIDDEN: Final = re.compile(rf"(?:\A|\n){_START}")
"""The start of each line of a text that may be a command, even if the slash follows invisible characters."""


def hidden(line: str) -> Invalid | None:
    """Return the refusal of a line that would be a confidential command without the blank or similar before it."""
    name = _confidential(line)
    if not name:
        return None
    what = "a blank" if line[:1].isspace() else "an invisible character"
    if line.lstrip()[:1] == _SLASHES[1]:
        what = "another slash"
    return Invalid("bad_request", f"there is {what} before /{name}: nothing was done, and nothing was sent")


def in_text(text: str) -> Invalid | None:
    """Return the refusal of a text of several lines if one of them is a confidential command."""
    name = next(filter(None, map(_confidential, text.split("\n"))), "")
    if not name:
        return None
    return Invalid("bad_request", f"there is a line with /{name} in it: nothing was done, and nothing was sent")


def not_a_command(text: str) -> Say:
    """
    Return the verb for a text from a program, where slash commands do not exist; two slashes stand for one.

    Raises:
        Refused: If it begins with a slash or contains a confidential command, which may not be meant for a room.
    """
    if text.startswith("//"):
        return Say(text[1:])
    if text.startswith("/"):
        raise Refused(
            "the text begins with a slash and was not sent: commands do not work here; type // to send a slash"
        )
    if refusal := in_text(text):
        raise Refused(refusal.text)
    return Say(text)


def _confidential(line: str) -> str:
    """Return the name of the confidential command in a line, even after invisible characters; "" if there is none."""
    command = _COMMAND.match(line)
    name = "" if command is None else normalize("NFKC", command[1]).lower()
    return name if name in _CONFIDENTIAL else ""
