"""Who may connect: caps for all, for one address, and for one address in a minute; loopback is exempt."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pychat import Limits
from pychat.transport import admission as module
from pychat.transport.admission import Admission, source_of
from pychat.transport.origins import Origin

TOO_MANY = "too many connections from your address"
TOO_FAST = "too many new connections from your address, try again in a minute"


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", None),
        ("127.9.9.9", None),
        ("::1", None),
        ("unix", None),
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
    admission = Admission(Limits(connections_per_address=2))
    origins = [Origin("192.0.2.1") for _ in range(3)]

    assert [*map(admission.admit, origins)] == [None, None, TOO_MANY]
    assert admission.admit(Origin("192.0.2.2")) is None
    admission.release(origins[0])
    assert admission.admit(Origin("192.0.2.1")) is None


def test_addresses_of_one_ipv6_network_count_together() -> None:
    """Who has a /64 has 2^64 addresses."""
    admission = Admission(Limits(connections_per_address=2))

    assert [admission.admit(Origin(f"2001:db8::{number}")) for number in range(1, 4)] == [None, None, TOO_MANY]
    assert admission.admit(Origin("2001:db8:0:1::1")) is None


def test_new_connections_in_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of those that are gone at once."""
    clock = SimpleNamespace(now=600.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    admission = Admission(Limits(new_connections_per_minute=3))

    for _ in range(3):
        origin = Origin("192.0.2.1")
        assert admission.admit(origin) is None
        admission.release(origin)
    assert admission.admit(Origin("192.0.2.1")) == TOO_FAST
    clock.now += 59
    assert admission.admit(Origin("192.0.2.1")) == TOO_FAST
    clock.now += 1
    assert admission.admit(Origin("192.0.2.1")) is None


def test_loopback_is_exempt_but_not_from_the_total() -> None:
    """A hundred tests on one machine are no attack."""
    admission = Admission(Limits(connections_per_address=1, new_connections_per_minute=1, max_connections=3))
    origins = [Origin("127.0.0.1") for _ in range(4)]

    assert [*map(admission.admit, origins)] == [None, None, None, "server full"]
    admission.release(origins[0])
    assert admission.admit(Origin("::1")) is None


def test_a_refused_connection_is_not_counted() -> None:
    """Else an attacker would use up the place of others."""
    admission = Admission(Limits(connections_per_address=1, max_connections=2))

    assert [admission.admit(Origin("192.0.2.1")) for _ in range(9)] == [None] + [TOO_MANY] * 8
    assert admission.admit(Origin("192.0.2.2")) is None
    assert admission.admit(Origin("192.0.2.3")) == "server full"


def test_nothing_is_kept_of_an_address_that_has_gone() -> None:
    """Memory is bounded by those who are connected, and by the last minute."""
    admission = Admission(Limits())

    for number in range(50):
        origin = Origin(f"192.0.2.{number}")
        admission.admit(origin)
        admission.release(origin)

    assert not admission._open
    assert admission.total == 0


def test_what_a_proxy_brings_counts_for_whom_it_brings() -> None:
    """Not for the proxy, which brings everybody; who is refused then still has a place in all until it is gone."""
    admission = Admission(Limits(connections_per_address=1, max_connections=4))
    origins = [Origin("192.0.2.80", proxied=True) for _ in range(5)]

    assert [*map(admission.admit, origins)] == [None, None, None, None, "server full"]
    assert admission.identify(origins[0], "192.0.2.1") is None
    assert admission.identify(origins[1], "192.0.2.1") == TOO_MANY
    assert admission.identify(origins[2], "192.0.2.2") is None
    for origin in origins[:4]:
        admission.release(origin)

    assert not admission._open
    assert admission.total == 0
    assert str(origins[0]) == "192.0.2.1"
