"""The line of the PROXY protocol, version 1 (haproxy's proxy-protocol.txt, 2.1)."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.model.errors import RemoteProtocolError
from pychat.protocols.proxy import MOST_BYTES, ProxyLine

NO_LINE = "it does not begin with a PROXY line"
MALFORMED = "its PROXY line is malformed"
TOO_LONG = "its PROXY line is longer than 107 bytes"
LONGEST_ADDRESS = "ffff:" * 7 + "ffff"


def read(data: bytes) -> ProxyLine:
    """Read it in one go."""
    line = ProxyLine()
    line.receive(data)
    return line


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443", "192.0.2.1"),
        ("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535", "255.255.255.255"),
        ("PROXY TCP4 0.0.0.0 0.0.0.0 0 0", "0.0.0.0"),
        ("PROXY TCP6 2001:DB8::1 ::1 1 2", "2001:db8::1"),
        ("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2", "192.0.2.1"),
        (f"PROXY TCP6 {LONGEST_ADDRESS} {LONGEST_ADDRESS} 65535 65535", LONGEST_ADDRESS),
        ("PROXY UNKNOWN", None),
        (f"PROXY UNKNOWN {LONGEST_ADDRESS} {LONGEST_ADDRESS} 65535 65535", None),
        ("PROXY UNKNOWN \xff anything \r", None),
    ],
)
def test_a_line_tells_the_client(text: str, address: str | None) -> None:
    """What is behind it, the client has said."""
    line = read(text.encode("latin-1") + b"\r\nann\nPROXY x\r\n")

    assert (line.complete, line.address, line.rest) == (True, address, b"ann\nPROXY x\r\n")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"ann\n", NO_LINE),
        (b"proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n", NO_LINE),
        (b"\r\n", NO_LINE),
        (b"PROXY\r\n", NO_LINE),
        (b"\r\n\r\n\0\r\nQUIT\n", NO_LINE),  # version 2
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n", NO_LINE),
        (b"PROXY UNKNOWN\n\r\n", NO_LINE),
        (b"PROXY " + b"x" * MOST_BYTES, TOO_LONG),
        (b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n", TOO_LONG),
        (b"PROXY \r\n", MALFORMED),
        (b"PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n", MALFORMED),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n", MALFORMED),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", MALFORMED),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", MALFORMED),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 -2\r\n", MALFORMED),
        (b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", MALFORMED),
        (b"PROXY UNKNOWNS\r\n", MALFORMED),
        (b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", MALFORMED),
        (b"PROXY TCP4 \xd9\xa1.0.2.1 192.0.2.2 1 2\r\n", MALFORMED),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n", "its PROXY line has a port over 65535"),
        (b"PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n", "its PROXY line has an address that is none of IPv4"),
        (b"PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n", "its PROXY line has an address that is none of IPv4"),
        (b"PROXY TCP4 ::1 192.0.2.2 1 2\r\n", "its PROXY line has an address that is none of IPv4"),
        (b"PROXY TCP6 192.0.2.1 ::1 1 2\r\n", "its PROXY line has an address that is none of IPv6"),
        (b"PROXY TCP6 1::2::3 ::1 1 2\r\n", "its PROXY line has an address that is none of IPv6"),
        (b"PROXY TCP6 ::1 12345:: 1 2\r\n", "its PROXY line has an address that is none of IPv6"),
    ],
)
def test_what_is_not_exactly_a_line_is_refused(data: bytes, problem: str) -> None:
    """The specification wants the connection to end."""
    with pytest.raises(RemoteProtocolError) as caught:
        read(data)

    assert str(caught.value) == problem


def test_the_longest_line_is_taken_and_one_byte_more_is_not() -> None:
    """107 bytes with its end."""
    longest = b"PROXY UNKNOWN " + b"x" * (MOST_BYTES - 16) + b"\r\n"

    in_bytes = ProxyLine()

    assert len(longest) == MOST_BYTES
    assert read(longest).complete
    for byte in longest:
        in_bytes.receive(bytes([byte]))
    assert in_bytes.complete
    with pytest.raises(RemoteProtocolError, match=TOO_LONG):
        read(longest[:20] + b"x" + longest[20:])


ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))
LINES = st.builds(
    lambda client, port, rest: (
        client,
        f"PROXY TCP{client.version} {client} {client} {port} {port}\r\n".encode() + rest,
        rest,
    ),
    ADDRESSES,
    st.integers(0, 65535),
    st.binary(max_size=64),
)


@given(LINES, st.lists(st.integers(1, 40)))
def test_chunks_do_not_matter(
    made: tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, bytes, bytes], sizes: list[int]
) -> None:
    """However a line comes, it says the same."""
    client, data, rest = made
    line = ProxyLine()

    while not line.complete:
        size = sizes.pop() if sizes else 1
        line.receive(data[:size])
        data = data[size:]

    assert line.address == str(getattr(client, "ipv4_mapped", None) or client)
    assert line.rest + data == rest


@given(
    st.lists(st.binary(max_size=40) | st.sampled_from([b"PROXY ", b"TCP4 ", b"UNKNOWN", b"\r", b"\n", b"\r\n", b" "]))
)
def test_any_bytes_are_a_line_or_an_error(chunks: list[bytes]) -> None:
    """Nothing else comes of them, in bounded memory, and the same whether they come in pieces or at once."""
    whole, pieces = ProxyLine(), ProxyLine()
    outcomes: list[object] = []
    for line, parts in ((whole, [b"".join(chunks)]), (pieces, chunks)):
        try:
            for part in parts:
                if line.complete:
                    break
                line.receive(part)
            outcomes.append((line.complete, line.address))
        except RemoteProtocolError as error:
            outcomes.append(type(error))

    assert outcomes[0] == outcomes[1]
