"""Amounts as people write them."""

from __future__ import annotations

from datetime import datetime

import pytest

from pychat.cli.units import BadAmount, Keep, number_of, parse_keep, parse_position, size_of
from pychat.model.queries import Moment

NOON = datetime(2026, 11, 22, 12, 30).timestamp()


@pytest.mark.parametrize(
    ("texts", "keep"),
    [
        ([], Keep()),
        (["30d"], Keep(seconds=30 * 86_400)),
        (["90min"], Keep(seconds=5400)),
        (["12h", "1GB"], Keep(seconds=12 * 3600, bytes=10**9)),
        (["500MB", "2w"], Keep(seconds=14 * 86_400, bytes=500 * 10**6)),
    ],
)
def test_how_much_is_kept(texts: list[str], keep: Keep) -> None:
    """A time, a size, or both, in any order."""
    assert parse_keep(texts) == keep


@pytest.mark.parametrize(
    "text", ["", "30", "d", "0d", "0GB", "-1d", "1.5GB", "30x", "1gb", "9" * 30 + "d", "1 GB", "\u0663d"]
)
def test_what_is_no_amount(text: str) -> None:
    """Nothing would be to keep nothing, which nobody means."""
    with pytest.raises(BadAmount) as caught:
        parse_keep([text])
    assert str(caught.value) == (
        f"{text!r} is neither a time nor a size; write it like 30d (or s, m, h, w) or 1GB (or MB, TB)"
    )


@pytest.mark.parametrize("texts", [["1d", "12h"], ["1GB", "1MB"]])
def test_two_of_a_kind(texts: list[str]) -> None:
    """Which of them would count?"""
    with pytest.raises(BadAmount, match=f"^'{texts[1]}' is one too many; give one time, or one size, or one of each$"):
        parse_keep(texts)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("1a203b2e5c000000", 0x1A203B2E5C000000),
        ("2h", Moment(NOON - 7200)),
        ("1d", Moment(NOON - 86_400)),
        ("15:04", Moment(datetime(2026, 11, 22, 15, 4).timestamp())),
        ("00:00:01", Moment(datetime(2026, 11, 22, 0, 0, 1).timestamp())),
        ("2026-11-01", Moment(datetime(2026, 11, 1).timestamp())),
        ("2026-11-01T15:04", Moment(datetime(2026, 11, 1, 15, 4).timestamp())),
        ("2026-11-01 15:04:05.5", Moment(datetime(2026, 11, 1, 15, 4, 5, 500_000).timestamp())),
        ("2026-11-01T15:04:05Z", Moment(1_793_545_445.0)),
    ],
)
def test_a_position(text: str, position: object) -> None:
    """An id has 16 digits, everything else is a time of this computer."""
    assert parse_position(text, NOON) == position


@pytest.mark.parametrize(
    "text", ["", "yesterday", "25:00", "2026-13-01", "1a2", "2x", "9999999999999999999", "\u0661\u0665:00"]
)
def test_what_is_no_position(text: str) -> None:
    """The error has an example of each."""
    with pytest.raises(BadAmount) as caught:
        parse_position(text, NOON)
    assert str(caught.value) == (
        f"{text!r} is neither a time nor an event id; write it like 2026-11-22, 2026-11-22T15:04, 15:04 or 2h (ago), "
        "or as 16 digits 0-9 a-f"
    )


def test_a_size_for_people() -> None:
    """One unit is enough."""
    assert [size_of(size) for size in (0, 57_344, 1_500_000, 2 * 10**9, 10**13)] == [
        "0.0 kB",
        "57.3 kB",
        "1.5 MB",
        "2.0 GB",
        "10.0 TB",
    ]


@pytest.mark.parametrize(("count", "text"), [(0, "0 messages"), (1, "1 message"), (2, "2 messages")])
def test_numbers_of_things(count: int, text: str) -> None:
    """One is one."""
    assert number_of(count, "message") == text
