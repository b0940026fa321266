"""
Masks: patterns of people like `bob!*@*.example`, as in bans and queries.

`*` stands for any characters, `?` for one. They are matched against "nickname!user@host", both folded, so case does not
matter. A ban with `m:` before its mask is a mute: people it matches may join but not speak (an extended ban). `a:ann`
matches people who are logged in to the account "ann", whatever their nickname (`*` and `?` work there, too); `m:a:ann`
mutes them.

Lists store the texts of masks and no compiled patterns, which would take ten times the memory. A mask without wildcards
except for whole parts, as nearly all bans are, is looked up in a table; the others are matched by `_glob`. One mask
that is matched against thousands of texts is compiled for that (`matcher`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from pychat.model.errors import Refused, refusal
from pychat.model.hostmask import Hostmask
from pychat.model.modes import MaskEntry
from pychat.model.names import fold

MUTE: Final = "m:"
"""The prefix of a mask that only mutes."""
ACCOUNT: Final = "a:"
"""The prefix of an account name."""
MASK_BYTES: Final = 160
"""The maximum bytes of a mask in UTF-8: enough for a full nickname, user and host, and for one IRC line to name it."""

_ADDRESS: Final = re.compile(r"@(?=[^@]*[0-9])[0-9A-Fa-f*?/]*[.:][0-9A-Fa-f.:*?/]*$")
"""The end of a mask whose host is an address or a part of one."""
_UNKNOWN: Final = MaskEntry("", "", 0.0)
"""A placeholder for a result that is not cached yet."""
_ASKED_CHARS = 512
_KNOWN_ANSWERS = 1000
_SHAPES: Final = 4096
"""The number of masks whose parsed form is cached."""


def fits(mask: str, text: str) -> bool:
    """
    Return whether the mask matches a text, ignoring case. Linear in the length of the text but for a small factor.

    A mask of more than 512 characters matches nothing.
    """
    return matcher(mask)(fold(text))


def matcher(mask: str) -> Callable[[str], bool]:
    """Return a predicate that matches many folded texts against a mask; see `fits`."""
    if len(mask) > _ASKED_CHARS:
        return lambda text: False
    match = _pattern(fold(mask)).match
    return lambda text: match(text) is not None


def has_wildcards(mask: str) -> bool:
    """Return whether a mask can match more than one text."""
    return "*" in mask or "?" in mask


@lru_cache(maxsize=64)
def _pattern(folded: str) -> re.Pattern[str]:
    # A part between two `*` needs to be searched only once, at its first occurrence: a later one never matches where
    # the first does not. So each part is an atomic group, which is never retried; otherwise a mask with many `*` would
    # take exponential time.
    first, *rest = [re.escape(part).replace(r"\?", ".") for part in re.sub(r"\*+", "*", folded).split("*")]
    if not rest:
        return re.compile(rf"(?s:{first})\Z")
    *between, last = rest
    return re.compile(rf"(?s:{first}{''.join([f'(?>.*?{part})' for part in between])}.*{last})\Z")


def _glob(pattern: str, text: str) -> bool:
    """
    Return whether a folded pattern matches a folded text, without compiling it; same result as `_pattern`.

    Takes about as long as a compiled pattern, because `str.find` does most of the work.
    """
    first, *rest = pattern.split("*")
    if not rest:
        return len(first) == len(text) and _is_at(first, text, 0)
    *between, last = rest
    at, end = len(first), len(text) - len(last)
    if at > end or not _is_at(last, text, end) or not _is_at(first, text, 0):
        return False
    for part in between:  # take the first match of a part: a later one leaves less room for the next part
        at = _find(part, text, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def _is_at(part: str, text: str, at: int) -> bool:
    """Return whether a part without `*` matches at a position with enough text."""
    if "?" not in part:
        return text.startswith(part, at)
    return all(wanted in ("?", found) for wanted, found in zip(part, text[at : at + len(part)], strict=True))


def _find(part: str, text: str, start: int, end: int) -> int:
    """Return the first position in a range where a part without `*` matches; -1 if there is none."""
    if "?" not in part:
        return text.find(part, start, end)
    anchor = max(part.split("?"), key=len)
    before = part.index(anchor)
    last = end - len(part) + before + len(anchor)
    if last < start + before + len(anchor):  # the text is too short; a negative number would count from its end
        return -1
    at = text.find(anchor, start + before, last)
    while at >= 0 and not _is_at(part, text, at - before):
        at = text.find(anchor, at + 1, last)
    return at - before if at >= 0 else -1


def means_address(mask: str) -> bool:
    """
    Return whether a mask looks like an address, which no mask can match: people are shown by cloaks
    (`model/cloaks.py`).
    """
    return _ADDRESS.search(mask) is not None


def normal_mask(raw: str) -> str:
    """
    Return a mask with all its parts: `bob` is `bob!*@*`, `*@host` is `*!*@host`. The prefixes `m:` and `a:` are kept.

    Raises:
        Refused: If it is empty or too long, or has a space or a control character.
    """
    prefix, mask = (MUTE, raw[len(MUTE) :]) if raw.startswith(MUTE) else ("", raw)
    if not mask or not mask.isprintable() or " " in mask:
        raise _bad_mask(raw, "a mask must contain only visible characters and no spaces")
    if mask.startswith(ACCOUNT):
        return _within(raw, prefix + mask)
    nickname, bang, rest = mask.partition("!")
    user, at, host = (rest if bang else mask).partition("@")
    if not bang:
        nickname, user = ("*", user) if at else (mask, "*")
    return _within(raw, f"{prefix}{nickname or '*'}!{user or '*'}@{host or '*'}")


def _within(raw: str, whole: str) -> str:
    if len(whole) > MASK_BYTES or len(whole.encode()) > MASK_BYTES:
        raise _bad_mask(raw, f"a mask can have at most {MASK_BYTES} bytes")
    return whole


class _Shape(NamedTuple):
    """The parsed form of a mask."""

    mute: bool
    account: bool
    """True if it is matched against the account, not against "nickname!user@host"."""
    exact: tuple[str, str] | None
    """A field of `Hostmask` and its value, if comparing that is enough; None for a pattern."""
    pattern: str
    nickname: str | None = None
    """The only nickname that it matches, if it has no wildcards there."""

    def describes(self, hostmask: Hostmask) -> bool:
        if self.exact is not None:
            field, value = self.exact
            return bool(getattr(hostmask, field) == value)
        text = hostmask.account if self.account else hostmask.whole
        return text is not None and _glob(self.pattern, text)


@lru_cache(maxsize=_SHAPES)
def _shape(key: str) -> _Shape:
    """Return the parsed form of a normal, folded mask."""
    mute = key.startswith(MUTE)
    mask = key.removeprefix(MUTE)
    if mask.startswith(ACCOUNT):
        name = mask.removeprefix(ACCOUNT)
        return _Shape(mute, True, None if has_wildcards(name) else ("account", name), name)
    nickname, _, rest = mask.partition("!")
    user, _, host = rest.partition("@")
    only = None if has_wildcards(nickname) else nickname
    exact = None
    if not has_wildcards(mask):
        exact = "whole", mask
    elif only is not None and (user, host) == ("*", "*"):
        exact = "nickname", nickname
    elif nickname == "*" and not has_wildcards(host) and (user == "*" or not has_wildcards(user)):
        exact = ("host", host) if user == "*" else ("userhost", f"{user}@{host}")
    return _Shape(mute, False, exact, mask, only)


def describes(mask: str, hostmask: Hostmask) -> bool:
    """Return whether a normal mask matches a person, or that person's account."""
    return _shape(fold(mask)).describes(hostmask)


