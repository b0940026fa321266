r"""
Valid nicknames and room names, and which of them are the same or look alike.

Allowed are letters and digits of any script, and the ASCII punctuation that IRC allows: ``-_[]{}|^\` ``; room names may
have more punctuation, and emoji. Other scripts follow the profile UsernameCasePreserved of RFC 8265, and a name must
keep to one script (UTS #39, 5.1; Japanese, Korean and Bopomofo with their Han characters count as one).

The only module that uses precis_i18n and confusable_homoglyphs. Both are imported at the first name outside ASCII,
because they take 40 ms and most servers never need them; plain ASCII names are handled completely here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import groupby
from typing import Final

from pychat.model.arguments import given, items
from pychat.model.errors import InvalidNickname, InvalidRoomName
from pychat.model.limits import Limits

_NICKNAME_PUNCTUATION = frozenset(r"-_[]{}|^\`")
_ROOM_PUNCTUATION = _NICKNAME_PUNCTUATION | frozenset(".#+&'/@:")
_NO_ROOM_BEGINS = "-./"

# The blocks of emoji, without characters like letters, lines or brackets. Two emoji may be joined.
_OF_EMOJI = (
    "[\u231a\u231b\u2328\u23cf\u23e9-\u23f3\u23f8-\u23fa\u2600-\u26ff\u2702-\u2757\u2763-\u2767\u2795-\u27b0\u27bf"
    "\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\U0001f004\U0001f0cf\U0001f1e6-\U0001f1ff\U0001f300-\U0001faff]"
)
_EMOJI = re.compile(f"(?:{_OF_EMOJI}(?:\u200d(?={_OF_EMOJI}))?)+")
_SYMBOLS = {"So", "Sk", "Sm"}

# They select the coloured or the plain shape of the same character.
_SHAPES = {0xFE0E: None, 0xFE0F: None}

# 32 characters may have 96 bytes: enough for every script but those beyond U+FFFF at full length.
_BYTES_PER_CHARACTER = 3

# No script stacks more marks on one letter; longer stacks are meant to run into the lines above and below.
_MARKS_IN_A_ROW = 4

# A longer name is refused before its characters are examined, so that nobody can make the server process 4 KiB of
# Unicode properties. Composition (NFC) shortens real names by less than this.
_DECOMPOSED_LENGTH = 4


_ANY_LENGTH = Limits(room_name_chars=2**16)


AUDIT: Final = "*audit"
"""The name of the audit record, which is not a valid room name."""


def check_nickname(raw: str, limits: Limits) -> str:
    """
    Return the nickname as everybody will see it: case preserved, full-width letters narrowed, NFC.

    Does not check whether it is reserved (`model/reserved_names.py`), in use or registered.

    Raises:
        InvalidNickname: If a rule is broken; the error names the first one.
    """
    limit = limits.nickname_chars
    name, problem = _check_characters(raw, limit, _NICKNAME_PUNCTUATION)
    problem = problem or _nickname_start(name)
    if problem:
        raise InvalidNickname(raw, problem, limit)
    return name


def check_room(raw: str, limits: Limits) -> str:
    """
    Return the room name as everybody will see it; it may have more punctuation than a nickname, and emoji.

    Raises:
        InvalidRoomName: If a rule is broken; the error names the first one.
    """
    limit = limits.room_name_chars
    name, problem = _check_characters(raw, limit, _ROOM_PUNCTUATION, emoji=True)
    if not problem and name[0] in _NO_ROOM_BEGINS:
        problem = f"it may not begin with {name[0]!r}"
    if not problem and any(not part or part[0] == "." for part in name.split("/")):
        problem = "'/' must be followed by something that does not begin with '.'"
    if problem:
        raise InvalidRoomName(raw, problem, limit)
    return name


def has_mark_of_irc(room: str) -> bool:
    """Return whether a name begins with IRC's "#". In other protocols, hardly anybody means to create such a room."""
    return room.startswith("#")


def names_of(rooms: Iterable[str]) -> tuple[str, ...]:
    """Return the names as a tuple; reject a string, which would be a list of one-letter names."""
    if isinstance(rooms, str):
        raise TypeError(f"rooms must be a list of names: [{rooms!r}], not {rooms!r}")
    return tuple(items("rooms", rooms, "['lobby']"))


def room_names(rooms: Iterable[str]) -> tuple[str, ...]:
    """
    Return the names of rooms of another server, which may have other limits.

    Raises:
        TypeError: If it is not a list of names.
        InvalidRoomName: If one is not a valid room name.
    """
    names = names_of(rooms)
    for name in names:
        try:
            check_room(given("rooms", name, str, "a list of names"), _ANY_LENGTH)
        except InvalidRoomName as error:
            raise InvalidRoomName(name, error.problem, Limits().room_name_chars) from None
    return names


