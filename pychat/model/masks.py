"""
Masks: patterns of people like `bob!*@*.example`, as bans and questions have them.

`*` stands for any characters, `?` for one. They are compared with "nickname!user@host", both folded, so case does not
matter. A ban with `m:` before its mask is a mute: who fits it may come in and cannot talk (an extended ban). `a:ann`
is for those who are logged in to the account "ann", by whatever nickname (`*` and `?` work there, too); `m:a:ann` mutes
them.

Lists hold the texts of masks and nothing that is compiled, which would take ten times the memory. A mask without
wildcards but in whole parts, as nearly all bans are, is looked up in a table; the others are compared by `_glob`. One
mask that is compared with thousands of texts is compiled for that (`matcher`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from pychat.model.errors import Refused
from pychat.model.hostmask import Hostmask
from pychat.model.modes import MaskEntry
from pychat.model.names import fold

MUTE: Final = "m:"
"""Before the mask of one who shall only be silent."""
ACCOUNT: Final = "a:"
"""Before the name of an account."""
MASK_BYTES: Final = 160
"""Bytes of a mask in UTF-8: a whole nickname, user and host, and one IRC line can name it."""

_ADDRESS: Final = re.compile(r"@(?=[^@]*[0-9])[0-9A-Fa-f*?/]*[.:][0-9A-Fa-f.:*?/]*$")
"""The end of a mask with an address, or a part of one, for a host."""
_UNKNOWN: Final = MaskEntry("", "", 0.0)
"""Stands for what was not asked yet."""
_ASKED_CHARS = 512
_KNOWN_ANSWERS = 1000
_SHAPES: Final = 4096
"""Masks that are remembered by how they are matched."""


def fits(mask: str, text: str) -> bool:
    """
    Whether a text is what the mask describes, whatever the case of both. Linear in the text but for a small factor.

    A mask of more than 512 characters fits nothing.
    """
    return matcher(mask)(fold(text))


def matcher(mask: str) -> Callable[[str], bool]:
    """Return what tells of many folded texts whether the mask describes them; see `fits`."""
    if len(mask) > _ASKED_CHARS:
        return lambda text: False
    match = _pattern(fold(mask)).match
    return lambda text: match(text) is not None


def has_wildcards(mask: str) -> bool:
    """Whether a mask may describe more than one text."""
    return "*" in mask or "?" in mask


@lru_cache(maxsize=64)
def _pattern(folded: str) -> re.Pattern[str]:
    # What stands between two `*` may be looked for once, at the first place where it is: a later place never fits
    # where the first one does not. So each is an atomic group, which is never tried again; without them a mask of
    # many `*` would take exponential time.
    first, *rest = [re.escape(part).replace(r"\?", ".") for part in re.sub(r"\*+", "*", folded).split("*")]
    if not rest:
        return re.compile(rf"(?s:{first})\Z")
    *between, last = rest
    return re.compile(rf"(?s:{first}{''.join([f'(?>.*?{part})' for part in between])}.*{last})\Z")


def _glob(pattern: str, text: str) -> bool:
    """
    Whether a folded text fits a folded pattern, without compiling that: what `_pattern` says.

    Takes about as long as a compiled pattern, for most of the work is that of `str.find`.
    """
    first, *rest = pattern.split("*")
    if not rest:
        return len(first) == len(text) and _is_at(first, text, 0)
    *between, last = rest
    at, end = len(first), len(text) - len(last)
    if at > end or not _is_at(last, text, end) or not _is_at(first, text, 0):
        return False
    for part in between:  # the first place where a part fits: a later one leaves less room for the next
        at = _find(part, text, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def _is_at(part: str, text: str, at: int) -> bool:
    """Whether a part without `*` fits at a place where there is enough text."""
    if "?" not in part:
        return text.startswith(part, at)
    return all(wanted in ("?", found) for wanted, found in zip(part, text[at : at + len(part)], strict=True))


def _find(part: str, text: str, start: int, end: int) -> int:
    """Return the first place between two others where a part without `*` fits; -1: there is none."""
    if "?" not in part:
        return text.find(part, start, end)
    anchor = max(part.split("?"), key=len)
    before = part.index(anchor)
    last = end - len(part) + before + len(anchor)
    if last < start + before + len(anchor):  # there is too little text; a number below 0 would count from its end
        return -1
    at = text.find(anchor, start + before, last)
    while at >= 0 and not _is_at(part, text, at - before):
        at = text.find(anchor, at + 1, last)
    return at - before if at >= 0 else -1


def means_address(mask: str) -> bool:
    """Whether a mask would describe addresses, which no mask does: a cloak stands for each (`model/cloaks.py`)."""
    return _ADDRESS.search(mask) is not None


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


class _Shape(NamedTuple):
    """How a mask is matched."""

    mute: bool
    account: bool
    """Whether it is compared with the account, and not with "nickname!user@host"."""
    exact: tuple[str, str] | None
    """A field of `Hostmask` and its value, if that is all that it takes; None: it is a pattern."""
    pattern: str
    nickname: str | None = None
    """The one nickname that it describes, if it has no wildcards there."""

    def describes(self, hostmask: Hostmask) -> bool:
        if self.exact is not None:
            field, value = self.exact
            return bool(getattr(hostmask, field) == value)
        text = hostmask.account if self.account else hostmask.whole
        return text is not None and _glob(self.pattern, text)


@lru_cache(maxsize=_SHAPES)
def _shape(key: str) -> _Shape:
    """Return the shape of a normal mask, which is folded."""
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
    """Whether a normal mask is for a person, or for that person's account."""
    return _shape(fold(mask)).describes(hostmask)