def one_nickname(mask: str) -> str | None:
    """Return the folded nickname that a normal mask is limited to; None if it can match others."""
    return _shape(fold(mask)).nickname


def one_account(mask: str) -> str | None:
    """Return the folded name of the account that a normal mask is limited to, or None."""
    shape = _shape(fold(mask))
    return shape.pattern if shape.account and shape.exact is not None else None


def prepare(mask: str) -> None:
    """Parse and cache a mask before the order lock is taken; do nothing if it is not a mask."""
    with suppress(Refused):
        _shape(fold(normal_mask(mask)))


def _bad_mask(raw: str, problem: str) -> Refused:
    return refusal(f"mask {raw[:64]!r}: {problem}", code="bad_mode_argument")


class MaskList:
    """
    One mask list of a room, in the order in which masks were added.

    Changed under the chat's order lock; may be read from any thread at any time.
    """

    __slots__ = ("_changes", "_entries", "_index")

    def __init__(self, entries: Iterable[MaskEntry] = (), *, lasts: bool = False) -> None:
        """
        Args:
            lasts: True to record changes (`take_changes`).
        """
        # Both are replaced as a whole and never changed, so that others can read them meanwhile.
        self._entries: dict[str, MaskEntry] = {fold(entry.mask): entry for entry in entries}
        self._index = _Index(self._entries)
        self._changes: dict[str, MaskEntry | None] | None = {} if lasts else None

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
        """Add a normal mask, replacing the entry with the same mask."""
        key = fold(entry.mask)
        self._replace({**self._entries, key: entry}, key)

    def remove(self, mask: str) -> str | None:
        """Remove a normal mask; return it as it was added, or None if it is not there."""
        key, entries = fold(mask), dict(self._entries)
        entry = entries.pop(key, None)
        if entry is None:
            return None
        self._replace(entries, key)
        return entry.mask

    def find(
        self, hostmask: Hostmask, now: float, *, mutes: bool = False, identity: int | None = None
    ) -> MaskEntry | None:
        """
        Return the entry that matches a person, the longest-lasting one if there are several, or None.

        Args:
            now: The time by `Clock.monotonic`; expired entries match nobody.
            mutes: True to include mutes.
            identity: The session's; entries that were made for it match whatever its hostmask is now.
        """
        index = self._index
        key = hostmask, mutes, identity if identity in index.followed else None
        entry = index.known.get(key, _UNKNOWN)
        # The same members are looked up again and again, with each message.
        if entry is _UNKNOWN or (entry is not None and _ended(entry, now)):
            entry = _longest(index.about(hostmask, identity), now, mutes)
            if len(index.known) >= _KNOWN_ANSWERS:
                index.known.clear()
            index.known[key] = entry
        return entry

    def all_about(self, hostmask: Hostmask, identity: int) -> list[MaskEntry]:
        """Return all entries that match a person or were made for its session, including mutes and expired ones."""
        entries = self._index.about(hostmask, identity)
        return list({entry.mask: entry for entry in entries}.values())

    @property
    def patterns(self) -> int:
        """The number of entries that must be matched one by one, because they are in no table."""
        return len(self._index.patterns)

    def ended(self, now: float) -> list[MaskEntry]:
        """Return the expired entries. `now` is by `Clock.monotonic`."""
        return [entry for entry in self._entries.values() if _ended(entry, now)]

    def take_changes(self) -> dict[str, MaskEntry | None]:
        """Return the changes since the last call, by folded mask; None for a removed one."""
        changes, self._changes = self._changes, {}
        return changes or {}

    def _replace(self, entries: dict[str, MaskEntry], key: str) -> None:
        self._entries = entries
        self._index = _Index(entries)
        if self._changes is not None:
            self._changes[key] = entries.get(key)


