"""Every language writes a burst like the same messages one by one."""

from __future__ import annotations

from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.model.burst import Burst
from pychat.model.limits import Limits
from pychat.protocols.base import Dialect
from pychat.protocols.irc.dialect import IrcDialect
from pychat.protocols.jsonl.protocol import JsonDialect
from pychat.protocols.text.protocol import ClassicDialect, TextDialect

TAGS = ("server-time", "message-tags")
IRC = IrcDialect("pychat", Limits())
DIALECTS = [
    TextDialect(),
    TextDialect("ops"),
    ClassicDialect(),
    JsonDialect(),
    *[IRC.with_capabilities(frozenset(some)) for some in chain.from_iterable(combinations(TAGS, n) for n in range(3))],
]
plain = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=600)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@given(
    said=st.lists(plain, min_size=1, max_size=4),
    first=st.integers(1, 2**60),
    start=st.integers(0, 2**42),
    sender=st.sampled_from(["ann", "grüße"]),
)
def test_it_makes_no_difference(dialect: Dialect, said: list[str], first: int, start: int, sender: str) -> None:
    """Ids and times included, also where a line has to be split, or a second or a carry lies in between."""
    times = [(start + number + 0.25) / 1000 for number in range(len(said))]
    burst = Burst(first, times, "lobby", sender, "~ann@k3j2.ip", said)

    assert dialect.encode(burst) == b"".join(dialect.encode([message]) for message in burst)
