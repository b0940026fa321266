"""Which addresses are those of proxies."""

from __future__ import annotations

import re

import pytest

from pychat.transport.origins import BadProxy, Proxies


@pytest.mark.parametrize(
    ("address", "is_proxy"),
    [
        ("127.0.0.1", True),
        ("::ffff:127.0.0.1", True),
        ("127.0.0.2", False),
        ("10.0.0.0", True),
        ("10.255.255.255", True),
        ("11.0.0.0", False),
        ("2001:db8::1", True),
        ("2001:db8:1::1", False),
        ("fe80::1%eth0", True),
        ("::1", False),
    ],
)
def test_hosts_and_networks(address: str, is_proxy: bool) -> None:
    """An IPv4 address is one however it is written; a zone does not matter."""
    proxies = Proxies(("127.0.0.1", "10.0.0.0/8", "2001:db8::/48", "fe80::/10"))

    assert (address in proxies) is is_proxy
    assert proxies.origin(address).proxied is is_proxy


def test_ipv4_may_be_written_inside_of_ipv6() -> None:
    """As a server that listens on `::` knows it; sessions, the log and the audit record have it as it is."""
    proxies = Proxies(("::ffff:192.0.2.1", "::ffff:10.0.0.0/104"))

    assert "192.0.2.1" in proxies
    assert "::ffff:10.9.9.9" in proxies
    assert "::1" not in proxies
    assert [Proxies().origin(address).address for address in ("::ffff:192.0.2.1", "fe80::1%eth0", "unix")] == [
        "192.0.2.1",
        "fe80::1%eth0",
        "unix",
    ]


def test_a_unix_socket_is_one_if_it_is_named() -> None:
    """It has no address, and is in no network."""
    assert "unix" in Proxies(("10.0.0.0/8", "unix"))
    assert "unix" not in Proxies(("0.0.0.0/0", "::/0"))
    assert "127.0.0.1" not in Proxies(("unix",))


def test_nobody_is_a_proxy_who_was_not_named() -> None:
    """Threat "spoofed address through PROXY lines": it is off unless somebody names addresses."""
    assert "127.0.0.1" not in Proxies()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("localhost", "it is not an address"),
        ("", "it is not an address"),
        ("127.0.0.1:80", "it is not an address"),
        ("10.0.0.1/8", "it has bits after its prefix"),
        ("10.0.0.0/33", "it is not an address"),
    ],
)
def test_what_is_no_address_is_refused(text: str, problem: str) -> None:
    """The error says what can be there."""
    expected = f"proxy {text!r}: {problem}; use an address like 192.0.2.1, a network like 10.0.0.0/8, or "
    expected += "unix for a Unix socket"
    with pytest.raises(BadProxy, match=re.escape(expected)):
        Proxies((text,))


def test_a_string_is_no_list_of_addresses() -> None:
    """Else each of its letters would be looked at."""
    with pytest.raises(TypeError, match=r"proxies must be a list of addresses: \['127.0.0.1'\], not '127.0.0.1'"):
        Proxies("127.0.0.1")
