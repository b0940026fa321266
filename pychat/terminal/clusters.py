"""Characters that consist of several code points: emoji of several parts, flags, keycaps."""

from __future__ import annotations

import unicodedata
from typing import Final

_JOINER: Final = "\u200d"
_SHAPES: Final = "\ufe0e\ufe0f\u20e3"
"""Variation selectors, and the frame of a keycap."""


def last_cluster(text: str) -> int:
    """
    Return how many code points one Backspace deletes at the end of a text; 0 if it is empty.

    Combining marks of scripts are deleted one by one, as people type them.
    """
    at = len(text) - 1
    while at > 0:
        if _belongs_to_the_one_before(text[at]):
            at -= 1
        elif text[at - 1] == _JOINER and unicodedata.category(text[at]) == "So":
            at -= 2 if at > 1 else 1
        else:
            break
    if at > 0 and _is_half_a_flag(text[at]):
        halves = text[: at + 1][::-1]
        run = next((number for number, char in enumerate(halves) if not _is_half_a_flag(char)), len(halves))
        at -= run % 2 == 0
    return len(text) - max(0, at)


def _belongs_to_the_one_before(char: str) -> bool:
    is_skin, is_tag = "\U0001f3fb" <= char <= "\U0001f3ff", "\U000e0020" <= char <= "\U000e007f"
    return char in _SHAPES or is_skin or is_tag


def _is_half_a_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
