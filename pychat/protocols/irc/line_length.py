"""
Limit the length of lines: content that does not fit becomes several lines, and no character is cut.

A line has at most 512 bytes with its end (RFC 2812 section 2.3); its tags, with `@` and the following blank, may have
another 8191 (IRCv3 message-tags, "Size limit"). Renderers of lists and texts split them with these functions;
`to_bytes` is the last line of defence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

LINE_BYTES: Final = 510
"""Limit of a line without its end and without tags."""
TAG_BYTES: Final = 8190
"""Limit of the tags with their `@`, without the following blank."""
_LEAST_BYTES: Final = 32
"""Minimum for a text even if names fill the line, so that no text becomes one line per character."""
_WIDEST: Final = 4
"""Maximum bytes of one character in UTF-8."""
_JOINER: Final = "\u200d"
_MARKS_KEPT: Final = 16
"""How many joined characters are kept together at the end of a line."""
_BAD: Final = str.maketrans(dict.fromkeys("\r\n\0", "\ufffd"))


def to_bytes(lines: Sequence[str]) -> bytes:
    """
    Return the lines, each with its tags and its end; whatever they contain, their number is kept and none is too long.

    A lone surrogate, which UTF-8 cannot hold, becomes a question mark.
    """
    if not lines:
        return b""
    text = "\r\n".join(lines) + "\r\n"
    if text.count("\n") != len(lines) or text.count("\r") != len(lines) or "\0" in text:
        lines = [line.translate(_BAD) for line in lines]
        text = "\r\n".join(lines) + "\r\n"
    data = text.encode("utf-8", "replace")
    if max(map(len, lines)) * (1 if text.isascii() else _WIDEST) <= LINE_BYTES:
        return data
    return b"".join([_shortened(line) + b"\r\n" for line in data.split(b"\r\n")[:-1]])


def _shortened(line: bytes) -> bytes:
    """Return the line, truncated if it is too long. Tags that are too long are left out."""
    tags, blank, rest = line.partition(b" ") if line.startswith(b"@") else (b"", b"", line)
    if len(tags) > TAG_BYTES:
        tags = blank = b""
    if len(rest) > LINE_BYTES:
        rest = cut(rest, LINE_BYTES)
    return tags + blank + rest


def cut(data: bytes, size: int) -> bytes:
    """Return the first whole UTF-8 characters that fit in `size` bytes."""
    end = min(size, len(data))
    while 0 < end < len(data) and data[end] & 0xC0 == 0x80:  # a byte inside a character
        end -= 1
    return data[:end]


def room_behind(head: str) -> int:
    """Return how many bytes a line has after its beginning, which includes all blanks and the colon."""
    return max(_LEAST_BYTES, LINE_BYTES - len(head.encode("utf-8", "replace")))


def pieces(text: str, size: int) -> list[str]:
    """
    Split the text into pieces of at most `size` bytes; joined, they are the text.

    A piece ends after a blank if there is one in its second half, and not before a mark or a joiner that belongs to the
    preceding character.
    """
    if len(text) * _WIDEST <= size:
        return [text]
    data = text.encode("utf-8", "replace")
    found: list[str] = []
    while len(data) > size:
        # At least one character always fits, so that the loop ends.
        piece = cut(data, max(size, _WIDEST)).decode()
        blank = piece.rfind(" ") + 1
        piece = piece[:blank] if blank > len(piece) // 2 else _whole(piece, data)
        found.append(piece)
        data = data[len(piece.encode()) :]
    return [*found, data.decode()] if data or not found else found


def _whole(piece: str, data: bytes) -> str:
    """Return the piece without trailing characters that belong to the next one; all of it if too many would."""
    behind = data[len(piece.encode()) :][:_WIDEST]
    following = behind.decode("utf-8", "ignore")[:1]
    end = len(piece)
    for _ in range(min(_MARKS_KEPT, len(piece) - 1)):
        if not (_continues(following) or piece[end - 1] == _JOINER):
            return piece[:end]
        end -= 1
        following = piece[end]
    return piece


def _continues(character: str) -> bool:
    """Return whether a character joins the one before it: marks, variation selectors, joiners, skin tones."""
    return (
        character == _JOINER
        or unicodedata.category(character or " ").startswith("M")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def packed(words: Iterable[str], size: int, separator: str = " ") -> list[str]:
    """
    Join the words into as few texts of at most `size` bytes as their order allows; none for no words.

    Args:
        separator: A character of ASCII that is not in any word.
    """
    every = [*words]
    data, mark = separator.join(every).encode("utf-8", "replace"), separator.encode()
    texts: list[str] = []
    at = 0
    while len(data) - at > size:
        end = data.rfind(mark, at, at + size + 1)
        if end < 0:  # a single word is too long
            end = data.find(mark, at)
        if end < 0:
            break
        texts.append(data[at:end].decode())
        at = end + 1
    return [*texts, data[at:].decode()] if every else []
