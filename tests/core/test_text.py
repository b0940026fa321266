"""`model/text.py`: what text may contain, and what becomes of the rest."""

from __future__ import annotations

from unicodedata import category, is_normalized

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorder import enter, make_chat

from pychat.model.errors import Refused
from pychat.model.events import Kicked
from pychat.model.limits import Limits
from pychat.model.text import (
    checked_announcement,
    checked_formatted,
    checked_short_text,
    checked_text,
    clean,
    clean_line,
    is_plain,
    need_no_check,
    shows_nothing,
)
from pychat.model.verbs import Direct, Kick, Say, SetAway, SetRealname, SetTopic

# Hypothesis leaves surrogates out of text() unless they are asked for.
ANY_TEXT = st.text(st.characters(exclude_categories=()))

BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        " two  spaces ",
        "/help is {text}, too: ~#'\"\\",
        "grüß dich, 你好, שלום, नमस्ते",
        "two\nlines",
        "\n",
        "a family \U0001f468\u200d\U0001f469\u200d\U0001f467, a flag \U0001f1e9\U0001f1ea, a heart \u2764\ufe0f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\ufffd",
    ],
)
def test_what_languages_and_emoji_need_passes(text: str) -> None:
    """Letters of any script, newlines, joiners, variation selectors and flags stay as they are."""
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b]0;title\x07", "\ufffd]0;title\ufffd"),
        ("\x1b[2J", "\ufffd[2J"),
        ("\x00", "\ufffd"),
        ("\x7f", "\ufffd"),
        ("\x85", "\ufffd"),
        ("\x9b2J", "\ufffd2J"),
        ("hidden\rshown", "hidden\ufffdshown"),
        ("a\x0bb\x0cc\x1cd\x1ee", "a\ufffdb\ufffdc\ufffdd\ufffde"),
        ("a\u2028b\u2029c", "a\ufffdb\ufffdc"),
        ("\ud800", "\ufffd"),
        ("\ud83d\ude00", "\ufffd\ufffd"),
        ("\ufdd0\ufdef\ufffe\uffff\U0001fffe\U0010ffff", "\ufffd" * 6),
    ],
)
def test_what_could_fool_a_terminal_is_replaced(text: str, cleaned: str) -> None:
    """Control characters, separators, surrogates and noncharacters become U+FFFD, one for one."""
    assert clean(text) == cleaned


@pytest.mark.parametrize("control", BIDI_CONTROLS)
def test_bidi_controls_are_replaced(control: str) -> None:
    """No character with the property Bidi_Control gets through."""
    assert clean(f"txt.{control}exe") == "txt.\ufffdexe"


def test_a_tab_is_a_space() -> None:
    """A tab is no reason to spoil a line of pasted code."""
    assert clean("a\tb") == "a b"


def test_a_newline_of_two_bytes_is_one_newline() -> None:
    """A paste from Windows has the lines that it shows; a carriage return alone is a control character."""
    assert clean("a\r\nb\r\n\r") == "a\nb\n\ufffd"


def test_text_is_composed() -> None:
    """Text that looks the same is the same: NFC."""
    assert clean("e\u0301\t\u212b") == "\u00e9 \u00c5"


def test_a_line_has_no_newline() -> None:
    """A topic cannot be two lines."""
    assert clean_line("be nice\r\n--> ann joined\x07") == "be nice --> ann joined\ufffd"


@given(ANY_TEXT)
def test_any_text_comes_out_clean(text: str) -> None:
    """Whatever comes, the result can be sent as UTF-8 and holds nothing that is forbidden."""
    cleaned = clean(text)

    assert cleaned.encode().decode() == cleaned
    assert is_normalized("NFC", cleaned)
    assert not [c for c in cleaned if category(c) in {"Cc", "Cs", "Zl", "Zp"} and c != "\n"]
    assert not set(cleaned) & set(BIDI_CONTROLS)
    assert not [c for c in cleaned if ord(c) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(c) <= 0xFDEF]


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    """The server cleans what comes in, the client what comes out: the second finds nothing to do."""
    assert clean(clean(text)) == clean(text)
    assert clean_line(clean_line(text)) == clean_line(text)
    assert "\n" not in clean_line(text)


