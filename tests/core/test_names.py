"""`model/names.py`: what nicknames and rooms may be called, and which of them are the same or look the same."""

from __future__ import annotations

import string
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.model.errors import InvalidNickname, InvalidRoomName
from pychat.model.limits import Limits
from pychat.model.names import check_nickname, check_room, fold, skeleton

LIMITS = Limits()
PUNCTUATION = r"-_.#+&'/@:[]{}|^\`"

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)

NAME_CHARACTERS = string.ascii_letters + string.digits + r"-_[]{}|^\`"

# Text that has a chance to be a name: letters, marks, digits, now and then punctuation.
LIKELY_NAMES = st.text(
    st.one_of(st.sampled_from(NAME_CHARACTERS + ".#"), st.characters(categories=("L", "M", "Nd", "Pc", "Cf"))),
    max_size=40,
)


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "Ann",
        "x" * 32,
        r"[x]{y}|^\`-_9",
        "_",
        "Zoë",
        "Анна",
        "Ελένη",
        "שלום",
        "محمد٣",
        "नमस्ते",
        "太郎",
        "山田たろう",
        "タロー",
        "김철수",
        "Gal·la",
        "ß",
        "\u0915\u094d\u200d\u0937",
        "太" * 32,
    ],
)
def test_names_of_any_script_pass(name: str) -> None:
    """Letters and digits of any script, and the punctuation that IRC allows, are kept as they are."""
    assert check_nickname(name, LIMITS) == name


@pytest.mark.parametrize(
    ("raw", "name"), [("Zoe\u0308", "Zoë"), ("ａｎｎ", "ann"), ("\uff76\uff85", "カナ"), ("e\u0301" * 32, "é" * 32)]
)
def test_names_are_normalised(raw: str, name: str) -> None:
    """Full-width and half-width letters get their usual width, and the name is composed (RFC 8265, section 3.4)."""
    assert check_nickname(raw, LIMITS) == name


@pytest.mark.parametrize(
    ("raw", "shown", "problem"),
    [
        ("", "''", "it is empty"),
        ("a b", "'a b'", "spaces are not allowed"),
        (" ann", "' ann'", "spaces are not allowed"),
        ("a\u00a0b", r"'a\xa0b'", "spaces are not allowed"),
        ("a\u3000b", r"'a\u3000b'", "spaces are not allowed"),
        ("9lives", "'9lives'", "it may not begin with a digit"),
        ("٣ب", "'٣ب'", "its right-to-left letters cannot be combined with the rest"),
        ("३अ", "'३अ'", "it may not begin with a digit"),
        ("-ann", "'-ann'", "it may not begin with '-'"),
        ("\u0301ann", "'\u0301ann'", "it may not begin with a combining mark"),
        (
            "a" + "\u0316\u0301" * 3,
            "'a" + "\u0316\u0301" * 3 + "'",
            "more than 4 combining marks in a row are not allowed",
        ),
        ("*", "'*'", "the character '*' (U+002A) is not allowed"),
        ("аnn", "'аnn'", "letters of different scripts are mixed"),
        ("taro太郎", "'taro太郎'", "letters of different scripts are mixed"),
        ("김たろう", "'김たろう'", "letters of different scripts are mixed"),
        ("שלוםann", "'שלוםann'", "letters of different scripts are mixed"),
        ("שלום-", "'שלום-'", "its right-to-left letters cannot be combined with the rest"),
        ("ann@home", "'ann@home'", "the character '@' (U+0040) is not allowed"),
        ("a.b", "'a.b'", "the character '.' (U+002E) is not allowed"),
        ("#ops", "'#ops'", "the character '#' (U+0023) is not allowed"),
        ("ann:", "'ann:'", "the character ':' (U+003A) is not allowed"),
        ("~ann", "'~ann'", "the character '~' (U+007E) is not allowed"),
        ("ann＠home", "'ann＠home'", "the character '@' (U+0040) is not allowed"),
        ("ann\x07", r"'ann\x07'", "the character U+0007 is not allowed"),
        ("a\tb", r"'a\tb'", "the character U+0009 is not allowed"),
        ("a\rb", r"'a\rb'", "the character U+000D is not allowed"),
        ("a\x9bb", r"'a\x9bb'", "the character U+009B is not allowed"),
        ("ann\u202e", r"'ann\u202e'", "the character U+202E is not allowed"),
        ("a\u2028b", r"'a\u2028b'", "the character U+2028 is not allowed"),
        ("ann\u200b", r"'ann\u200b'", "the character U+200B is not allowed"),
        ("a\u200db", r"'a\u200db'", "the character U+200D is not allowed"),
        ("ann\ufe0f", "'ann\ufe0f'", "the character '\ufe0f' (U+FE0F) is not allowed"),
        ("\ud800", r"'\ud800'", "the character U+D800 is not allowed"),
        ("ann\U0001f600", "'ann\U0001f600'", "the character '\U0001f600' (U+1F600) is not allowed"),
        ("ﬁn", "'ﬁn'", "the character 'ﬁ' (U+FB01) is not allowed"),
        ("𝐚nn", "'𝐚nn'", "the character '𝐚' (U+1D41A) is not allowed"),
        ("x" * 33, "'" + "x" * 33 + "'", "it is longer than 32 characters"),
        ("é" * 33, "'" + "é" * 33 + "'", "it is longer than 32 characters"),
        ("@" * 4096, "'" + "@" * 64 + "'", "it is longer than 32 characters"),
        ("𠀀" * 25, "'" + "𠀀" * 25 + "'", "it is longer than 96 bytes in UTF-8"),
    ],
)
def test_bad_nickname_says_what_is_wrong_and_what_is_allowed(raw: str, shown: str, problem: str) -> None:
    """Each broken rule has its own sentence, and the rule for all stands behind it."""
    with pytest.raises(InvalidNickname) as caught:
        check_nickname(raw, LIMITS)

    assert str(caught.value) == f"nickname {shown}: {problem}; use 1 to 32 letters, digits or -_[]{{}}|^\\`"
    assert (caught.value.nickname, caught.value.problem, caught.value.code) == (raw, problem, "bad_nickname")