def fold(name: str) -> str:
    """
    Return the key under which a name is unique: names that differ only in case have the same key.

    It is the same object if they are equal, so that nothing is stored twice.
    """
    if name.isascii():
        folded = name.lower()
        return name if folded == name else folded
    # Canonical caseless matching (Unicode 3.13, D145): some letters fold to the same only when decomposed.
    folded = unicodedata.normalize("NFD", name.translate(_SHAPES)).casefold()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", folded).casefold())


def skeleton(name: str) -> str:
    """
    Return a key that names which look alike share, ignoring case (UTS #39, section 4).

    Compare it only if at least one of two names is not ASCII: in ASCII, "l", "1" and "I" would be the same, and a user
    called `bill` must not keep out a `bi11`.
    """
    if name.isascii():
        looks = name.translate(_ASCII_SKELETONS)
        return name if looks == name else looks
    return _prototype(fold(_prototype(name)))


def _check_characters(
    raw: str, limit: int, punctuation: frozenset[str], *, emoji: bool = False
) -> tuple[str, str | None]:
    """Return the normalised name and the first problem with its length or characters, or None."""
    if not raw:
        return raw, "it is empty"
    if len(raw) > limit * _DECOMPOSED_LENGTH:
        return raw, f"it is longer than {limit} characters"
    if " " in raw or (not raw.isascii() and any(unicodedata.category(character) == "Zs" for character in raw)):
        return raw, "spaces are not allowed"
    if raw.isascii():
        name, problem = raw, None
    elif emoji:
        name, problem = _enforce_between_emoji(raw)
    else:
        name, problem = _enforce_profile(raw)
    problem = problem or _foreign_ascii(name, punctuation)
    if not problem and not name.isascii():
        problem = _mixed_scripts(_EMOJI.sub("", name) if emoji else name) or _too_many_marks(name)
    if not problem and len(name) > limit:
        problem = f"it is longer than {limit} characters"
    if not problem and len(name.encode()) > limit * _BYTES_PER_CHARACTER:
        problem = f"it is longer than {limit * _BYTES_PER_CHARACTER} bytes in UTF-8"
    return name, problem


def _nickname_start(name: str) -> str | None:
    if name[0] == "-":
        return "it may not begin with '-'"
    if unicodedata.category(name[0]) == "Nd":
        return "it may not begin with a digit"
    return None


def _foreign_ascii(name: str, punctuation: frozenset[str]) -> str | None:
    for character in name:
        if character.isascii() and not character.isalnum() and character not in punctuation:
            return _not_allowed(character)
    return None


def _not_allowed(character: str) -> str:
    shown = f"{character!r} (U+{ord(character):04X})" if character.isprintable() else f"U+{ord(character):04X}"
    return f"the character {shown} is not allowed"


def _too_many_marks(name: str) -> str | None:
    if unicodedata.category(name[0]).startswith("M"):  # it would be drawn over the text before the name
        return "it may not begin with a combining mark"
    for is_mark, run in groupby(name, key=lambda character: unicodedata.category(character).startswith("M")):
        if is_mark and len(list(run)) > _MARKS_IN_A_ROW:
            return f"more than {_MARKS_IN_A_ROW} combining marks in a row are not allowed"
    return None


def _enforce_between_emoji(raw: str) -> tuple[str, str | None]:
    """Return the name with the parts between emoji normalised, and their first problem."""
    raw = raw.translate(_SHAPES)
    parts: list[str] = []
    end = 0
    for match in [*_EMOJI.finditer(raw), None]:
        between = raw[end:] if match is None else raw[end : match.start()]
        if between:
            part, problem = (between, None) if between.isascii() else _enforce_profile(between)
            problem = problem or (_too_many_marks(part) if parts else None)  # marks on an emoji are not limited here
            if problem:
                return raw, problem
            parts.append(part)
        if match is not None:
            strange = next((sign for sign in match[0] if not _is_symbol(sign)), None)
            if strange is not None:
                return raw, _not_allowed(strange)
            parts.append(match[0])
            end = match.end()
    return "".join(parts), None if parts else "it is empty"


def _is_symbol(character: str) -> bool:
    return character == "\u200d" or unicodedata.category(character) in _SYMBOLS


