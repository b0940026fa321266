"""Refusals by the protocol itself, each with its numeric (Modern IRC, "Numerics")."""

from __future__ import annotations

from typing import Final

from pychat.model.codes import Code, OtherCode
from pychat.model.verbs import Invalid
from pychat.protocols.irc.asked import BODY_BYTES, TAGS_BYTES, Line, Numeric, as_middle

_SHOWN: Final = 64
"""How many characters of invalid input are sent back."""


def refuse(numeric: str, *params: str, code: Code | OtherCode = "bad_request") -> Invalid:
    """
    Return a verb that is refused with a numeric.

    Args:
        params: The subjects, as the client sent them; the last one is the text for people.
    """
    *subjects, text = params
    return Invalid(code, text, Numeric(numeric, (*(as_middle(subject)[:_SHOWN] for subject in subjects), text)))


def fail(command: str, code: str, *params: str) -> Invalid:
    """Return a verb that is refused with a standard reply (IRCv3 standard-replies); `params` as for `refuse`."""
    *context, text = params
    line = Line("FAIL", (command, code, *(as_middle(part)[:_SHOWN] for part in context), text))
    return Invalid(OtherCode(code.lower()), text, line)


def needs_parameters(command: str) -> Invalid:
    """Return ERR_NEEDMOREPARAMS."""
    return refuse("461", command, "Not enough parameters")


def no_such_channel(name: str) -> Invalid:
    """Return ERR_NOSUCHCHANNEL: the name does not begin with `#`."""
    return refuse("403", name, "No such channel: channel names begin with #", code="bad_room")


def unknown_command(command: str) -> Invalid:
    """Return ERR_UNKNOWNCOMMAND."""
    return refuse("421", command, "Unknown command", code="unknown_command")


def not_registered() -> Invalid:
    """Return ERR_NOTREGISTERED."""
    return refuse("451", "You have not registered", code="not_registered")


def already_registered() -> Invalid:
    """Return ERR_ALREADYREGISTERED."""
    return refuse("462", "You may not reregister")


def too_long() -> Invalid:
    """Return ERR_INPUTTOOLONG (IRCv3 message-tags, "Size limit")."""
    text = f"Input line was too long: at most {BODY_BYTES} bytes, and {TAGS_BYTES} of tags"
    return refuse("417", text, code="line_too_long")


def broken_line(command: str) -> Invalid:
    """
    Return ERR_UNKNOWNERROR: a line must not have a NUL or a CR (RFC 1459 section 2.3.1), which has no numeric of its
    own.
    """
    return refuse("400", command, "The line was ignored: it contains a NUL or a CR")


def not_utf8(command: str) -> Invalid:
    """Return the refusal of a line that is not UTF-8 (IRCv3 utf8only); the command is "*" if it is unreadable, too."""
    return fail(command, "INVALID_UTF8", "Message rejected: your IRC client must use UTF-8 here")._replace(
        code="bad_utf8"
    )
