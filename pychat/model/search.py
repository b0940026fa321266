"""
Searching: parsing the words of a query, and matching them against a text.

Texts are split into words as SQLite's full text index does it (`unicode61 remove_diacritics 2`): runs of letters and
digits, without case, and Latin letters without accents. So a search finds the same in memory and in the index. Chinese,
Japanese, Thai and others have no blanks between words, and Korean appends particles to them. Their letters are treated
as words of their own (`spread`), and several of them in a query must stand side by side.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, cached_property, lru_cache
from typing import Final, NamedTuple

from pychat.model.errors import LimitExceeded, refusal

_MOST_WORDS: Final = 20
"""The maximum for all terms together: each word is searched for in each text."""
_LETTERS_OF_A_WORD: Final = 4
"""The number of letters treated as words that count as one word."""
_MOST_PLACES: Final = 100
"""The maximum number of occurrences of one word to examine in a record before it is examined as a whole."""
_TERM: Final = re.compile(r'"([^"]*)"?(\*?)|([^\s"]+)')
_ASCII_WORD: Final = re.compile("[0-9a-z]+")
_LETTER: Final = "\ue000"
"""The prefix of a letter that is a word of its own; it is for private use, so no other word begins with it."""
UNSPACED: Final = (
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\u1a20-\u1aaf"  # Thai, Lao, Tibetan, Burmese, Khmer
    "\u1950-\u19df\u1b00-\u1b7f\ua980-\ua9ff\uaa60-\uaadf"  # Tai, Balinese, Javanese, more of Burmese
    "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"  # Korean
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3041-\u312f\u31a0-\u31bf\u31f0-\u31ff\uff66-\uffdc"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff]"  # Chinese characters
)
"""A regular expression: a letter, mark or sign of a script in which blanks do not separate words."""
_MARKS: Final = range(0x300, 0x370)
"""Combining marks, which belong to a word and are ignored."""


class Term(NamedTuple):
    """Words that stand side by side."""

    words: tuple[str, ...]
    prefix: bool = False
    """True if the last word may be only the beginning of one."""


class Terms:
    """A parsed query: every term must occur. Immutable."""

    def __init__(self, query: str) -> None:
        """
        Args:
            query: Words, "quoted phrases", and beginnings of words followed by `*`. Anything else is text.

        Raises:
            Refused: If it contains no word, or too many.
        """
        self.query = query
        terms = list(_terms(query))
        if not terms:
            raise refusal("nothing to search for: give a word", code="bad_request")
        words = [word for term in terms for word in term.words]
        letters = sum(word.startswith(_LETTER) for word in words)
        if len(words) - letters + -(-letters // _LETTERS_OF_A_WORD) > _MOST_WORDS:
            raise LimitExceeded("words to search for", _MOST_WORDS, "words")
        self.terms = tuple(dict.fromkeys(terms))

    def are_in(self, text: str) -> bool:
        """Return whether a text contains all the terms."""
        if not self.may_be_in(text.encode(errors="replace")):
            return False
        words = [*words_of(text)]
        different = set(words)
        return all(_is_in(term, words, different) for term in self.terms)

    def may_be_in(self, data: bytes) -> bool:
        """
        Rule out most texts quickly, given their bytes in UTF-8, or in JSON.

        ASCII letters are unchanged there, and each word begins after a character that is neither letter nor digit.
        """
        if not data.isascii():
            return True
        lower = data.lower()
        return all(_begins_in(word, lower) for word in self._needed)

    @cached_property
    def whole(self) -> tuple[tuple[str, ...], ...]:
        """The words of each term without its word prefix; terms that consist of a prefix are left out."""
        parts = [term.words[:-1] if term.prefix else term.words for term in self.terms]
        return tuple([words for words in parts if words])

    @cached_property
    def has_prefix(self) -> bool:
        """True if one of the terms ends with a word prefix."""
        return any(term.prefix for term in self.terms)

    @cached_property
    def _needed(self) -> list[bytes]:
        return [word.encode() for term in self.terms for word in term.words]


def _begins_in(word: bytes, lower: bytes) -> bool:
    """Return whether a word may begin somewhere in lower-case bytes."""
    at = -1
    for _ in range(_MOST_PLACES):
        at = lower.find(word, at + 1)
        if at <= 0:
            return at == 0
        before = lower[at - 1 : at]
        if not before.isalnum() or (before == b"n" and lower[at - 2 : at - 1] == b"\\"):  # a newline in JSON
            return True
    return True


def words_of(text: str) -> Iterator[str]:
    """Split a text into folded words."""
    if text.isascii():
        yield from _ASCII_WORD.findall(text.lower())
        return
    yield from "".join(map(_folded, spread(text))).split()


@cache
def _runs() -> re.Pattern[str]:
    return re.compile(f"{UNSPACED}+")  # at first use: this takes 4 ms, and most programs never search


def spread(text: str) -> str:
    """Return a text in which each letter of a script without blanks is a word: the form for the index."""
    return text if text.isascii() else _runs().sub(lambda match: f"{''.join(map(_as_word, match[0]))} ", text)


@lru_cache(maxsize=4096)
def _as_word(letter: str) -> str:
    """Return the word for a letter; a mark continues the letter before it, and a sign separates words as everywhere."""
    kind = unicodedata.category(letter)[0]
    if kind == "M":
        return f"{ord(letter):05x}"
    return f" {_LETTER}{ord(letter):05x}" if kind in "LN" else " "


@lru_cache(maxsize=4096)
def _folded(letter: str) -> str:
    """Return the significant part of a letter: without accents, nothing, or a blank if it separates words."""
    if ord(letter) in _MARKS:
        return ""
    kind = unicodedata.category(letter)
    if kind[0] not in "LN" and kind != "Co":
        return " "
    base = unicodedata.normalize("NFD", letter)[0]
    return (base if base.isascii() else letter).lower()


def _terms(query: str) -> Iterator[Term]:
    for phrase, star, plain in _TERM.findall(unicodedata.normalize("NFC", query)):
        words = tuple(words_of(plain or phrase))
        if words:  # letters of scripts without blanks need no prefix search: they match anywhere
            yield Term(words, (bool(star) or plain.endswith("*")) and not words[-1].startswith(_LETTER))


def _is_in(term: Term, words: list[str], different: set[str]) -> bool:
    size = len(term.words)
    *whole, last = term.words
    if not different.issuperset(whole):
        return False
    if not term.prefix and last not in different:
        return False
    if size == 1:
        return not term.prefix or any(word.startswith(last) for word in different)
    for at in range(len(words) - size + 1):
        if words[at : at + size - 1] == whole:
            word = words[at + size - 1]
            if word == last or (term.prefix and word.startswith(last)):
                return True
    return False
