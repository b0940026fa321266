"""`core/masks.py`: who is described by a mask."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pychat.core.errors import Refused
from pychat.core.masks import MASK_BYTES, MaskList, fits, normal_mask
from pychat.core.modes import MaskEntry

few = st.text(st.sampled_from("ab*?\\["), max_size=10)


def slow_fits(mask: str, text: str) -> bool:
    """The same by the definition of the wildcards, without any trick."""
    reached = {0}
    for sign in mask:
        if sign == "*":
            reached = set(range(min(reached, default=len(text) + 1), len(text) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(text) and sign in ("?", text[at])}
    return len(text) in reached


@given(few, st.text(st.sampled_from("ab\\[\n"), max_size=12))
@example("a\\?", "a\\b")
@example("*a*?b*", "aab")
def test_wildcards(mask: str, text: str) -> None:
    """`*` is any characters, also none, `?` is exactly one; everything else is itself."""
    assert fits(mask, text) == slow_fits(mask, text)


def test_case_does_not_matter_in_any_script() -> None:
    """As for nicknames."""
    assert fits("Bob!*@*.EXAMPLE", "bOB!~b@gw.example")
    assert fits("ЖАНна!*", "жанНА!~u@h")
    assert not fits("bob!*@*", "bobby!~b@h")


def test_a_mask_that_is_made_to_be_slow_is_not() -> None:
    """Many `*` do not multiply (a regular expression of `.*` would take years), and what is too long fits nothing."""
    began = time.monotonic()

    assert not fits("*a" * 250 + "b", "a" * 5000)
    assert not fits("*a?" * 150 + "b", "a" * 5000)
    assert not fits("*" * 513, "a")
    assert fits("*" * 512, "a")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("raw", "mask"),
    [
        ("bob", "bob!*@*"),
        ("*@host", "*!*@host"),
        ("~u@host", "*!~u@host"),
        ("@host", "*!*@host"),
        ("bob!", "bob!*@*"),
        ("bob!~u", "bob!~u@*"),
        ("bob!~u@host", "bob!~u@host"),
        ("!@", "*!*@*"),
        ("m:bob", "m:bob!*@*"),
        ("ЖАН*", "ЖАН*!*@*"),
    ],
)
def test_a_mask_gets_all_its_parts(raw: str, mask: str) -> None:
    """Whatever is missing may be anything; doing it twice changes nothing more."""
    assert normal_mask(raw) == mask
    assert normal_mask(mask) == mask


@pytest.mark.parametrize("raw", ["", "m:", "a b", "a\nb", "a\x00", "a\u202eb", "a\u3000b", "x" * 161, "ж" * 80])
def test_masks_that_are_refused(raw: str) -> None:
    """Empty, with a space or what cannot be seen, too long for one line of IRC."""
    with pytest.raises(Refused) as caught:
        normal_mask(raw)

    assert caught.value.code == "bad_mode_argument"


def test_a_mask_is_as_long_as_allowed() -> None:
    """With the parts that were added."""
    assert len(normal_mask("x" * (MASK_BYTES - 4))) == MASK_BYTES
    with pytest.raises(Refused, match="a mask has at most 160 bytes"):
        normal_mask("x" * (MASK_BYTES - 3))


def entry(mask: str) -> MaskEntry:
    """Somebody has set it."""
    return MaskEntry(mask, "ann", 1.0)


def test_a_list_keeps_masks_in_order_and_each_once() -> None:
    """Case does not make another one; the one that is removed is named as it was added."""
    masks = MaskList()
    for mask in ("Bob!*@*", "eve!*@*"):
        masks.add(entry(mask))

    assert [one.mask for one in masks] == ["Bob!*@*", "eve!*@*"]
    assert "BOB!*@*" in masks
    assert masks.remove("bob!*@*") == "Bob!*@*"
    assert masks.remove("bob!*@*") is None
    assert len(masks) == 1


def test_a_list_answers_for_each_person_as_it_is_now() -> None:
    """What is remembered of an answer is forgotten with each change."""
    masks = MaskList()
    bob = "bob!~b@host"
    assert not masks.fits(bob)

    masks.add(entry("b?b!*@*"))
    assert masks.fits(bob)
    assert masks.fits(bob)
    assert not masks.fits("eve!~b@host")

    masks.remove("b?b!*@*")
    assert not masks.fits(bob)


def test_mutes_count_only_where_they_are_asked_for() -> None:
    """A mute keeps nobody out."""
    masks = MaskList()
    masks.add(entry("m:bob!*@*"))

    assert not masks.fits("bob!~b@host")
    assert masks.fits("bob!~b@host", mutes=True)
    assert not masks.fits("m:bob!~b@host")


def test_what_is_known_of_people_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many nicknames somebody tries, and answers stay right."""
    monkeypatch.setattr("pychat.core.masks._KNOWN_ANSWERS", 10)
    bans = MaskList()
    bans.add(entry("bob!*@*"))

    for number in range(100):
        assert not bans.fits(f"ann{number}!~a@host")
        assert bans.fits("bob!~b@host")

    assert len(bans._patterns[1]) <= 10
