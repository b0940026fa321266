"""Who may connect: caps for all, for one address, and for one address in a minute; loopback is exempt."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pychat import Limits
from pychat.transport import admission as module
from pychat.transport.admission import Admission, source_of

TOO_MANY = "too many connections from your address"
TOO_FAST = "too many new connections from your address, try again in a minute"


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", None),
        ("127.9.9.9", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_what_counts_as_one_address(host: str, source: str | None) -> None:
    """An IPv4 address however it is written, an IPv6 /64; nothing for this machine itself."""
    assert source_of(host) == source


def test_connections_of_one_address() -> None:
    """So many at the same time; when one is over, there is room for another."""
    admission = Admission(Limits(connections_per_address=2), 100)

    assert [admission.admit("192.0.2.1") for _ in range(3)] == [None, None, TOO_MANY]
    assert admission.admit("192.0.2.2") is None
    admission.release("192.0.2.1")
    assert admission.admit("192.0.2.1") is None


def test_addresses_of_one_ipv6_network_count_together() -> None:
    """Who has a /64 has 2^64 addresses."""
    admission = Admission(Limits(connections_per_address=2), 100)

    assert [admission.admit(f"2001:db8::{number}") for number in range(1, 4)] == [None, None, TOO_MANY]
    assert admission.admit("2001:db8:0:1::1") is None


def test_new_connections_in_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of those that are gone at once."""
    clock = SimpleNamespace(now=600.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    admission = Admission(Limits(new_connections_per_minute=3), 100)

    for _ in range(3):
        assert admission.admit("192.0.2.1") is None
        admission.release("192.0.2.1")
    assert admission.admit("192.0.2.1") == TOO_FAST
    clock.now += 59
    assert admission.admit("192.0.2.1") == TOO_FAST
    clock.now += 1
    assert admission.admit("192.0.2.1") is None


def test_loopback_is_exempt_but_not_from_the_total() -> None:
    """A hundred tests on one machine are no attack."""
    admission = Admission(Limits(connections_per_address=1, new_connections_per_minute=1), 3)

    assert [admission.admit("127.0.0.1") for _ in range(4)] == [None, None, None, "server full"]
    admission.release("127.0.0.1")
    assert admission.admit("::1") is None


def test_a_refused_connection_is_not_counted() -> None:
    """Else an attacker would use up the place of others."""
    admission = Admission(Limits(connections_per_address=1), 2)

    assert [admission.admit("192.0.2.1") for _ in range(9)] == [None] + [TOO_MANY] * 8
    assert admission.admit("192.0.2.2") is None
    assert admission.admit("192.0.2.3") == "server full"


def test_nothing_is_kept_of_an_address_that_has_gone() -> None:
    """Memory is bounded by those who are connected, and by the last minute."""
    admission = Admission(Limits(), 100)

    for number in range(50):
        admission.admit(f"192.0.2.{number}")
        admission.release(f"192.0.2.{number}")

    assert not admission._open
    assert admission._total == 0
