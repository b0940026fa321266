"""`SqliteLog`: the same record as in memory, but longer, and still there when the file is opened again."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logs import CHAT, A, B, opened, say, settle

from pychat.core.delivery import Attach, Batch, Detach, Entry, Follow, Private
from pychat.core.local_session import LocalSession
from pychat.core.log.log import MemoryLog, Page
from pychat.model.burst import Burst, moments
from pychat.model.events import Disconnected, Event, Message, Tagged
from pychat.model.replies import Ok
from pychat.model.search import Terms
from pychat.stores import SqliteLog
from pychat.testing import FakeClock


def test_what_was_accepted_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    """Events, and bursts as the same messages."""
    with opened(tmp_path / "chat.db") as (log, _):
        events = say(log, "one", "two")
        burst = Burst(log.claim(2), moments(5, 2), "a", "ann", "~ann@host", ["three", "four"])
        log.append(Batch((A,), burst))

    with opened(tmp_path / "chat.db") as (log, _):
        assert log.read_after(("a",), 0) == ([*events, *burst], False)
        assert log.read_before("a", None, 3) == ([events[1], *burst], True)


def test_entries_are_accepted_in_order(tmp_path: Path) -> None:
    """Also those of which nothing is kept."""
    session = LocalSession(CHAT)
    with opened(tmp_path / "chat.db") as (log, accepted):
        tagged = Batch((A,), [Tagged(log.claim(1), 0.0, "a", "ann", "+typing")])
        entries: list[Entry] = [Private(session, (Ok(1),)), Attach(session, A), tagged]
        for entry in entries:
            log.append(entry)
        said = Batch((A,), say(log, "one"))
        entries += [said, Detach(session, A), Follow("job")]
        for entry in entries[-2:]:
            log.append(entry)

    assert accepted == entries
    with opened(tmp_path / "chat.db") as (log, _):
        assert log.read_after(("a",), 0).events == said.events


def test_what_one_person_does_in_several_rooms_comes_once(tmp_path: Path) -> None:
    """It is in the record of each."""
    with opened(tmp_path / "chat.db") as (log, _):
        gone = Disconnected(log.claim(1), 0.0, ("a", "b"), "ann")
        log.append(Batch((A, B), [gone]))

    with opened(tmp_path / "chat.db") as (log, _):
        assert log.read_after(("a", "b"), 0).events == [gone]
        assert log.read_before("a", None, 5).events == log.read_before("b", None, 5).events == [gone]


@pytest.mark.parametrize("seconds", [1_800_000_000.0, 9_151_488_000.0], ids=["days", "centuries"])
def test_ids_go_on_although_the_clock_goes_back(tmp_path: Path, seconds: float) -> None:
    """The next id is behind the last one that was stored, by however much the clock was wrong."""
    with opened(tmp_path / "chat.db", clock=FakeClock(start=seconds)) as (log, _):
        last = say(log, "one", "two")[-1].id

    with opened(tmp_path / "chat.db", clock=FakeClock(start=1_700_000_000.0)) as (log, _):
        assert log.last_id() == last
        assert say(log, "three")[0].id == last + 1
        assert not log.has_gap("a", last)


def test_a_restart_is_no_gap(tmp_path: Path) -> None:
    """Who has seen an id of an earlier run misses nothing; ids from before the file are a gap, and those to come."""
    with opened(tmp_path / "chat.db") as (log, _):
        first = say(log, "one", "two")[0].id

    with opened(tmp_path / "chat.db") as (log, _):
        assert log.has_gap("a", first >> 1)
        assert [log.has_gap("a", id) for id in (first - 1, first, log.last_id())] == [False, False, False]
        assert log.has_gap("a", log.last_id() + 1)


def test_a_room_that_was_forgotten_has_no_record(tmp_path: Path) -> None:
    """At once, and after a restart; the room that is made anew does not get the old one's."""
    with opened(tmp_path / "chat.db") as (log, _):
        old, other = say(log, "secret"), say(log, "other", rooms=(B,))
        settle(log)
        log.forget("a")
        assert log.read_before("a", None, 5) == ([], False)
        assert log.has_gap("a", old[0].id)
        assert log.search("a", Terms("secret"), None, 5) == ([], False)
        new = say(log, "new")

    with opened(tmp_path / "chat.db") as (log, _):
        assert log.read_after(("a",), 0).events == new
        assert log.read_after(("b",), 0).events == other
        assert log.has_gap("a", old[0].id)
        assert not log.has_gap("b", other[0].id)


