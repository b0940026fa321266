"""
The length of lines: what a line has no room for becomes several, and nothing is cut inside a character.

A line has at most 512 bytes with its end (RFC 2812 section 2.3), and its tags, with `@` and the blank behind them, at
most 8191 beside that (IRCv3 message-tags, "Size limit"). Those who write lists and texts split them by what is here;
`to_bytes` is the last line of defence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

LINE_BYTES: Final = 510
"""Of a line without its end and without tags."""
TAG_BYTES: Final = 8190
"""Of the tags with their `@`, without the blank behind them."""
_LEAST_BYTES: Final = 32
"""Room that a text gets even if names take the whole line, so that no text becomes a line for each character."""
_WIDEST: Final = 4
"""Bytes of one character in UTF-8."""
_JOINER: Final = "\u200d"
_MARKS_KEPT: Final = 16
"""How many joined characters are kept together at the end of a line."""
_BAD: Final = str.maketrans(dict.fromkeys("\r\n\0", "\ufffd"))


def to_bytes(lines: Sequence[str]) -> bytes:
    """
    Return the lines, tags before them, with their ends; whatever is in them, they are as many and none is too long.

    A lone surrogate, which UTF-8 cannot hold, becomes a question mark.
    """
    if not lines:
        return b""
    text = "\r\n".join(lines) + "\r\n"
    if text.count("\n") != len(lines) or text.count("\r") != len(lines) or "\0" in text:
        lines = [line.translate(_BAD) for line in lines]
        text = "\r\n".join(lines) + "\r\n"
    data = text.encode("utf-8", "replace")
    if max(map(len, lines)) * _WIDEST <= LINE_BYTES:
        return data
    return b"".join([_shortened(line) + b"\r\n" for line in data.split(b"\r\n")[:-1]])


def _shortened(line: bytes) -> bytes:
    """The line, if it is not too long; else what there is room for. Tags that are too long are left out."""
    tags, blank, rest = line.partition(b" ") if line.startswith(b"@") else (b"", b"", line)
    if len(tags) > TAG_BYTES:
        tags = blank = b""
    if len(rest) > LINE_BYTES:
        rest = cut(rest, LINE_BYTES)
    return tags + blank + rest


def cut(data: bytes, size: int) -> bytes:
    """Return the first whole characters of UTF-8 that have at most so many bytes together."""
    end = min(size, len(data))
    while 0 < end < len(data) and data[end] & 0xC0 == 0x80:  # a byte inside a character
        end -= 1
    return data[:end]


def room_behind(head: str) -> int:
    """Return how many bytes a line has behind its beginning, which contains all blanks and the colon."""
    return max(_LEAST_BYTES, LINE_BYTES - len(head.encode("utf-8", "replace")))


def pieces(text: str, size: int) -> list[str]:
    """
    Return the text in pieces of at most `size` bytes; together they are the text.

    A piece ends behind a blank where there is one in its second half, and not before a mark or a joiner that belongs to
    the character before it.
    """
    if len(text) * _WIDEST <= size:
        return [text]
    data = text.encode("utf-8", "replace")
    found: list[str] = []
    while len(data) > size:
        # Room for one character there is always, lest this never ends.
        piece = cut(data, max(size, _WIDEST)).decode()
        blank = piece.rfind(" ") + 1
        piece = piece[:blank] if blank > len(piece) // 2 else _whole(piece, data)
        found.append(piece)
        data = data[len(piece.encode()) :]
    return [*found, data.decode()] if data or not found else found


def _whole(piece: str, data: bytes) -> str:
    """The piece without its end, if that belongs together with what comes next; all of it, if too much would."""
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
    """Whether it is drawn together with the character before it: marks, variation selectors, joiners, skin tones."""
    return (
        character == _JOINER
        or unicodedata.category(character or " ").startswith("M")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def packed(words: Iterable[str], size: int, separator: str = " ") -> list[str]:
    """Return the words, joined, in as few texts of at most `size` bytes as their order allows; none for no words."""
    texts: list[str] = []
    line: list[str] = []
    left = size
    for word in words:
        length = len(word) if word.isascii() else len(word.encode("utf-8", "replace"))
        length += len(separator)
        if length > left + len(separator) and line:
            texts.append(separator.join(line))
            line, left = [], size
        line.append(word)
        left -= length
    return [*texts, separator.join(line)] if line else texts