class _Index:
    """The entries of a list, indexed for lookup. Immutable except for the cache of results."""

    __slots__ = ("_tables", "followed", "known", "patterns")

    def __init__(self, entries: dict[str, MaskEntry]) -> None:
        self._tables: dict[tuple[str, str | None], list[MaskEntry]] = {}
        """Entries by the field of `Hostmask` and its value."""
        self.patterns: list[tuple[_Shape, MaskEntry]] = []
        self.followed: dict[int, list[MaskEntry]] = {}
        """Entries by identity."""
        self.known: dict[_Asked, MaskEntry | None] = {}
        for key, entry in entries.items():
            shape = _shape(key)
            if shape.exact is None:
                self.patterns.append((shape, entry))
            else:
                self._tables.setdefault(shape.exact, []).append(entry)
            for identity in entry.follows:
                self.followed.setdefault(identity, []).append(entry)

    def about(self, hostmask: Hostmask, identity: int | None) -> list[MaskEntry]:
        """Return the entries that match a person."""
        found: list[MaskEntry] = []
        if self._tables:
            for field in _FIELDS:
                found += self._tables.get((field, getattr(hostmask, field)), ())
        found += [entry for shape, entry in self.patterns if shape.describes(hostmask)]
        if identity is not None:
            found += self.followed.get(identity, ())
        return found


_Asked: TypeAlias = tuple[Hostmask, bool, "int | None"]
_FIELDS: Final = ("nickname", "host", "userhost", "whole", "account")
"""The fields of `Hostmask` that a table can have."""


def _ended(entry: MaskEntry, now: float) -> bool:
    return entry.deadline is not None and entry.deadline <= now


def _longest(entries: list[MaskEntry], now: float, mutes: bool) -> MaskEntry | None:
    counting = [entry for entry in entries if (mutes or not _shape(fold(entry.mask)).mute) and not _ended(entry, now)]
    for entry in counting:
        if entry.deadline is None:
            return entry
    return max(counting, key=lambda entry: entry.deadline or 0.0, default=None)