def one_nickname(mask: str) -> str | None:
    """Return the folded nickname that is the only one a normal mask describes; None: others fit as well."""
    return _shape(fold(mask)).nickname


def one_account(mask: str) -> str | None:
    """Return the folded name of the only account that a normal mask describes; None: it is not for one account."""
    shape = _shape(fold(mask))
    return shape.pattern if shape.account and shape.exact is not None else None


def prepare(mask: str) -> None:
    """Do beforehand, without the order lock, what takes the most time of adding a mask; nothing if it is no mask."""
    with suppress(Refused):
        _shape(fold(normal_mask(mask)))


def _bad_mask(raw: str, problem: str) -> Refused:
    return Refused(f"mask {raw[:64]!r}: {problem}", code="bad_mode_argument")


class MaskList:
    """
    One list of masks of a room, in the order in which they were added.

    Changed under the chat's order lock; may be asked from any thread at any time.
    """

    __slots__ = ("_changes", "_entries", "_index")

    def __init__(self, entries: Iterable[MaskEntry] = (), *, lasts: bool = False) -> None:
        """
        Args:
            lasts: Whether somebody wants to know what changes (`take_changes`).
        """
        # Both are replaced as a whole, never changed, so that others can read them meanwhile.
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
        """Add a normal mask, or put it in the place of the one that says the same."""
        key = fold(entry.mask)
        self._replace({**self._entries, key: entry}, key)

    def remove(self, mask: str) -> str | None:
        """Remove a normal mask; return it as it was added, None if it is not there."""
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
        Return the entry that describes a person, and of several the one that lasts longest; None if none does.

        Args:
            now: By `Clock.monotonic`; an entry that has ended describes nobody.
            mutes: Those that only mute count, too.
            identity: Of the session; entries that were made for it count whatever its hostmask is now.
        """
        index = self._index
        key = hostmask, mutes, identity if identity in index.followed else None
        entry = index.known.get(key, _UNKNOWN)
        # A room asks about its members again and again: with each message.
        if entry is _UNKNOWN or (entry is not None and _ended(entry, now)):
            entry = _longest(index.about(hostmask, identity), now, mutes)
            if len(index.known) >= _KNOWN_ANSWERS:
                index.known.clear()
            index.known[key] = entry
        return entry

    def all_about(self, hostmask: Hostmask, identity: int) -> list[MaskEntry]:
        """Return all entries that describe a person or were made for its session, mutes among them, ended or not."""
        entries = self._index.about(hostmask, identity)
        return list({entry.mask: entry for entry in entries}.values())

    @property
    def patterns(self) -> int:
        """How many of them have to be compared, because they are in no table."""
        return len(self._index.patterns)

    def ended(self, now: float) -> list[MaskEntry]:
        """Return the entries whose time is over. `now`: by `Clock.monotonic`."""
        return [entry for entry in self._entries.values() if _ended(entry, now)]

    def take_changes(self) -> dict[str, MaskEntry | None]:
        """Return what was changed since the last call, by folded mask; None: it was removed."""
        changes, self._changes = self._changes, {}
        return changes or {}

    def _replace(self, entries: dict[str, MaskEntry], key: str) -> None:
        self._entries = entries
        self._index = _Index(entries)
        if self._changes is not None:
            self._changes[key] = entries.get(key)


class _Index:
    """The entries of a list, by how they are found. Never changed, but for what is known of people."""

    __slots__ = ("_tables", "followed", "known", "patterns")

    def __init__(self, entries: dict[str, MaskEntry]) -> None:
        self._tables: dict[tuple[str, str | None], list[MaskEntry]] = {}
        """By the field of `Hostmask` and its value."""
        self.patterns: list[tuple[_Shape, MaskEntry]] = []
        self.followed: dict[int, list[MaskEntry]] = {}
        """By identity."""
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
        """Return the entries that describe a person."""
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
"""Those of `Hostmask` that a table has."""


def _ended(entry: MaskEntry, now: float) -> bool:
    return entry.deadline is not None and entry.deadline <= now


def _longest(entries: list[MaskEntry], now: float, mutes: bool) -> MaskEntry | None:
    counting = [entry for entry in entries if (mutes or not _shape(fold(entry.mask)).mute) and not _ended(entry, now)]
    for entry in counting:
        if entry.deadline is None:
            return entry
    return max(counting, key=lambda entry: entry.deadline or 0.0, default=None)