@given(ANY_TEXT)
def test_text_grows_by_a_known_factor(text: str) -> None:
    """A byte becomes at most three: who measures before and after knows what to expect."""
    assert len(clean(text).encode()) <= 3 * len(text.encode(errors="surrogatepass"))


@given(st.text(st.characters(max_codepoint=0xFF)))
def test_plain_is_printable_ascii(text: str) -> None:
    """`is_plain` is `isascii` and `isprintable` for much text at once."""
    assert is_plain(text) == (text.isascii() and text.isprintable())


INVISIBLE = [
    "\u200b",
    "\u3164",
    "\u115f\u1160\uffa0",
    "\ufe0f",
    "\u2800",
    "\U00016fe4\U0001d159",
    "\u00ad\u2060\ufeff",
    " \u200b\n\u3000",
    "\U000e0041",
]
"""Texts of which nothing is drawn."""


@pytest.mark.parametrize("text", ["", " ", *INVISIBLE], ids=ascii)
def test_what_shows_nothing_is_no_text(text: str) -> None:
    """No message, away text, real name, topic or reason."""
    chat = make_chat()
    ann, bob = enter(chat, "ann", "ops"), enter(chat, "bob", "ops")
    ann.take()

    for verb in (Say(text), Say(text, action=True), Direct(text, "bob"), Say(text, notice=True)):
        assert [(item.code, item.text) for item in ann.do(verb)] == [("empty", "the message is empty")]
    bob.take()
    ann.do(SetAway(text), SetRealname(text), SetTopic(text), Kick("bob", None, text))

    assert (ann.away, ann.realname, chat.room("ops").topic) == ("away", "ann", "")
    assert [item.reason for item in bob.take() if isinstance(item, Kicked)] == [""]


@pytest.mark.parametrize("text", ["x\u200b", "\u200bx", "\U0001f44d\ufe0f", "\u0301", "\ufffd"], ids=ascii)
def test_what_shows_anything_is_text(text: str) -> None:
    """What is invisible beside it stays: scripts and emoji need it."""
    assert not shows_nothing(text)


SMALL = Limits(text_bytes=9, text_lines=2, short_text_chars=3)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1234567890", "message: at most 9 bytes"),
        ("äöüß\t\t", "message: at most 9 bytes"),
        ("\x00\x00\x00\x00", "message: at most 9 bytes"),  # as cleaned, three bytes each
        ("1\n2\n3", "message: at most 2 lines"),
        ("", "the message is empty"),
        (" \u200b", "the message is empty"),
    ],
)
def test_a_message_is_bounded_as_it_will_be_seen(text: str, problem: str) -> None:
    """By bytes and lines, after cleaning; and it must show something."""
    with pytest.raises(Refused) as caught:
        checked_text(text, SMALL)

    assert str(caught.value) == problem


def test_what_is_within_the_limits_passes_clean() -> None:
    """Each kind of text with the blanks and newlines that it may have."""
    assert checked_text("a\tb\r\nc ", SMALL) == "a b\nc "
    assert checked_formatted("\x02a\x02\nb", SMALL) == "\x02a\x02 b"
    assert checked_short_text("topic", " a\nb ", SMALL) == "a b"
    assert checked_short_text("topic", " \u200b", SMALL) == ""
    assert checked_announcement(" a\nb ", SMALL) == "a b"


def test_other_kinds_of_text_have_bounds_of_their_own() -> None:
    """Bytes for what only IRC sees, characters for a topic, and one line that is not empty for an announcement."""
    with pytest.raises(Refused, match=r"^message: at most 9 bytes$"):
        checked_formatted("\x02" + "123456789", SMALL)
    with pytest.raises(Refused, match=r"^topic: at most 3 characters$"):
        checked_short_text("topic", "tea!", SMALL)
    with pytest.raises(Refused, match=r"^message: at most 3 characters$"):
        checked_announcement("tea!", SMALL)
    with pytest.raises(Refused, match=r"^the message is empty$"):
        checked_announcement(" ", SMALL)


@given(st.lists(st.text(st.characters(max_codepoint=0x80), max_size=10), min_size=1, max_size=3))
def test_texts_that_need_no_check_would_pass_it_as_they_are(texts: list[str]) -> None:
    """The short way for many messages at once leads to the same."""
    if need_no_check(texts, "".join(texts), SMALL):
        assert [checked_text(text, SMALL) for text in texts] == texts
