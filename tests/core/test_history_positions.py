"""History at places that are named by ids or times: before, after, between, around, and the rooms it is in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorder import enter, make_chat

from pychat import Chat, Limits, Room
from pychat.core.delivery import Batch
from pychat.core.log.log import MemoryLog
from pychat.model import verbs
from pychat.model.events import Event, Joined, Message, Tagged
from pychat.model.queries import ListHistory, Moment, ReadHistory
from pychat.model.replies import Failure, HistoryPage, HistoryTarget, HistoryTargets

START = 1_800_000_000.0


class Record:
    """A chat whose record has events at times that the test chooses: seconds behind `START`."""

    def __init__(self, **limits: Any) -> None:
        self.chat = make_chat(limits=Limits(**limits))
        self.ann = enter(self.chat, "ann", "ops", "den")
        self.ops, self.den = self.ann.rooms.values()
        for room in (self.ops, self.den):
            self.chat.log.forget(room.key)

    def add(self, second: float, text: str = "", room: Room | None = None, **fields: Any) -> int:
        """Something is said, or, without a text, somebody comes."""
        room = room or self.ops
        event: Event = Joined(0, 0.0, room.name, "bob")
        if text:
            event = Message(0, 0.0, room.name, "bob", text)
        with self.chat.order.lock:
            placed = event._replace(id=self.chat.log.claim(1), time=START + second, **fields)
            self.chat.log.append(Batch((room,), [placed]))
        self.ann.take()
        return placed.id

    def read(self, **asked: Any) -> tuple[list[str], bool]:
        """Texts, or "-" where there is none, and whether there is more."""
        (answer,) = self.ann.do(ReadHistory("ops", **asked))
        assert isinstance(answer, HistoryPage), answer
        return [getattr(event, "text", "-") for event in answer.events], answer.more


@pytest.fixture
def record() -> Record:
    """Seven messages, a second apart, in a room with a page of ten events."""
    made = Record(history_page=10)
    for number in range(7):
        made.add(number, str(number))
    return made


def at(second: float) -> Moment:
    """A place in the record."""
    return Moment(START + second)


@pytest.mark.parametrize(
    ("asked", "texts", "more"),
    [
        ({"before": at(3)}, "012", False),
        ({"before": at(3), "limit": 2}, "12", True),
        ({"before": at(3.001)}, "0123", False),
        ({"after": at(3)}, "456", False),
        ({"after": at(2.999)}, "3456", False),
        ({"after": at(3), "limit": 2}, "45", True),
        ({"after": at(1), "before": at(5)}, "234", False),
        ({"after": at(1), "before": at(5), "limit": 2}, "23", True),
        ({"after": at(1), "before": at(5), "limit": 3}, "234", False),
        ({"between": (at(1), at(5)), "limit": 2}, "23", True),
        ({"between": (at(5), at(1)), "limit": 2}, "34", True),
        ({"between": (at(5), at(1)), "limit": 3}, "234", False),
        ({"between": (2**63 - 1, at(4)), "limit": 1}, "6", True),
        ({"between": (2**63 - 1, at(4)), "limit": 2}, "56", False),
        ({"between": (at(3), at(3))}, "", False),
        ({"after": at(5), "before": at(1)}, "", False),
        ({"before": at(-9)}, "", False),
        ({"after": at(99)}, "", False),
        ({"after": at(-9), "limit": 1}, "0", True),
        ({"before": at(99), "limit": 1}, "6", True),
        ({"around": at(3), "limit": 4}, "1234", True),
        ({"around": at(3), "limit": 3}, "234", True),
        ({"around": at(3), "limit": 1}, "3", True),
        ({"around": at(0), "limit": 4}, "01", True),
        ({"around": at(3)}, "0123456", False),
        ({"around": at(99), "limit": 4}, "56", True),
    ],
)
def test_places_by_time(record: Record, asked: dict[str, Any], texts: str, more: bool) -> None:
    """Bounds are excluded, the middle is not (IRCv3 draft/chathistory, BEFORE, AFTER, BETWEEN, AROUND)."""
    assert record.read(**asked) == (list(texts), more)


def test_places_by_id() -> None:
    """Of this room, of another one, or never given: an id is a place in the sequence."""
    record = Record()
    a, elsewhere, b, c = record.add(0, "a"), record.add(1, "x", record.den), record.add(2, "b"), record.add(3, "c")

    assert record.read(after=a, before=c) == (["b"], False)
    assert record.read(after=elsewhere) == (["b", "c"], False)
    assert record.read(before=elsewhere) == (["a"], False)
    assert record.read(around=b, limit=2) == (["a", "b"], True)
    assert record.read(around=elsewhere, limit=2) == (["a", "b"], True)
    assert record.read(after=0, before=2**63) == (["a", "b", "c"], False)
    assert record.read(after=a, before=at(3)) == (["b"], False)
    assert record.read(between=(a, at(3)), limit=1) == record.read(between=(at(0), c), limit=1) == (["b"], False)
    assert record.read(between=(at(3), a), limit=1) == record.read(between=(c, at(0)), limit=1) == (["b"], False)
    assert record.read(between=(at(2), b)) == record.read(between=(b, at(2))) == ([], False)


def test_times_are_compared_as_they_are_written() -> None:
    """Whole milliseconds: what has the very time of a bound is not beyond it."""
    record = Record()
    record.add(1.00025, "a")
    record.add(1.00125, "b")
    record.add(1.00125, "c")

    assert record.read(after=at(1.0)) == (["b", "c"], False)
    assert record.read(after=at(1.001)) == ([], False)
    assert record.read(before=at(1.001)) == (["a"], False)
    assert record.read(around=at(1.001), limit=2) == (["a", "b"], True)


def test_only_messages_count_if_they_are_wanted() -> None:
    """However many other events are between them (chathistory without event-playback)."""
    record = Record(history_page=3)
    record.add(0, "a")
    for second in range(1, 400):
        record.add(second)
    record.add(400, "b")
    for second in range(401, 800):
        record.add(second)
    record.add(800, "c")

    assert record.read() == (["-", "-", "c"], True)
    assert record.read(messages_only=True) == (["a", "b", "c"], False)
    assert record.read(messages_only=True, limit=2) == (["b", "c"], True)
    assert record.read(messages_only=True, limit=2, after=at(-1)) == (["a", "b"], True)
    assert record.read(messages_only=True, after=at(0)) == (["b", "c"], False)
    assert record.read(messages_only=True, around=at(400), limit=2) == (["a", "b"], True)


def test_what_is_for_others_is_left_out_without_a_gap() -> None:
    """It does not count for the limit, and is not more."""
    record = Record()
    record.add(0, "a")
    record.add(1, "for others", audience=frozenset({0}))
    record.add(2, "b")

    assert record.read(limit=2) == (["a", "b"], False)
    assert record.read(limit=1, after=at(0)) == (["b"], False)


def test_an_answer_fits_the_send_queue() -> None:
    """Long messages are fewer, those nearest to the bound, and there is more."""
    record = Record(send_queue_bytes=8000, text_bytes=4000)
    for number in range(8):
        record.add(number, str(number) * 600)

    def heads(**asked: Any) -> tuple[list[str], bool]:
        texts, more = record.read(**asked)
        return [text[0] for text in texts], more

    assert heads() == (["6", "7"], True)
    assert heads(after=at(0)) == (["1", "2"], True)
    assert heads(around=at(4), limit=8) == (["3", "4"], True)


@pytest.mark.parametrize("place", [{"around": 0}, {"between": (0, 1)}])
@pytest.mark.parametrize("other", [{"before": 1}, {"after": 1}, {"around": 0, "between": (0, 1)}])
def test_places_exclude_each_other(record: Record, place: dict[str, Any], other: dict[str, Any]) -> None:
    """Only before and after go together."""
    (answer,) = record.ann.do(ReadHistory("ops", **{**place, **other}))

    assert answer == Failure(None, "bad_request", "history can have either around, or before and after")


def test_history_is_for_members(record: Record) -> None:
    """Whatever place is asked for."""
    eve = enter(record.chat, "eve")

    assert eve.do(ReadHistory("ops", around=at(3)))[0].code == "not_a_member"


positions = st.one_of(st.none(), st.integers(-2, 32).map(lambda second: second / 2))


@given(
    st.lists(st.integers(0, 15), max_size=12).map(sorted),
    positions,
    positions,
    st.integers(1, 12),
)
def test_any_bounds(seconds: list[int], after: float | None, before: float | None, limit: int) -> None:
    """Whatever was said when: the events between the bounds, those nearest to the right one, and whether all."""
    record = Record(history_page=12)
    ids = [record.add(second, str(index)) for index, second in enumerate(seconds)]
    assert ids == sorted(ids)

    texts, more = record.read(
        after=None if after is None else at(after),
        before=None if before is None else at(before),
        limit=limit,
    )

    between = [
        str(index)
        for index, second in enumerate(seconds)
        if (after is None or second > after) and (before is None or second < before)
    ]
    assert texts == (between[-limit:] if after is None else between[:limit])
    assert more == (len(between) > limit)


@given(
    st.sets(st.integers(0, 15)),
    st.integers(0, 15),
    st.integers(0, 15),
    st.integers(1, 12),
    st.tuples(st.booleans(), st.booleans()),
)
def test_any_two_places(others: set[int], first: int, second: int, limit: int, by_ids: tuple[bool, bool]) -> None:
    """Times or ids, in either order: what is between them, those nearest to the first."""
    record = Record(history_page=12)
    seconds = sorted({*others, first, second})
    ids = {number: record.add(number, str(number)) for number in seconds}
    places = [ids[place] if by_id else at(place) for place, by_id in zip((first, second), by_ids, strict=True)]

    texts, _ = record.read(between=tuple(places), limit=limit)

    between = [str(number) for number in seconds if min(first, second) < number < max(first, second)]
    assert texts == (between[:limit] if first <= second else between[-limit:])


# In which rooms


def test_rooms_whose_last_message_is_between_two_times() -> None:
    """The oldest first, and if they are too many, those nearest to the first time; only one's own rooms."""
    record = Record()
    record.add(1, "a", record.den)
    record.add(2, "b", record.ops)
    record.add(3, "c", record.den)
    record.add(4, "", record.ops)
    record.add(5, "d", record.ops)
    enter(record.chat, "eve", "elsewhere").do(verbs.Say("x"))

    def targets(first: float, second: float, limit: int | None = None) -> list[tuple[str, float]]:
        (answer,) = record.ann.do(ListHistory((at(first), at(second)), limit, ref=1))
        assert isinstance(answer, HistoryTargets)
        assert answer.ref == 1
        assert all(isinstance(target, HistoryTarget) for target in answer.targets)
        return [(target.room, target.time - START) for target in answer.targets]

    assert targets(0, 9) == targets(9, 0) == [("den", 3), ("ops", 5)]
    assert targets(0, 9, 1) == [("den", 3)]
    assert targets(9, 0, 1) == [("ops", 5)]
    assert targets(0, 5) == targets(5, 0) == [("den", 3)]
    assert targets(3, 5) == targets(5, 3) == []


