"""
Allowed text: the one place through which text enters a room, where it is cleaned, checked and bounded.

Control characters and bidi controls could move the cursor, hide messages or fake another line on a terminal; line and
paragraph separators are newlines to some programs and not to others; surrogates and noncharacters cannot be sent. Each
becomes U+FFFD, so that a reader sees that something was there. Characters that scripts and emoji need (joiners,
variation selectors, tags) pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final
from unicodedata import normalize

from pychat.model.arguments import given, items
from pychat.model.errors import LimitExceeded, refusal

if TYPE_CHECKING:
    from pychat.model.limits import Limits

_REPLACEMENT = "\ufffd"
_LISTED_CHARS = 60

# Cc but \n (a message may have lines), the twelve characters with the property Bidi_Control, line and paragraph
# separator, surrogates, and the noncharacters: U+FDD0..FDEF and the last two code points of each plane.
_ELSEWHERE = "\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff\ufdd0-\ufdef" + "".join(
    map(chr, [plane << 16 | last for plane in range(17) for last in (0xFFFE, 0xFFFF)])
)
_FORBIDDEN = re.compile(f"[\x00-\x09\x0b-\x1f{_ELSEWHERE}]")

# The text that only IRC members get may have the formatting codes of modern.ircdocs.horse/formatting (bold 02, colours
# 03 and 04, reset 0F, monospace 11, reverse 16, italics 1D, strikethrough 1E, underline 1F) and 01, which begins and
# ends CTCP. A newline is forbidden.
_FORBIDDEN_IN_FORMATTED = re.compile(f"[\x00\x05-\x0e\x10\x12-\x15\x17-\x1c{_ELSEWHERE}]")

TAG_BYTES: Final = 4094
"""The maximum bytes of a client's message tags (IRCv3 message-tags, "Size limit")."""
_FORBIDDEN_IN_TAGS: Final = re.compile("[\x00-\x20\x7f-\x9f\ud800-\udfff]")

UNSEEN: Final = (
    r"\x20\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff"
)
"""
Invisible characters, for the brackets of a regular expression: blanks, and characters that are not drawn by themselves
(Default_Ignorable_Code_Point), with the Braille pattern without dots, the filler of Khitan and the note without a head.
"""
_INVISIBLE = re.compile(rf"[\s{UNSEEN}]*")

_PLAIN = bytes(range(0x20, 0x7F))


def is_plain(text: str) -> bool:
    """Return whether text is printable ASCII. For long texts; six times as fast as `str.isprintable`."""
    return text.isascii() and not text.encode().translate(None, _PLAIN)


def clean(text: str) -> str:
    r"""
    Return the text as a room may see it: NFC, a tab as a space, `\r\n` as `\n`, forbidden characters as U+FFFD.

    Idempotent. The result can be larger than the input (a control character of one byte becomes three, NFC decomposes
    some characters), so limits on the size of a text must be checked after this.
    """
    if text.isascii() and text.isprintable():  # nearly every line; the only path that has to be fast
        return text
    text = text.replace("\r\n", "\n").replace("\t", " ")
    return normalize("NFC", _FORBIDDEN.sub(_REPLACEMENT, text))


def shows_nothing(text: str) -> bool:
    """Return whether all of the text is blank or invisible."""
    return _INVISIBLE.fullmatch(text) is not None


def clean_line(text: str) -> str:
    """Return the text cleaned and on one line, newlines as spaces: for a topic, an away text or a reason."""
    return clean(text).replace("\n", " ")


def seen(line: str) -> str:
    """Return a line without surrounding blanks; empty if it is invisible."""
    return "" if shows_nothing(line) else line.strip()


def lines_of(name: str, text: Iterable[str]) -> tuple[str, ...]:
    """
    Return cleaned lines; reject a string, which would be a list of one-letter lines.

    Args:
        name: The name of the argument, for errors.

    Raises:
        TypeError: If it is not a list of strings.
    """
    if isinstance(text, str):
        raise TypeError(f"{name} must be a list of lines: [{text!r}], not {text!r}")
    lines = items(name, text, "['Be kind.']")
    return tuple([clean_line(given(name, line, str, "a list of lines")) for line in lines])


def clean_formatted(text: str) -> str:
    """Return text with IRC formatting, or a CTCP message, cleaned of everything else and on one line."""
    text = text.replace("\r\n", " ").replace("\n", " ").replace("\t", " ")
    return normalize("NFC", _FORBIDDEN_IN_FORMATTED.sub(_REPLACEMENT, text))


def checked_text(text: str, limits: Limits) -> str:
    """
    Return the text of a message after cleaning it and checking the limits.

    Raises:
        Refused: If it is empty or too long.
    """
    text = clean(text)
    if len(text) * 4 > limits.text_bytes and len(text.encode()) > limits.text_bytes:
        raise LimitExceeded("message", limits.text_bytes, "bytes")
    if "\n" in text and text.count("\n") >= limits.text_lines:
        raise LimitExceeded("message", limits.text_lines, "lines")
    if shows_nothing(text):
        raise refusal("the message is empty", code="empty")
    return text


def need_no_check(texts: Sequence[str], together: str, limits: Limits) -> bool:
    """
    Return whether `checked_text` would return each of many texts as it is; False if that is not sure.

    Args:
        texts: At least one.
        together: The texts, joined.
    """
    return (
        is_plain(together)
        and max(map(len, texts)) <= limits.text_bytes
        and all(texts)
        and not any(map(str.isspace, texts))
    )


def checked_formatted(text: str, limits: Limits) -> str:
    """
    Return the text that only IRC members get, cleaned and on one line; it may be empty.

    Raises:
        LimitExceeded: If it is too long.
    """
    text = clean_formatted(text)
    if len(text.encode()) > limits.text_bytes:
        raise LimitExceeded("message", limits.text_bytes, "bytes")
    return text


def checked_short_text(what: str, text: str, limits: Limits) -> str:
    """
    Return a topic, an away text or a reason, cleaned and on one line; it may be empty.

    Args:
        what: Which of them it is, for errors.

    Raises:
        LimitExceeded: If it is too long.
    """
    text = seen(clean_line(text))
    if len(text) > limits.short_text_chars:
        raise LimitExceeded(what, limits.short_text_chars, "characters")
    return text


def checked_announcement(text: str, limits: Limits) -> str:
    """
    Return a message of one line to many people.

    Raises:
        Refused: If it is empty or too long.
    """
    text = checked_short_text("message", text, limits)
    if not text:
        raise refusal("the message is empty", code="empty")
    return text


def shorten(text: str) -> str:
    """Return the beginning of a topic or an away text, for lists, which would be megabytes with full texts."""
    return text if len(text) <= _LISTED_CHARS else text[: _LISTED_CHARS - 1] + "\N{HORIZONTAL ELLIPSIS}"


def because(reason: str) -> str:
    """Return the text for a reason after an action; the reason may be empty."""
    return f" ({reason})" if reason else ""


def checked_tags(tags: str) -> str:
    """
    Return message tags (IRCv3 message-tags) as others may see them.

    Raises:
        Refused: If they are too long, or contain characters that would end them.
    """
    if len(tags.encode(errors="replace")) > TAG_BYTES:
        raise LimitExceeded("message tags", TAG_BYTES, "bytes")
    if _FORBIDDEN_IN_TAGS.search(tags):
        raise refusal("message tags have no spaces and no control characters", code="bad_request")
    return tags
