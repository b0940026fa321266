"""
Masks: patterns of people like `bob!*@*.example`, as bans and questions have them.

`*` stands for any characters, `?` for one. They are compared with "nickname!user@host", both folded, so case does not
matter. A ban with `m:` before its mask is a mute: who fits it may come in and cannot talk (an extended ban). `a:ann`
is for those who are logged in to the account "ann", by whatever nickname (`*` and `?` work there, too); `m:a:ann` mutes
them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Final, TypeAlias

from pychat.core.errors import Refused
from pychat.core.modes import MaskEntry
from pychat.core.names import fold

MUTE: Final = "m:"
"""Before the mask of one who shall only be silent."""
ACCOUNT: Final = "a:"
"""Before the name of an account."""
MASK_BYTES: Final = 160
"""Bytes of a mask in UTF-8: a whole nickname, user and host, and one IRC line can name it."""

_Patterns: TypeAlias = dict[str, tuple[re.Pattern[str], MaskEntry]]
"""By folded mask."""
_Known: TypeAlias = dict[tuple[str, str | None, bool], MaskEntry | None]
_UNKNOWN: Final = MaskEntry("", "", 0.0)
"""Stands for what was not asked yet."""
_ASKED_CHARS = 512
_KNOWN_ANSWERS = 1000


def fits(mask: str, text: str) -> bool:
    """
    Whether a text is what the mask describes, whatever the case of both. Linear in the text but for a small factor.

    A mask of more than 512 characters fits nothing.
    """
    return len(mask) <= _ASKED_CHARS and _pattern(fold(mask)).match(fold(text)) is not None


@lru_cache(maxsize=512)
def _pattern(folded: str) -> re.Pattern[str]:
    # What stands between two `*` may be looked for once, at the first place where it is: a later place never fits
    # where the first one does not. So each is an atomic group, which is never tried again; without them a mask of
    # many `*` would take exponential time.
    first, *rest = [re.escape(part).replace(r"\?", ".") for part in re.sub(r"\*+", "*", folded).split("*")]
    if not rest:
        return re.compile(rf"(?s:{first})\Z")
    *between, last = rest
    return re.compile(rf"(?s:{first}{''.join([f'(?>.*?{part})' for part in between])}.*{last})\Z")


def normal_mask(raw: str) -> str:
    """
    Return a mask with all its parts: `bob` is `bob!*@*`, `*@host` is `*!*@host`. `m:` before it and `a:` stay.

    Raises:
        Refused: It is empty or too long, or has a space or a control character.
    """
    prefix, mask = (MUTE, raw[len(MUTE) :]) if raw.startswith(MUTE) else ("", raw)
    if not mask or not mask.isprintable() or " " in mask:
        raise _bad_mask(raw, "a mask has characters that can be seen, and no spaces")
    if mask.startswith(ACCOUNT):
        return _within(raw, prefix + mask)
    nickname, bang, rest = mask.partition("!")
    user, at, host = (rest if bang else mask).partition("@")
    if not bang:
        nickname, user = ("*", user) if at else (mask, "*")
    return _within(raw, f"{prefix}{nickname or '*'}!{user or '*'}@{host or '*'}")


def _within(raw: str, whole: str) -> str:
    if len(whole) > MASK_BYTES or len(whole.encode()) > MASK_BYTES:
        raise _bad_mask(raw, f"a mask has at most {MASK_BYTES} bytes")
    return whole


def describes(mask: str, person: str, account: str | None) -> bool:
    """Whether a normal mask is for a person, who is given as "nickname!user@host", or for that person's account."""
    key = fold(mask)
    text = account if key.removeprefix(MUTE).startswith(ACCOUNT) else person
    return text is not None and _pattern(_described(key)).match(fold(text)) is not None


def prepare(mask: str) -> None:
    """Do beforehand, without the order lock, what takes the most time of adding a mask; nothing if it is no mask."""
    with suppress(Refused):
        _pattern(_described(fold(normal_mask(mask))))


def _described(key: str) -> str:
    """Return what of a mask is the pattern."""
    return key.removeprefix(MUTE).removeprefix(ACCOUNT)


def _bad_mask(raw: str, problem: str) -> Refused:
    return Refused(f"mask {raw[:64]!r}: {problem}", code="bad_mode_argument")


class MaskList:
    """
    One list of masks of a room, in the order in which they were added.

    Changed under the chat's order lock; may be asked from any thread at any time.
    """

    __slots__ = ("_entries", "_patterns")

    def __init__(self) -> None:
        # Both are replaced as a whole, never changed, so that others can read them meanwhile. What is known of people
        # belongs to the patterns that said so.
        self._entries: dict[str, MaskEntry] = {}
        self._patterns: tuple[_Patterns, _Known] = {}, {}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[MaskEntry]:
        return iter(self._entries.values())

    def __contains__(self, mask: str) -> bool:
        return fold(mask) in self._entries

    def get(self, mask: str) -> MaskEntry | None:
        """Return the entry of a normal mask."""
        return self._entries.get(fold(mask))

    def add(self, entry: MaskEntry) -> None:
        """Add a normal mask, or put it in the place of the one that says the same."""
        self._replace({**self._entries, fold(entry.mask): entry})

    def remove(self, mask: str) -> str | None:
        """Remove a normal mask; return it as it was added, None if it is not there."""
        entries = dict(self._entries)
        entry = entries.pop(fold(mask), None)
        if entry is None:
            return None
        self._replace(entries)
        return entry.mask

    def find(self, person: str, account: str | None, now: float, *, mutes: bool = False) -> MaskEntry | None:
        """
        Return the entry that describes a person, and of several the one that lasts longest; None if none does.

        Args:
            person: As "nickname!user@host".
            account: Which that person is logged in to.
            now: POSIX seconds; an entry that has ended describes nobody.
            mutes: Those that only mute count, too.
        """
        patterns, known = self._patterns
        key = person, account, mutes
        entry = known.get(key, _UNKNOWN)
        # A room asks about its members again and again: with each message.
        if entry is _UNKNOWN or (entry is not None and _ended(entry, now)):
            entry = _longest(patterns, fold(person), None if account is None else fold(account), now, mutes)
            if len(known) >= _KNOWN_ANSWERS:
                known.clear()
            known[key] = entry
        return entry

    def ended(self, now: float) -> list[MaskEntry]:
        """Return the entries whose time is over."""
        return [entry for entry in self._entries.values() if _ended(entry, now)]

    def _replace(self, entries: dict[str, MaskEntry]) -> None:
        old = self._patterns[0]
        self._entries = entries
        self._patterns = (
            {key: (old[key][0] if key in old else _pattern(_described(key)), entry) for key, entry in entries.items()},
            {},
        )


def _ended(entry: MaskEntry, now: float) -> bool:
    return entry.until is not None and entry.until <= now


def _longest(patterns: _Patterns, person: str, account: str | None, now: float, mutes: bool) -> MaskEntry | None:
    longest: MaskEntry | None = None
    for key, (pattern, entry) in patterns.items():
        muting = key.startswith(MUTE)
        if (muting and not mutes) or _ended(entry, now):
            continue
        text = account if key.startswith(ACCOUNT, len(MUTE) if muting else 0) else person
        if text is not None and pattern.match(text):
            if entry.until is None:
                return entry
            if longest is None or longest.until is None or entry.until > longest.until:
                longest = entry
    return longest
