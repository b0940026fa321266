"""How long clients wait before they try again to connect."""

from __future__ import annotations

import random

import pytest

from pychat import ChatClient
from pychat.client import backoff
from pychat.client.backoff import Backoff


@pytest.fixture(autouse=True)
def longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let chance always choose the longest delay."""
    monkeypatch.setattr(random, "uniform", lambda least, most: most)


def test_each_delay_is_twice_as_long() -> None:
    """Until it is long enough."""
    tries = Backoff()

    assert [tries.delay() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert Backoff(0.01).delay() == 0.01


@pytest.mark.parametrize(("steady_seconds", "delay"), [(1e9, 2.0), (0.0, 0.5)])
def test_delays_are_short_again_after_a_good_connection(
    monkeypatch: pytest.MonkeyPatch, steady_seconds: float, delay: float
) -> None:
    """One that lasted for a moment only was none."""
    monkeypatch.setattr(backoff, "_STEADY_SECONDS", steady_seconds)
    tries = Backoff()
    assert [tries.delay(), tries.delay()] == [0.5, 1]

    tries.connected()
    tries.lost()

    assert tries.delay() == delay


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_a_delay_is_a_number_over_0(seconds: float) -> None:
    """Told before anything is connected."""
    with pytest.raises(ValueError, match="retry_seconds must be a number of seconds over 0, not "):
        ChatClient(nick="ann", retry_seconds=seconds)