def _enforce_profile(raw: str) -> tuple[str, str | None]:
    """Return the name normalised by UsernameCasePreserved, and its first violation of the profile."""
    from precis_i18n import get_profile

    try:
        return get_profile("UsernameCasePreserved").enforce(raw), None
    except UnicodeEncodeError as error:
        # The profile reports errors this way: `object` is the normalised name, start to end the character, or the whole
        # name for a rule about all of it (of these, names meet the Bidi Rule of RFC 5893).
        name = error.object
        if not error.reason.endswith(("/bidi_rule", "/not_idempotent")):
            return name, _not_allowed(name[error.start])
        return name, _mixed_scripts(name) or "its right-to-left letters cannot be combined with the rest"


_WRITTEN_TOGETHER = {
    "HAN": {"japanese", "korean", "bopomofo"},
    "HIRAGANA": {"japanese"},
    "KATAKANA": {"japanese"},
    "HANGUL": {"korean"},
    "BOPOMOFO": {"bopomofo"},
}


def _mixed_scripts(name: str) -> str | None:
    """Return a problem if no one writing system has all the letters (UTS #39, 5.1: an empty resolved script set)."""
    from confusable_homoglyphs.categories import unique_aliases

    scripts = unique_aliases(name) - {"COMMON", "INHERITED"}
    systems = [_WRITTEN_TOGETHER.get(script, {script}) for script in scripts]
    if systems and not set.intersection(*systems):
        return "letters of different scripts are mixed"
    return None


# The values of `_prototypes` for ASCII, so that ASCII names need no table; a test compares the two.
_ASCII_PROTOTYPES = str.maketrans({"0": "O", "1": "l", "I": "l", "|": "l", "m": "rn", "`": "'", '"': "''"})

_ASCII_SKELETONS = {
    code: chr(code).translate(_ASCII_PROTOTYPES).lower().translate(_ASCII_PROTOTYPES) for code in range(128)
}

# Where Unicode's table differs from what the eye sees: the small palochka is drawn like "l" (the table maps it to "i"),
# the small ka and kappa like "k" (the table maps them to the "kra" of Greenland, which is drawn the same).
_MORE_PROTOTYPES = {0x04CF: "l", 0x043A: "k", 0x03BA: "k", 0x0138: "k"}

# Letters that lose their dot under a mark above (Soft_Dotted of PropList.txt), without those that NFD decomposes.
_SOFT_DOTTED = frozenset(
    "ij\u0249\u0268\u029d\u02b2\u03f3\u0456\u0458\u1d62\u1d96\u1da4\u1da8\u2071\u2148\u2149\u2c7c\u0131\u0237"
)
_DOT_ABOVE = "\u0307"
_ABOVE = 230

_LEFT_TO_RIGHT_MARK = "\u200e"
_JOINERS = {0x200C: "", 0x200D: ""}  # allowed where some scripts need them, and always invisible


@cache
def _prototypes() -> dict[int, str]:
    """
    Return the prototype of each confusable character, which all characters that look like it share.

    The library's table has both directions of each pair of confusables.txt, but not which one is the prototype. In that
    file, each character has one prototype and a prototype has none, so a character with several partners is a
    prototype. Of two that only have each other, it is the longer one, or else the one with the smaller code point.
    """
    from confusable_homoglyphs.confusables import confusables_data

    prototypes = {}
    for key, partners in confusables_data.items():
        character = key.strip(_LEFT_TO_RIGHT_MARK)  # the file puts right-to-left characters between two of these
        if len(character) > 1 or len(partners) > 1:
            continue
        partner = partners[0]["c"].strip(_LEFT_TO_RIGHT_MARK)
        if len(partner) > 1 or len(confusables_data[partners[0]["c"]]) > 1 or partner < character:
            prototypes[ord(character)] = partner
    return prototypes | _MORE_PROTOTYPES


def _prototype(name: str) -> str:
    decomposed = _undotted(unicodedata.normalize("NFD", name).translate(_JOINERS)).translate(_prototypes())
    return _undotted(unicodedata.normalize("NFD", decomposed))


def _undotted(decomposed: str) -> str:
    """Remove dots above letters that already have one: they look the same (UTS #39, section 5.4)."""
    if _DOT_ABOVE not in decomposed:
        return decomposed
    kept: list[str] = []
    has_dot = False
    for character in decomposed.replace("I" + _DOT_ABOVE, "i"):
        if character == _DOT_ABOVE and has_dot:
            continue
        if unicodedata.combining(character) in (0, _ABOVE):  # marks below do not affect the dot
            has_dot = character in _SOFT_DOTTED
        kept.append(character)
    return "".join(kept)