def test_memory_reaches_back_as_far_as_it_says(tmp_path: Path) -> None:
    """`recent` has everything or says that it has not: after a restart it knows of nothing that is older."""
    with opened(tmp_path / "chat.db", events=3) as (log, _):
        events = say(log, "1", "2", "3", "4", "5")
        settle(log)
        say(log, "6")
        assert log.recent(("a",), events[1].id) is None
        assert [event.text for event in log.recent(("a",), events[2].id) or () if isinstance(event, Message)] == [
            "4",
            "5",
            "6",
        ]

    with opened(tmp_path / "chat.db", events=3) as (log, _):
        assert log.recent(("a",), events[2].id) is None
        assert log.recent(("a",), log.last_id()) == []


def test_a_room_is_not_read_as_a_whole(tmp_path: Path) -> None:
    """Pages of a long record are found where they are; memory holds only the last events."""
    with opened(tmp_path / "chat.db", events=10) as (log, _):
        events = [event for number in range(300) for event in say(log, *[f"{number}.{at}" for at in range(10)])]

    with opened(tmp_path / "chat.db", events=10) as (log, _):
        assert log.read_before("a", None, 5).events == events[-5:]
        assert log.read_before("a", events[1500].id, 5) == (events[1495:1500], True)
        assert log.read_after(("a",), events[1499].id, 5) == (events[1500:1505], True)
        assert log.read_after(("a",), events[-3].id, 5) == (events[-2:], False)
        assert log.read_before("a", events[2].id, 5) == (events[:2], False)


WORDS = ["tea", "Tea at four", "té", "sandwich", "four", "at four", "sand, wich"]


@settings(max_examples=40)
@given(st.data())
def test_it_is_a_memory_log_that_forgets_nothing(data: st.DataObject) -> None:
    """Whatever happens in whatever order: reading gives the same as a log in memory that is large enough."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "chat.db"
        model = MemoryLog()
        model.open(lambda entry: None)
        now = 1_800_000_000.0
        running = opened(path, events=3)
        log, _ = running.__enter__()
        try:
            model._next = log._next
            for action in data.draw(
                st.lists(st.sampled_from(["say", "say", "settle", "reopen", "forget"]), max_size=12)
            ):
                if action == "say":
                    texts = data.draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4))
                    rooms = data.draw(st.sampled_from([(A,), (B,)]))  # a message is said in one room
                    now += data.draw(st.sampled_from([0.0, 0.001, 5.0]))
                    assert say(log, *texts, rooms=rooms, time=now) == say(model, *texts, rooms=rooms, time=now)
                elif action == "settle":
                    settle(log)
                elif action == "forget":
                    log.forget("a")
                    model.forget("a")
                else:
                    running.__exit__(None, None, None)
                    running = opened(path, events=3)
                    log, _ = running.__enter__()
                    log._next = model._next
                assert_same(log, model, data.draw(st.integers(0, 40)), data.draw(st.integers(0, 5)), now)
        finally:
            running.__exit__(None, None, None)


def assert_same(log: SqliteLog, model: MemoryLog, back: int, limit: int, now: float) -> None:
    """Whatever is asked, both have the same answer."""
    id = model.last_id() - back
    assert log.read_after(("a", "b"), id, limit) == model.read_after(("a", "b"), id, limit)
    for room in ("a", "b"):
        assert log.read_after((room,), id) == model.read_after((room,), id)
        assert log.read_before(room, id, limit) == model.read_before(room, id, limit)
        assert log.read_before(room, None, limit) == model.read_before(room, None, limit)
        for query in ("tea", "TE*", '"at four"', "four tea", "sand"):
            assert found(log.search(room, Terms(query), id, limit)) == found(
                model.search(room, Terms(query), id, limit)
            )
        for time in (now - 5, now - 0.001, now, now + 1):
            for behind in (False, True):
                at, expected = log.id_at(room, time, behind=behind), model.id_at(room, time, behind=behind)
                assert at == expected or not any(at <= event.id < expected for event in everything(model, room))


def found(page: Page) -> Any:
    """What a search found."""
    return page


def everything(model: MemoryLog, room: str) -> list[Event]:
    """The record of a room."""
    return model.read_after((room,), 0).events
