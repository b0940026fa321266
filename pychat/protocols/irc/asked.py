"""
Values that the IRC protocol passes to its dialect; otherwise the two sides share no state.

The `ref` of a verb holds the command, and the reply returns it, so the dialect knows that `Members` answers NAMES.
Answers of the protocol itself are `Words` with one of these values; its refusals are `Invalid` with one of them as
`ref`. None of them holds a secret: passwords and keys are left out.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

CHATHISTORY: Final = "draft/chathistory"
"""The capability of clients that request history themselves."""
BODY_BYTES: Final = 510
"""Limit of a line without its tags and its end (RFC 1459 section 2.3)."""
TAGS_BYTES: Final = 4094
"""Limit of the tags that a client may send, between `@` and the space (IRCv3 message-tags, "Size limit")."""


class Asked(NamedTuple):
    """
    The command of a client: the `ref` of its verb, with a single target where the command has a list of them.

    As `Words` it requests an answer that depends on the server only: VERSION, TIME, INFO, LINKS.
    """

    command: str
    """In upper case."""
    params: tuple[str, ...] = ()
    """As the client sent them: they may be empty, contain spaces, begin with a colon (see `as_middle`)."""


class Numeric(NamedTuple):
    """
    `:server CODE <nickname or *> params...`; also for CAP and NOTICE, which have the client's nickname in the same
    place.
    """

    code: str
    params: tuple[str, ...]
    """Ready to be written: only the last may be empty, contain spaces or begin with a colon."""


class Line(NamedTuple):
    """`:server COMMAND params...`, without the nickname: a standard reply (IRCv3 standard-replies)."""

    command: str
    params: tuple[str, ...]
    """As in `Numeric.params`."""


def as_middle(text: str) -> str:
    """
    Return the first word of the text, if it can be a parameter before the last one; otherwise "*".

    Numerics repeat invalid input, which may have been anything.
    """
    word = text.partition(" ")[0] if " " in text else text
    return "*" if not word or word.startswith(":") else word


_MSGID: Final = re.compile(r"([0-9a-f]{1,16})(?:-[0-9]{1,4})?", re.ASCII | re.IGNORECASE)


def format_msgid(id: int) -> str:
    """Return the id of an event in the form of IRCv3 message-ids: the same as in JSON."""
    return f"{id:016x}"


def parse_msgid(text: str) -> int | None:
    """
    Return the id of the event that the text names; None if it is not an id.

    A message that is too long for one line is sent as several, whose ids end with "-2", "-3" and so on; each names the
    whole message.
    """
    match = _MSGID.fullmatch(text)
    return None if match is None else int(match[1], 16)
