"""Attempts: so many in a time, then waiting."""

from __future__ import annotations

import pytest

from pychat.core.attempts import Attempts, TooManyAttempts, address_key
from pychat.testing import FakeClock


def test_after_so_many_one_has_to_wait() -> None:
    """Until the oldest is over; others have attempts of their own."""
    clock = FakeClock()
    attempts = Attempts(2, 60.0, clock)
    attempts.add("a")
    clock.advance(20)
    attempts.add("a")

    with pytest.raises(TooManyAttempts, match=r"^too many attempts; try again in 40 s$"):
        attempts.require("a")
    attempts.require("b")
    clock.advance(40)
    attempts.require("a")


def test_a_good_one_does_not_count() -> None:
    """Who logs in again and again is never kept waiting."""
    attempts = Attempts(1, 60.0, FakeClock())
    for _ in range(5):
        attempts.require("a")
        attempts.add("a")
        attempts.take_back("a")


def test_zero_allows_none() -> None:
    """Not even the first one."""
    attempts = Attempts(0, 60.0, FakeClock())
    attempts.add("a")

    with pytest.raises(TooManyAttempts):
        attempts.require("a")


def test_what_is_remembered_is_bounded() -> None:
    """Who has ten thousand addresses does not fill the memory; those that came last are kept."""
    attempts = Attempts(1, 60.0, FakeClock())
    for number in range(10_500):
        attempts.add(number)

    attempts.require(0)
    with pytest.raises(TooManyAttempts):
        attempts.require(10_499)


@pytest.mark.parametrize("address", ["", "127.0.0.1", "127.8.8.8", "::1", "unix", "::ffff:127.0.0.1"])
def test_who_is_on_this_machine_is_exempt(address: str) -> None:
    """As for the limits of connections."""
    assert address_key(address) is None


def test_one_network_of_ipv6_is_one_address() -> None:
    """A /64; an IPv4 address is itself, however it is written."""
    assert address_key("2001:db8::1") == address_key("2001:db8::ffff%eth0") != address_key("2001:db8:0:1::1")
    assert address_key("192.0.2.1") == address_key("::ffff:192.0.2.1") != address_key("192.0.2.2")
