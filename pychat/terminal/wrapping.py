"""Wrap long lines between words, with indentation; lines with a link are left to the terminal."""

from __future__ import annotations

import re
from typing import Final

from pychat.terminal.view import Line, width_of

_LINK: Final = "://"
_WORDS: Final = re.compile(r"\s+|\S+")
_INDENT: Final = " " * len("[15:04] ")
_LEAST: Final = 30
"""Minimum columns for wrapping."""


def wrap(line: Line, columns: int) -> list[Line]:
    """
    Return the rows of a line.

    A wrapped link cannot be clicked or copied, so a line with one is left as it is, and so is one with a word that is
    too long for a row.
    """
    text = "".join([text for _, text in line])
    if columns < _LEAST or (len(text) * 2 <= columns) or width_of(text) <= columns or _LINK in text:
        return [line]
    rows: list[Line] = [[]]
    used = 0
    for style, part in line:
        for word in _WORDS.findall(part):
            width = width_of(word)
            if used + width > columns and used > len(_INDENT):
                if word.isspace():
                    continue
                if width > columns - len(_INDENT):
                    return [line]
                rows.append([("", _INDENT)])
                used = len(_INDENT)
            elif word.isspace() and used == len(_INDENT) and len(rows) > 1:
                continue
            rows[-1].append((style, word))
            used += width
    return rows
