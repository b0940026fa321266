"""
What the protocol of IRC tells its dialect: both sides are stateless towards each other but for these values.

The `ref` of a verb carries what was asked, and the reply carries it back, so the dialect knows that `Members` answers
NAMES. What the protocol answers by itself are `Words` of one of these; what it refuses by itself is `Invalid` with one
of these as its `ref`. Nothing here is a secret: passwords and keys are left out.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

CHATHISTORY: Final = "draft/chathistory"
"""The capability of clients that ask for history themselves."""
BODY_BYTES: Final = 510
"""Of a line without its tags and its end (RFC 1459 section 2.3)."""
TAGS_BYTES: Final = 4094
"""Of the tags that a client may send, between `@` and the space (IRCv3 message-tags, "Size limit")."""


class Asked(NamedTuple):
    """
    What a client asked for: the `ref` of its verb, narrowed to the one target where a command has a list of them.

    As `Words` it asks the dialect for an answer that depends on nothing but the server: VERSION, TIME, INFO, LINKS.
    """

    command: str
    """In upper case."""
    params: tuple[str, ...] = ()
    """As the client sent them: they may be empty, contain spaces, begin with a colon (see `as_middle`)."""


class Numeric(NamedTuple):
    """`:server CODE <nickname or *> params...`; also of CAP and NOTICE, which name the client in the same place."""

    code: str
    params: tuple[str, ...]
    """Good to be written as they are: only the last may be empty, contain spaces or begin with a colon."""


class Line(NamedTuple):
    """`:server COMMAND params...`, without the nickname: a standard reply (IRCv3 standard-replies)."""

    command: str
    params: tuple[str, ...]
    """See `Numeric.params`."""


def as_middle(text: str) -> str:
    """
    Return the beginning of the text that can be a parameter before the last one; "*" if there is none.

    Numerics name what was wrong, and what was wrong may have been anything.
    """
    word = text.partition(" ")[0]
    return "*" if not word or word.startswith(":") else word


_MSGID: Final = re.compile(r"([0-9a-f]{1,16})(?:-[0-9]{1,4})?", re.ASCII | re.IGNORECASE)


def format_msgid(id: int) -> str:
    """Return the id of an event as IRCv3 message-ids has it: the same as in JSON."""
    return f"{id:016x}"


def parse_msgid(text: str) -> int | None:
    """
    Return the id of the event that the text names, None if it names none.

    A message that is too long for one line goes out as several, whose ids have "-2", "-3" behind them: each names the
    whole message.
    """
    match = _MSGID.fullmatch(text)
    return None if match is None else int(match[1], 16)
