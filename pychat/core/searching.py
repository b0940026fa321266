"""
Searching: what the words mean that somebody looks for, and whether a text has them.

Texts are cut into words as the full text index of SQLite does it (`unicode61 remove_diacritics 2`): runs of letters and
digits, without their case, and Latin ones without their accents. So a search finds the same in memory and in the index.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Final, NamedTuple

from pychat.core.errors import LimitExceeded, Refused

_MOST_TERMS: Final = 20
_TERM: Final = re.compile(r'"([^"]*)"?(\*?)|([^\s"]+)')
_ASCII_WORD: Final = re.compile("[0-9a-z]+")
_MARKS: Final = range(0x300, 0x370)
"""Combining marks, which are part of a word and make no difference."""


class Term(NamedTuple):
    """Words that stand side by side."""

    words: tuple[str, ...]
    prefix: bool = False
    """Whether the last word may be only the beginning of one."""


class Terms:
    """What somebody looks for: every term must be there. Immutable."""

    def __init__(self, query: str) -> None:
        """
        Args:
            query: Words, "quoted phrases", and beginnings of words with a `*` behind them. Anything else is text.

        Raises:
            Refused: There is no word in it, or there are too many.
        """
        self.query = query
        self.terms = tuple(_terms(query))
        if not self.terms:
            raise Refused("nothing to search for: give a word", code="bad_request")
        if len(self.terms) > _MOST_TERMS:
            raise LimitExceeded("words to search for", _MOST_TERMS, "words")

    def are_in(self, text: str) -> bool:
        """Whether a text has all the terms."""
        if not self.may_be_in(text.encode(errors="replace")):
            return False
        words = [*words_of(text)]
        return all(_is_in(term, words) for term in self.terms)

    def may_be_in(self, data: bytes) -> bool:
        """Rule out most texts at once, given their bytes in UTF-8: letters of ASCII are what they are."""
        if not data.isascii():
            return True
        lower = data.lower()
        return all(word in lower for word in self._needed)

    @cached_property
    def _needed(self) -> list[bytes]:
        return [word.encode() for term in self.terms for word in term.words]


def words_of(text: str) -> Iterator[str]:
    """Cut a text into words, folded."""
    if text.isascii():
        yield from _ASCII_WORD.findall(text.lower())
        return
    yield from "".join(map(_folded, text)).split()


@lru_cache(maxsize=4096)
def _folded(letter: str) -> str:
    """Return what counts of a letter: it without its accents, nothing, or a blank if it parts words."""
    if ord(letter) in _MARKS:
        return ""
    kind = unicodedata.category(letter)
    if kind[0] not in "LN" and kind != "Co":
        return " "
    base = unicodedata.normalize("NFD", letter)[0]
    return (base if base.isascii() else letter).lower()


def _terms(query: str) -> Iterator[Term]:
    for phrase, star, plain in _TERM.findall(query):
        words = tuple(words_of(plain or phrase))
        if words:
            yield Term(words, bool(star) or plain.endswith("*"))


def _is_in(term: Term, words: list[str]) -> bool:
    size = len(term.words)
    *whole, last = term.words
    for at in range(len(words) - size + 1):
        if words[at : at + size - 1] == whole:
            word = words[at + size - 1]
            if word == last or (term.prefix and word.startswith(last)):
                return True
    return False