def test_the_limit_of_rooms_is_checked(record: Record) -> None:
    """Like that of events."""
    (answer,) = record.ann.do(ListHistory((at(0), at(9)), 11))

    assert answer == Failure(None, "bad_request", "history limit 11: use 1 to 10 rooms")


# The log


def make_log() -> tuple[MemoryLog, Room, Callable[..., int]]:
    """A log with a room, and a function that appends events with their times."""
    log = MemoryLog()
    log.open(lambda entry: None)
    room = Chat().default_room

    def append(*times: float) -> int:
        first = log.claim(len(times))
        events: list[Event] = [Joined(first + index, time, "lobby", "ann") for index, time in enumerate(times)]
        log.append(Batch((room,), events))
        return first

    return log, room, append


def test_an_id_parts_the_record_at_a_time() -> None:
    """Before it, or behind it; where nothing is kept, it is the next id."""
    log, room, append = make_log()
    first = append(1.0, 2.0, 2.0, 3.0)

    assert [log.id_at(room.key, time) - first for time in (0.0, 1.0, 1.5, 2.0, 3.0, 3.5)] == [0, 0, 1, 1, 3, 4]
    assert [log.id_at(room.key, time, behind=True) - first for time in (0.0, 1.0, 2.0, 3.0)] == [0, 1, 3, 4]
    assert log.id_at("nowhere", 0.0) == first + 4


def test_tags_without_a_message_are_delivered_and_not_kept() -> None:
    """Who is typing is of no interest later; the ids of the others stay theirs."""
    chat = make_chat()
    bob = enter(chat, "bob")

    def publish(event: Any) -> None:
        chat.order.publish(event, chat.default_room.as_tuple)

    chat.log.forget(chat.default_room.key)
    publish(Tagged(0, 0.0, "lobby", "ann", "+typing=active"))
    publish(Message(0, 0.0, "lobby", "ann", "hello"))
    publish(Tagged(0, 0.0, "lobby", "ann", "+typing=done"))

    heard = bob.take()
    assert [type(event) for event in heard] == [Tagged, Message, Tagged]
    assert chat.log.read_before(chat.default_room.key, None, 9).events == [heard[1]]
