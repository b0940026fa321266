"""What one stroke of Backspace takes away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.terminal.clusters import last_cluster

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
COUPLE = "\U0001f469\u200d\u2764\ufe0f\u200d\U0001f468"
GERMANY, FRANCE = "\U0001f1e9\U0001f1ea", "\U0001f1eb\U0001f1f7"
WALES = "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"


@pytest.mark.parametrize(
    "cluster", ["a", "\n", FAMILY, COUPLE, GERMANY, WALES, "\U0001f44d\U0001f3fd", "1\ufe0f\u20e3"]
)
@pytest.mark.parametrize("before", ["", "ab", "\U0001f44d", GERMANY, "e\u0301"])
def test_what_is_seen_as_one_goes_at_once(before: str, cluster: str) -> None:
    """Whatever stands before it."""
    assert last_cluster(before + cluster) == len(cluster)


@pytest.mark.parametrize("text", ["e\u0301", "\u0915\u094d", GERMANY + FRANCE[0], "\U0001f3fd"])
def test_marks_and_halves_go_alone(text: str) -> None:
    """As they are typed."""
    assert last_cluster(text) == 1


def test_two_flags_are_two() -> None:
    """Halves of flags count in pairs from their beginning."""
    assert last_cluster(GERMANY + FRANCE) == 2


@given(st.text(st.sampled_from(["a", "\u200d", "\ufe0f", *FAMILY, *GERMANY, "\U0001f3fd", "\u0301"]), max_size=8))
def test_any_text_becomes_empty(text: str) -> None:
    """Each stroke takes something, and nothing that is not there."""
    while text:
        number = last_cluster(text)
        assert 1 <= number <= len(text)
        text = text[:-number]
    assert last_cluster(text) == 0
