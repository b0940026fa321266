r"""
The grammar of a line: `@tags :source COMMAND middle middle :trailing` (RFC 1459 section 2.3.1, IRCv3 message-tags).

`parse_line` is lenient; `write_line` writes only what every parser understands. Parts are separated by one or more
spaces and by nothing else: a tab belongs to a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

_ESCAPES: Final = {"\\:": ";", "\\s": " ", "\\\\": "\\", "\\r": "\r", "\\n": "\n"}
_ESCAPED: Final = re.compile(r"\\(.?)", re.DOTALL)
_TO_ESCAPE: Final = str.maketrans({char: escape for escape, char in _ESCAPES.items()})
_NO_LINE: Final = re.compile("[\0\r\n]")


class ParsedLine(NamedTuple):
    """One parsed line."""

    tags: dict[str, str]
    """By key, with client-only `+` and vendor; a missing value and an empty one are equal (message-tags, "Format")."""
    source: str
    """Without its colon; empty if there is none. The source from a client is ignored (RFC 1459 section 2.3)."""
    command: str
    """As it was sent; empty if the line has none."""
    params: tuple[str, ...]


def parse_line(line: str) -> ParsedLine:
    """Parse a line, without its end (CR LF). Never fails: at worst the command is empty."""
    tags: dict[str, str] = {}
    source = ""
    if line.startswith("@"):
        raw, _, line = line[1:].partition(" ")
        tags = parse_tags(raw)
    line = line.lstrip(" ")
    if line.startswith(":"):
        source, _, line = line[1:].partition(" ")
    # The first colon after a space begins the last parameter, which may have spaces and colons of its own.
    head, colon, trailing = line.partition(" :")
    words = [word for word in head.split(" ") if word]
    command = words.pop(0) if words else ""
    if colon:
        words.append(trailing)
    return ParsedLine(tags, source, command, tuple(words))


def write_line(command: ParsedLine) -> str:
    """
    Write a line without its end; `parse_line` returns the same command.

    Raises:
        ValueError: If a part could not be parsed: it contains a line end, or a space where only the last parameter may
            have one.
    """
    tags, source, name, params = command
    parts = []
    if tags:
        parts.append("@" + write_tags(tags))
    if source:
        parts.append(":" + _word(source))
    if name[:1] in ("", ":", "@"):
        raise ValueError(f"no command: {name!r}")
    parts.append(_word(name))
    for param in params[:-1]:
        if param[:1] in ("", ":"):
            raise ValueError(f"only the last parameter may be {param!r}")
        parts.append(_word(param))
    if params:
        last = params[-1]
        if _NO_LINE.search(last):
            raise ValueError(f"{last!r} does not fit in a line")
        parts.append(":" + last if not last or " " in last or last.startswith(":") else last)
    return " ".join(parts)


def _word(text: str) -> str:
    if " " in text or _NO_LINE.search(text):
        raise ValueError(f"{text!r} is not one word")
    return text


def parse_tags(raw: str) -> dict[str, str]:
    """Return tags by key; a repeated key has its last value (message-tags, "Rules for naming message tags")."""
    tags: dict[str, str] = {}
    for part in raw.split(";"):
        key, _, value = part.partition("=")
        if key:
            tags[key] = unescape(value) if "\\" in value else value
    return tags


def write_tags(tags: Mapping[str, str]) -> str:
    """
    Return tags as written after the `@`; an empty value is left out.

    Raises:
        ValueError: If a key could not be parsed, or a value has a NUL, for which there is no escape.
    """
    parts = []
    for key, value in tags.items():
        if not key or "\0" in value or any(char in " ;=\0\r\n" for char in key):
            raise ValueError(f"no tag: {key!r}={value!r}")
        parts.append(f"{key}={escape(value)}" if value else key)
    return ";".join(parts)


def escape(value: str) -> str:
    """Return a tag value as it is sent (message-tags, "Escaping values")."""
    return value.translate(_TO_ESCAPE)


def unescape(value: str) -> str:
    r"""Undo `escape`. A backslash before any other character, or at the end, is dropped."""
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match[0], match[1]), value)


_CLIENT_ONLY: Final = re.compile(r"\+(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9-]+")


def client_tags(tags: Mapping[str, str]) -> str:
    """
    Return the tags that one client may send to another, as they are written: the client-only ones.

    All others are set by the server: if a client could set `time` or `account`, other clients would believe it (IRCv3
    message-tags, "Client-only tags").
    """
    return write_tags({key: value for key, value in tags.items() if _CLIENT_ONLY.fullmatch(key)}) if tags else ""
