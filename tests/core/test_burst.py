"""A burst is a list of messages, for whoever looks; and the log keeps it as such."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from pychat.core.chat import Chat
from pychat.core.delivery import Batch
from pychat.core.log.log import MemoryLog
from pychat.model.burst import Burst
from pychat.model.events import Event, Message

ROOM = Chat().default_room
texts = st.lists(st.text("abc !", min_size=1, max_size=5), min_size=1, max_size=6)


def burst_of(said: list[str], first: int = 1) -> Burst:
    """What ann said."""
    return Burst(first, [float(number) for number in range(len(said))], "lobby", "ann", "ann@x", said)


def list_of(said: list[str], first: int = 1) -> list[Message]:
    """The same, message by message."""
    return [Message(first + at, float(at), "lobby", "ann", text, userhost="ann@x") for at, text in enumerate(said)]


@given(texts, st.integers(-8, 8), st.integers(-8, 8))
def test_it_looks_like_a_list(said: list[str], start: int, stop: int) -> None:
    """In length, order, single messages, slices and equality."""
    burst, messages = burst_of(said), list_of(said)

    assert list(burst) == messages == [burst[at] for at in range(len(burst))]
    assert burst[-1] == messages[-1]
    assert list(burst[start:stop]) == messages[start:stop]
    assert burst == messages
    assert burst != messages[1:]


@given(st.lists(st.tuples(texts, st.booleans()), max_size=8), st.integers(1, 9), st.integers(1, 30), st.integers(0, 40))
def test_the_log_keeps_the_last_of_any_blocks(
    blocks: list[tuple[list[str], bool]], most: int, chars: int, after: int
) -> None:
    """However they came, as bursts or one by one: the last that are neither too many nor too long."""
    log = MemoryLog(most, chars)
    log.open(lambda entry: None)
    everything: list[Event] = []
    start = log.last_id() + 1
    for said, together in blocks:
        first = log.claim(len(said))
        block: Sequence[Event] = burst_of(said, first) if together else list_of(said, first)
        log.append(Batch(ROOM.as_tuple, block))
        everything += list(block)

    kept = everything[-most:]
    while sum(len(event.text) for event in kept if isinstance(event, Message)) > chars:
        kept = kept[1:]
    dropped = everything[: len(everything) - len(kept)]
    assert log.read_before(ROOM.key, None, 100).events == kept
    behind = start + after
    assert log.read_after((ROOM.key,), behind).events == [event for event in kept if event.id > behind]
    assert log.has_gap(ROOM.key, start - 1) == bool(dropped)
    if dropped:
        assert not log.has_gap(ROOM.key, dropped[-1].id)
