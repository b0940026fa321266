r"""
What nicknames and rooms may be called, and which names are the same or look the same.

Letters and digits of any script, and of ASCII punctuation what IRC allows: ``-_[]{}|^\` ``. Other scripts follow the
profile UsernameCasePreserved of RFC 8265, and one name keeps to one script (UTS #39, 5.1; Japanese, Korean and
Bopomofo with their Han characters count as one).

The only door of precis_i18n and confusable_homoglyphs. Both are imported when the first name outside ASCII appears,
because they cost 40 ms and most servers never need them; all that concerns plain ASCII names is decided here.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import groupby

from pychat.core.errors import InvalidNickname, InvalidRoomName
from pychat.core.limits import Limits

_NICKNAME_PUNCTUATION = frozenset(r"-_[]{}|^\`")
_ROOM_PUNCTUATION = _NICKNAME_PUNCTUATION | frozenset(".#")

RESERVED = ("server", "system", "admin", "nickserv", "chanserv", "*")
"""Nicknames that nobody can have: people would take them for the server or its operators, and tell them passwords."""

# 32 characters may have 96 bytes: enough for every script but those beyond U+FFFF at full length.
_BYTES_PER_CHARACTER = 3

# No language stacks more marks on one letter; what does is meant to run into the lines above and below it.
_MARKS_IN_A_ROW = 4

# A longer name is refused before its characters are looked at: nobody shall pay for 4 KiB of Unicode properties.
# Composition (NFC) shortens real names by less than this.
_DECOMPOSED_LENGTH = 4


def check_nickname(raw: str, limits: Limits) -> str:
    """
    Return the nickname as everybody will see it: its case kept, full-width letters narrowed, NFC.

    Raises:
        InvalidNickname: A rule is broken; the error names the first one.
    """
    limit = limits.nickname_chars
    name, problem = _check_characters(raw, limit, _NICKNAME_PUNCTUATION)
    problem = _reserved(name) or problem or _nickname_start(name)
    if problem:
        raise InvalidNickname(raw, problem, limit)
    return name


def check_room(raw: str, limits: Limits) -> str:
    """
    Return the name of a room as everybody will see it; digits may begin it, `.` and `#` may follow.

    Raises:
        InvalidRoomName: A rule is broken; the error names the first one.
    """
    limit = limits.room_name_chars
    name, problem = _check_characters(raw, limit, _ROOM_PUNCTUATION)
    if not problem and name[0] in "-.#":
        problem = f"it may not begin with {name[0]!r}"
    if problem:
        raise InvalidRoomName(raw, problem, limit)
    return name


def fold(name: str) -> str:
    """Return the key under which a name is unique: two names that differ in case only have the same."""
    if name.isascii():
        return name.lower()
    # Canonical caseless matching (Unicode 3.13, D145): some letters fold to the same only when taken apart.
    folded = unicodedata.normalize("NFD", name).casefold()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", folded).casefold())


def skeleton(name: str) -> str:
    """
    Return the key that names which look alike have in common, whatever their case (UTS #39, section 4).

    Compare it only if at least one of two names is not ASCII: among ASCII names "l", "1" and "I" would be the same,
    and somebody called `bill` must not keep out a `bi11`.
    """
    if name.isascii():
        return name.translate(_ASCII_PROTOTYPES).lower().translate(_ASCII_PROTOTYPES)
    return _prototype(fold(_prototype(name)))


def _check_characters(raw: str, limit: int, punctuation: frozenset[str]) -> tuple[str, str | None]:
    """Return the normalised name and the first problem with its length or characters, None if there is none."""
    if not raw:
        return raw, "it is empty"
    if len(raw) > limit * _DECOMPOSED_LENGTH:
        return raw, f"it is longer than {limit} characters"
    if any(unicodedata.category(character) == "Zs" for character in raw):
        return raw, "spaces are not allowed"
    name, problem = (raw, None) if raw.isascii() else _enforce_profile(raw)
    problem = problem or _foreign_ascii(name, punctuation)
    if not problem and not name.isascii():
        problem = _mixed_scripts(name) or _too_many_marks(name)
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


def _reserved(name: str) -> str | None:
    key = fold(name)
    if key in RESERVED:
        return f"{key!r} is reserved"
    if name.isascii():
        return None
    look = skeleton(name)
    return next((f"it looks like {word!r}, which is reserved" for word in RESERVED if skeleton(word) == look), None)


def _foreign_ascii(name: str, punctuation: frozenset[str]) -> str | None:
    for character in name:
        if character.isascii() and not character.isalnum() and character not in punctuation:
            return _not_allowed(character)
    return None


def _not_allowed(character: str) -> str:
    shown = f"{character!r} (U+{ord(character):04X})" if character.isprintable() else f"U+{ord(character):04X}"
    return f"the character {shown} is not allowed"


def _too_many_marks(name: str) -> str | None:
    if unicodedata.category(name[0]).startswith("M"):  # it would be drawn over what stands before the name
        return "it may not begin with a combining mark"
    for is_mark, run in groupby(name, key=lambda character: unicodedata.category(character).startswith("M")):
        if is_mark and len(list(run)) > _MARKS_IN_A_ROW:
            return f"more than {_MARKS_IN_A_ROW} combining marks in a row are not allowed"
    return None


def _enforce_profile(raw: str) -> tuple[str, str | None]:
    """Return the name normalised by UsernameCasePreserved, and the first problem that the profile has with it."""
    from precis_i18n import get_profile

    try:
        return get_profile("UsernameCasePreserved").enforce(raw), None
    except UnicodeEncodeError as error:
        # The profile reports its errors this way: `object` is the normalised name, start to end the character, or
        # the whole name where the rule is about all of it (the Bidi Rule of RFC 5893 is the one that names meet).
        name = error.object
        if not error.reason.endswith(("/bidi_rule", "/not_idempotent")):
            return name, _not_allowed(name[error.start])
        return name, _mixed_scripts(name) or "its right-to-left letters do not go together with the rest"


_WRITTEN_TOGETHER = {
    "HAN": {"japanese", "korean", "bopomofo"},
    "HIRAGANA": {"japanese"},
    "KATAKANA": {"japanese"},
    "HANGUL": {"korean"},
    "BOPOMOFO": {"bopomofo"},
}


def _mixed_scripts(name: str) -> str | None:
    """Say so if no one writing system has all the letters (UTS #39, 5.1: the resolved script set is empty)."""
    from confusable_homoglyphs.categories import unique_aliases

    scripts = unique_aliases(name) - {"COMMON", "INHERITED"}
    systems = [_WRITTEN_TOGETHER.get(script, {script}) for script in scripts]
    if systems and not set.intersection(*systems):
        return "letters of different scripts are mixed"
    return None


# What `_prototypes` gives for ASCII, so that ASCII names need no table; a test compares the two.
_ASCII_PROTOTYPES = str.maketrans({"0": "O", "1": "l", "I": "l", "|": "l", "m": "rn", "`": "'", '"': "''"})

_LEFT_TO_RIGHT_MARK = "\u200e"
_JOINERS = {0x200C: "", 0x200D: ""}  # allowed where some scripts need them, and never to be seen


@cache
def _prototypes() -> dict[int, str]:
    """
    Return, for each confusable character, what stands for all that look like it.

    The library's table knows both directions of each pair of confusables.txt, but not which is which. There, each
    character has one prototype and a prototype has none, so the one with several partners is the prototype; of two
    that have only each other it is the longer one, else the one with the smaller code point.
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
    return prototypes


def _prototype(name: str) -> str:
    decomposed = unicodedata.normalize("NFD", name).translate(_JOINERS).translate(_prototypes())
    return unicodedata.normalize("NFD", decomposed)
