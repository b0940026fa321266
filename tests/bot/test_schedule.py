"""`Schedule`: what is due, at times that a test names."""

from __future__ import annotations

import math

import pytest

from pychat.bot.schedule import Schedule


def first() -> None:
    """Something to be done."""


def second() -> None:
    """Something else."""


def test_nothing_is_ever_due_in_an_empty_schedule() -> None:
    """So there is no time to wait for."""
    schedule = Schedule()
    schedule.begin(1000)

    assert (schedule.due(1000), schedule.remaining(1000)) == ([], None)


def test_intervals_begin_with_the_schedule() -> None:
    """Not when the function was added: a bot may wait long for its server; and again when it begins again."""
    schedule = Schedule()
    schedule.add(10, first, 0)

    for start in (1000, 5000):
        schedule.begin(start)
        assert (schedule.due(start), schedule.remaining(start)) == ([], 10)
        assert (schedule.due(start + 10), schedule.remaining(start + 10)) == ([first], 10)


def test_a_function_may_come_later() -> None:
    """Its interval begins when it was added."""
    schedule = Schedule()
    schedule.begin(1000)
    schedule.add(10, first, 1003)

    assert schedule.remaining(1003) == 10
    assert (schedule.due(1012), schedule.due(1013)) == ([], [first])


def test_the_next_one_is_waited_for() -> None:
    """Of several functions, each with its own interval."""
    schedule = Schedule()
    schedule.add(10, first, 0)
    schedule.add(4, second, 0)
    schedule.begin(0)

    assert schedule.remaining(0) == 4
    assert (schedule.due(8), schedule.remaining(8)) == ([second], 2)
    assert (schedule.due(12), schedule.remaining(12)) == ([first, second], 4)


def test_what_was_missed_is_left_out() -> None:
    """A late call does not move those after it."""
    schedule = Schedule()
    schedule.add(10, first, 0)
    schedule.begin(0)

    assert schedule.remaining(37) == 0
    assert (schedule.due(37), schedule.due(37), schedule.remaining(37)) == ([first], [], 3)


@pytest.mark.parametrize("seconds", [0, -1, math.inf, math.nan])
def test_intervals_that_are_none(seconds: float) -> None:
    """They must be positive, and end one day."""
    with pytest.raises(ValueError, match=rf"^every {seconds!r} seconds: use a number over 0$"):
        Schedule().add(seconds, first, 0)
