"""`model/modes.py`: changes of modes as people and languages write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.model.errors import LimitExceeded
from pychat.model.modes import ALL, FLAGS, MOST_CHANGES, WITH_ARGUMENT, ModeChange, parse, write

words = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)
changes = st.one_of(
    st.builds(ModeChange, st.booleans(), st.sampled_from(FLAGS), st.none()),
    st.builds(ModeChange, st.booleans(), st.sampled_from(WITH_ARGUMENT), words),
    st.builds(ModeChange, st.just(True), st.just("l"), words),
    st.builds(ModeChange, st.just(False), st.just("l"), st.none()),
)


def test_arguments_go_to_the_modes_that_take_one() -> None:
    """In order (modern.ircdocs.horse, "MODE message"): `l` takes one only when it is set."""
    assert parse("+ol-mlv+b", ["ann", "5", "bob", "eve!*@*"]) == [
        ModeChange(True, "o", "ann"),
        ModeChange(True, "l", "5"),
        ModeChange(False, "m"),
        ModeChange(False, "l"),
        ModeChange(False, "v", "bob"),
        ModeChange(True, "b", "eve!*@*"),
    ]


@pytest.mark.parametrize("letters", ["b", "+b", "++b"])
def test_without_a_sign_a_mode_is_set_and_without_an_argument_it_has_none(letters: str) -> None:
    """`MODE #room b` asks for the list of bans."""
    assert parse(letters, []) == [ModeChange(True, "b")]


def test_unknown_letters_are_kept_and_arguments_left_over_are_not() -> None:
    """Who performs the changes refuses those."""
    assert parse("+Zé-t", ["x", "y"]) == [ModeChange(True, "Z"), ModeChange(True, "é"), ModeChange(False, "t")]


def test_signs_alone_change_nothing() -> None:
    """However many there are."""
    assert parse("+-" * 5000, ["x"]) == []


def test_too_many_changes_are_refused() -> None:
    """
    Not some of them made: nobody knows which that would be.

    Those without an argument do not count for `MODES` of ISUPPORT (Modern IRC, "MODES Parameter"); they are bounded
    for themselves.
    """
    flags, masks = "m" * MOST_CHANGES, "b" * MOST_CHANGES
    assert len(parse(flags + masks, ["eve"] * MOST_CHANGES)) == 2 * MOST_CHANGES
    for letters in (flags + masks + "m", flags + masks + "b", "m" * 100_000):
        with pytest.raises(LimitExceeded, match="modes at once: at most 20 with an argument, 20 without"):
            parse(letters, ["eve"] * len(letters))


@given(st.lists(changes, max_size=MOST_CHANGES))
def test_what_is_written_is_parsed_to_the_same(wanted: list[ModeChange]) -> None:
    """And each sign is written where it changes only."""
    letters, arguments = write(wanted)

    assert parse(letters, arguments) == wanted
    assert "++" not in letters
    assert sum(map(letters.count, "+-")) <= len(wanted)


@given(st.text(st.sampled_from("+-" + ALL + "Zé"), max_size=30), st.lists(words, max_size=5))
def test_any_letters_are_parsed(letters: str, arguments: list[str]) -> None:
    """Whatever comes, there is a change for each letter, up to the limit."""
    changes = parse(letters, arguments, bounded=False)
    assert [change.mode for change in changes] == [c for c in letters if c not in "+-"]
    if len(changes) <= MOST_CHANGES:
        assert parse(letters, arguments) == changes
