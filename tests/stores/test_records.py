"""What is written can be read again."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.model import events
from pychat.model.burst import Burst, moments
from pychat.model.modes import ModeChange
from pychat.stores.sqlite.event_codec import Unreadable, decode_block, encode_block, events_of

TEXTS = st.text(st.characters())  # surrogates, too: a program may publish any string
IDS = st.integers(0, 2**63 - 1)
TIMES = st.floats(allow_nan=False, allow_infinity=False)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "id": IDS,
    "time": TIMES,
    "room": TEXTS,
    "rooms": st.lists(TEXTS, max_size=3).map(tuple),
    "text": TEXTS,
    "audience": st.none() | st.frozensets(IDS, max_size=3),
    "action": st.booleans(),
    "notice": st.booleans(),
    "to": st.none(),
    "formatted": st.none() | TEXTS,
    "away": st.none() | TEXTS,
    "realname": st.none() | TEXTS,
    "changes": st.lists(st.builds(ModeChange, st.booleans(), TEXTS, st.none() | TEXTS), max_size=3).map(tuple),
}
KEPT = [kind for kind in get_args(events.Event) if kind not in events.NEVER_STORED]
EVENTS = st.one_of([st.builds(kind, **{name: FIELDS.get(name, TEXTS) for name in kind._fields}) for kind in KEPT])


@st.composite
def bursts(draw: st.DrawFn) -> Burst:
    """A burst as the order makes them, or with any times."""
    texts = draw(st.lists(TEXTS, min_size=1, max_size=5))
    count = len(texts)
    times = draw(
        st.integers(0, 2**42).map(lambda first: moments(first, count))
        | TIMES.map(lambda time: [time] * count)
        | st.lists(TIMES, min_size=count, max_size=count)
    )
    return Burst(draw(IDS), times, draw(TEXTS), draw(TEXTS), draw(TEXTS), texts, draw(st.none() | TEXTS))


@given(st.lists(bursts() | st.lists(EVENTS, min_size=1, max_size=3), min_size=1, max_size=4))
def test_every_event_comes_back_as_it_was(parts: list[Any]) -> None:
    """Each field with its type; a burst as a burst."""
    block = decode_block(encode_block(parts))

    expected = [item for part in parts for item in ([part] if isinstance(part, Burst) else part)]
    assert block == expected
    assert [type(item) for item in block] == [type(item) for item in expected]
    assert [event for part in parts for event in part] == events_of(block)
    assert all(list(map(type, one)) == list(map(type, other)) for one, other in zip(block, expected, strict=True))


def test_defaults_at_the_end_are_left_out() -> None:
    """Most messages are short on the disk."""
    message = events.Message(5, 1.5, "lobby", "ann", "hello", userhost="~ann@host")

    record = encode_block([[message, message._replace(userhost="")]])

    assert json.loads(record) == [
        ["message", 5, 1.5, "lobby", "ann", "hello", False, None, None, False, "~ann@host"],
        ["message", 5, 1.5, "lobby", "ann", "hello"],
    ]


@pytest.mark.parametrize(
    "record", [b"", b"\xff", b"[", b"{}x", b"5", b'[["shout", 1]]', b'[["message"]]', b'[["burst", 1, 2]]', b"[[]]"]
)
def test_what_is_no_record_is_an_error(record: bytes) -> None:
    """Never anything else than `Unreadable`."""
    with pytest.raises(Unreadable, match="not a record of events"):
        decode_block(record)