def test_the_limit_of_a_nickname_is_a_limit_of_the_chat() -> None:
    """`Limits(nickname_chars=...)` changes the rule, its bytes and what the error says."""
    limits = Limits(nickname_chars=2)

    with pytest.raises(InvalidNickname) as caught:
        check_nickname("ann", limits)

    assert str(caught.value) == (
        r"nickname 'ann': it is longer than 2 characters; use 1 to 2 letters, digits or -_[]{}|^\`"
    )
    with pytest.raises(InvalidNickname, match="it is longer than 6 bytes in UTF-8"):
        check_nickname("𠀀𠀀", limits)


@pytest.mark.parametrize(
    "name",
    [
        *("lobby", "Lobby", "9lives", "2026", "c#", "v1.2", "a.b#c", "日本語", "server", "x" * 64),
        *("c++", "#linux", "##", "+1", "R&D", "it's", "tcp/ip", "@home", "a:b", "'tis"),
        *("☕", "tea☕", "日本☕", "👍🏽", "🇩🇪", "👩\u200d👩\u200d👧", "שלום☕"),
    ],
)
def test_rooms_may_have_more_signs_and_numbers(name: str) -> None:
    """A room may be called what a nickname may be called, begin with a digit, and have more signs, and emoji."""
    assert check_room(name, LIMITS) == name


def test_the_shape_of_an_emoji_makes_no_other_room() -> None:
    """Keyboards put an invisible character behind them, or do not."""
    for shape in ("\ufe0e", "\ufe0f"):
        assert check_room(f"☕{shape}", LIMITS) == "☕"
        assert fold(f"Tea☕{shape}") == fold("tea☕")


def test_nicknames_have_no_emoji() -> None:
    """They are for rooms only."""
    with pytest.raises(InvalidNickname, match="the character '☕'"):
        check_nickname("ann☕", LIMITS)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("", "it is empty"),
        ("a b", "spaces are not allowed"),
        ("/ops", "it may not begin with '/'"),
        ("\N{HOT BEVERAGE}\u0301", "it may not begin with a combining mark"),
        ("x\u200d\N{HOT BEVERAGE}", "the character U+200D is not allowed"),
        ("\N{BRAILLE PATTERN BLANK}", "the character '\u2800' (U+2800) is not allowed"),
        ("\N{CIRCLED LATIN CAPITAL LETTER A}", "the character '\u24b6' (U+24B6) is not allowed"),
        ("\U0001f6ff", "the character U+1F6FF is not allowed"),
        ("\ufe0f", "it is empty"),
        (".", "it may not begin with '.'"),
        ("..", "it may not begin with '.'"),
        ("-ops", "it may not begin with '-'"),
        ("../etc", "it may not begin with '.'"),
        ("a/../b", "'/' must be followed by something that does not begin with '.'"),
        ("a/", "'/' must be followed by something that does not begin with '.'"),
        ("a,b", "the character ',' (U+002C) is not allowed"),
        ("lоbby", "letters of different scripts are mixed"),
        ("x" * 65, "it is longer than 64 characters"),
        ("𠀀" * 49, "it is longer than 192 bytes in UTF-8"),
    ],
)
def test_bad_room_name_says_what_is_wrong_and_what_is_allowed(raw: str, problem: str) -> None:
    """Each broken rule has its own sentence, and the rule for all stands behind it."""
    with pytest.raises(InvalidRoomName) as caught:
        check_room(raw, LIMITS)

    assert str(caught.value) == f"room {raw[:64]!r}: {problem}; use 1 to 64 letters, digits, emoji or {PUNCTUATION}"
    assert (caught.value.room, caught.value.problem, caught.value.code) == (raw, problem, "bad_room")


