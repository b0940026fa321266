"""What a client offers in its first message: read from real ones, cut in any way, and from anything else."""

from __future__ import annotations

import ssl
from contextlib import suppress

from chat_tls import trusting
from hypothesis import given
from hypothesis import strategies as st

from pychat.transport.client_hello import offered_protocols

NAMES = st.lists(st.text("abcdefghijklmnop/0123456789.", min_size=1, max_size=40), max_size=12)


def hello_of(names: list[str]) -> bytes:
    """What Python's own client begins with."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = trusting()
    if names:
        context.set_alpn_protocols(names)
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


@given(names=NAMES)
def test_real_offers_are_read(names: list[str]) -> None:
    """All names, in order; none, if the client has no such extension."""
    assert offered_protocols(hello_of(names)) == [name.encode() for name in names]


@given(names=NAMES, size=st.integers(1, 300))
def test_a_message_may_be_cut_into_records(names: list[str], size: int) -> None:
    """RFC 8446 section 5.1."""
    hello = hello_of(names)
    records = [hello[start : start + size] for start in range(5, len(hello), size)]

    stream = b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in records)

    assert offered_protocols(stream) == [name.encode() for name in names]


@given(data=st.binary(max_size=500))
def test_anything_else_offers_nothing_or_something(data: bytes) -> None:
    """But never raises."""
    assert isinstance(offered_protocols(data), list)


@given(names=NAMES, at=st.integers(0, 400), byte=st.integers(0, 255))
def test_a_damaged_or_unfinished_offer_is_no_error(names: list[str], at: int, byte: int) -> None:
    """What is wrong with it is for OpenSSL to say."""
    hello = bytearray(hello_of(names))
    assert offered_protocols(bytes(hello[:at])) in ([], [name.encode() for name in names])
    hello[min(at, len(hello) - 1)] = byte

    assert isinstance(offered_protocols(bytes(hello)), list)