@pytest.mark.parametrize(
    ("one", "other"), [("ann", "ANN"), ("Zoë", "ZOË"), ("Анна", "АННА"), ("weiß", "WEISS"), ("σοφός", "ΣΟΦΌΣ")]
)
def test_names_that_differ_in_case_only_are_the_same(one: str, other: str) -> None:
    """Nicknames are unique after case folding, in any script."""
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("ann", "anna"), ("zoë", "zoe"), ("bill", "bi11"), ("[a]", "{a}")])
def test_other_names_are_not_the_same(one: str, other: str) -> None:
    """Only case is folded: an accent, a digit or a bracket makes another name."""
    assert fold(one) != fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("сосо", "coco"),
        ("СОСО", "coco"),
        ("Сосо", "COCO"),
        ("ВЕН", "beh"),
        ("МАХ", "max"),
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u0937"),
        ("ո", "n"),
        ("раураӏ", "paypal"),
        ("РАУРАӀ", "paypal"),
        ("аӏісе", "alice"),
        ("ѕрооку", "spooky"),
        ("ο", "o"),
        ("ס", "o"),
        ("זוו", "זון"),
        ("li\u0307z", "liz"),
        ("L\u0130Z", "liz"),
        ("l\u0131\u0307z", "liz"),
        ("j\u0307oe", "joe"),
        ("l\u0456\u0307z", "liz"),
        ("li\u0323\u0307z", "l\u1ecbz"),
    ],
)
def test_names_that_look_alike_have_the_same_skeleton(one: str, other: str) -> None:
    """Names of other scripts that are drawn with the same shapes, whatever their case, are found (UTS #39)."""
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("zoë", "zoe"), ("Анна", "Anna"), ("ann", "anna"), ("太郎", "次郎"), ("e\u0307", "e"), ("li\u0301z", "liz")],
)
def test_names_that_look_different_have_different_skeletons(one: str, other: str) -> None:
    """People are not kept from their name because another is a little like it."""
    assert skeleton(one) != skeleton(other)


@given(st.one_of(ANY_TEXT, LIKELY_NAMES))
def test_any_text_is_a_nickname_or_is_refused(raw: str) -> None:
    """Whatever comes, it is refused with a reason, or a name within all bounds which is a name again."""
    try:
        name = check_nickname(raw, LIMITS)
    except InvalidNickname as error:
        str(error).encode()  # can be sent, whatever came
        return

    assert 1 <= len(name) <= 32
    assert len(name.encode()) <= 96
    assert not any(c.isspace() or (c.isascii() and c not in NAME_CHARACTERS) for c in name)
    assert check_nickname(name, LIMITS) == name


@given(st.one_of(ANY_TEXT, LIKELY_NAMES))
def test_any_text_is_a_room_or_is_refused(raw: str) -> None:
    """Whatever comes, it is refused with a reason, or a name which is a name again."""
    try:
        name = check_room(raw, LIMITS)
    except InvalidRoomName as error:
        str(error).encode()  # can be sent, whatever came
        return

    assert 1 <= len(name) <= 64
    assert name[0] not in "./-"
    assert not set(name) & set(", \0")
    assert check_room(name, LIMITS) == name


@given(st.one_of(ANY_TEXT, LIKELY_NAMES))
def test_folding_twice_changes_nothing_more(name: str) -> None:
    """The key of a key is the key, for any text, and case does not change it."""
    assert fold(fold(name)) == fold(name)


@given(st.text(NAME_CHARACTERS))
def test_ascii_names_are_folded_and_drawn_as_all_others(name: str) -> None:
    """The short cuts for ASCII give what the long way gives: a letter of another script in front changes no key."""
    assert fold("太" + name) == "太" + fold(name)
    assert skeleton("太" + name) == "太" + skeleton(name)


def test_ascii_names_import_no_unicode_tables() -> None:
    """The packages for other scripts are imported with the first name that needs them, not before."""
    program = """if True:
        import sys
        from pychat.model.errors import InvalidNickname
        from pychat.model.limits import Limits
        from pychat.model.names import check_nickname, check_room, fold, skeleton
        names = {"precis_i18n", "confusable_homoglyphs"}
        limits = Limits()
        fold(check_nickname("Ann", limits)), skeleton("Ann"), fold(check_room("lobby", limits))
        for bad in "", "a b", "server", "9", "a@b", "x" * 99:
            try:
                check_nickname(bad, limits)
            except InvalidNickname:
                pass
        before = sorted(names & set(sys.modules))
        check_nickname("Zo\u00eb", limits)
        print(before, sorted(names & set(sys.modules)))
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout == "[] ['confusable_homoglyphs', 'precis_i18n']\n"
