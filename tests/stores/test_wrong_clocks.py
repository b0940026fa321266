"""A clock that is wrong deletes nothing at once, stops nobody, and is not believed for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from chat_clients import wait_until
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from logs import Looks, opened, say, settle

from pychat import ChatServer
from pychat.core.log.ring_buffer import EVER
from pychat.model.clock import Clock
from pychat.model.durations import write_duration
from pychat.model.events import Event, Message
from pychat.model.server_ban import AddServerBan
from pychat.model.times import place_in
from pychat.model.verbs import BecomeOperator
from pychat.stores import SqliteLog
from pychat.stores.sqlite import maintenance as tending
from pychat.stores.sqlite.archive import Archive
from pychat.testing import FakeClock, MakeChat

MakeServer = Callable[..., ChatServer]

DAY = 86_400.0
KEEP = 30 * DAY
START = 1_800_000_000.0
YEAR_2260 = 9_151_488_000.0


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what can wait be done at once."""
    monkeypatch.setattr(tending, "_IDLE_SECONDS", 0.01)
    monkeypatch.setattr(tending, "_REST_SECONDS", 0.01)


@contextmanager
def running(path: Path, clock: Clock) -> Iterator[tuple[SqliteLog, Looks]]:
    """A log that keeps what is younger than thirty days."""
    with opened(path, keep_seconds=KEEP, clock=clock) as (log, _):
        yield log, Looks(log)


def fill(path: Path, start: float = START, days: int = 20) -> None:
    """Say something on so many days, one block each."""
    with opened(path) as (log, _):
        for day in range(days):
            say(log, f"day {day:02}", time=start + day * DAY)
            settle(log)


def texts(log: SqliteLog) -> list[str]:
    """What the record has."""
    return [event.text for event in log.read_after(("a",), 0).events if isinstance(event, Message)]


def last_days(number: int) -> list[str]:
    """The texts of `fill` of the last days."""
    return [f"day {day:02}" for day in range(20 - number, 20)]


def test_a_wrong_clock_deletes_nothing_while_nobody_talks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Age is counted from the newest event, and the log of the server says so."""
    fill(tmp_path / "chat.db")
    with running(tmp_path / "chat.db", FakeClock(start=START + 420 * DAY)) as (log, looks):
        looks.wait()
        assert texts(log) == last_days(20)
    text = "the clock is 401 days ahead of the newest event; age is counted from that. Is the clock right?"
    assert caplog.messages == [f"{tmp_path / 'chat.db'}: {text}"]


def test_a_wrong_clock_deletes_a_tenth_in_an_hour(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Also when somebody talks by that clock; each hour there is a warning with the number."""
    fill(tmp_path / "chat.db")
    clock = FakeClock(start=START + 420 * DAY)
    with running(tmp_path / "chat.db", clock) as (log, looks):
        looks.wait()
        caplog.clear()
        say(log, "now", time=clock.time())
        wait_until(lambda: len(texts(log)) < 21, "something is deleted")
        looks.wait()
        left = len(texts(log)) - 1
        assert 17 <= left <= 18
        assert texts(log) == [*last_days(left), "now"]
        text = (
            "events became too old all at once and were deleted; other old events wait, because at most a tenth of the "
            "record is deleted in an hour. Is the clock right?"
        )
        assert caplog.messages == [f"{tmp_path / 'chat.db'}: {20 - left} {text}"]
        clock.advance(3600)
        wait_until(lambda: len(texts(log)) - 1 < left, "the next hour has begun")
        looks.wait()
        assert left - 3 <= len(texts(log)) - 1 < left


def test_a_clock_that_jumps_while_the_server_runs_deletes_a_tenth(tmp_path: Path) -> None:
    """What becomes too old as time goes by goes at once."""
    fill(tmp_path / "chat.db")
    clock = FakeClock(start=START + 20 * DAY)
    with running(tmp_path / "chat.db", clock) as (log, looks):
        looks.wait()
        say(log, "now", time=clock.time())
        clock.advance(5 * DAY)
        say(log, "later", time=clock.time())
        looks.wait()
        clock.advance(10 * DAY)
        say(log, "much later", time=clock.time())
        wait_until(lambda: len(texts(log)) == 18, "what was said on the first five days is gone")
        looks.wait()
        assert texts(log) == [*last_days(15), "now", "later", "much later"]

        clock.set_time(START + 400 * DAY)
        say(log, "in a year", time=clock.time())
        wait_until(lambda: texts(log)[0] != "day 05", "something is deleted")
        looks.wait()
        assert len(texts(log)) >= 16


def test_events_of_the_far_future_do_not_keep_older_ones_from_being_deleted(tmp_path: Path) -> None:
    """They were stored by a clock that was wrong, so they are as old as those behind them."""
    with opened(tmp_path / "chat.db") as (log, _):
        for text, time in [("before", START), ("wrong", YEAR_2260), ("behind", START + DAY), ("new", START + 40 * DAY)]:
            say(log, text, time=time)
            settle(log)
    clock = FakeClock(start=START + 40 * DAY)
    with running(tmp_path / "chat.db", clock) as (log, looks):
        for _ in range(3):  # one block is a tenth of so few
            looks.wait()
            clock.advance(3600)
        wait_until(lambda: texts(log) == ["new"], "the old ones are gone")


def test_a_clock_that_has_begun_anew_deletes_nothing(tmp_path: Path) -> None:
    """In 1970 nothing is too old."""
    fill(tmp_path / "chat.db")
    with running(tmp_path / "chat.db", FakeClock(start=0.0)) as (log, looks):
        looks.wait()
        assert texts(log) == last_days(20)


# Times and ids


def times(server: ChatServer) -> list[float]:
    """When what was said in the lobby was said, to the millisecond."""
    events = server.chat.log.read_after(("lobby",), 0).events
    return [event.time for event in events if isinstance(event, Message)]


def said_over_restarts(server: MakeServer, path: Path, *starts: float) -> list[float]:
    """Say something in a server for each start of the clock; return the times."""
    for start in starts:
        clock = FakeClock(start=start)
        running = server(log=SqliteLog(path, clock=clock), clock=clock)
        running.session("ann").say("x")
        found = times(running)
        running.stop()
    return found


@pytest.mark.parametrize("seconds", [7200.0, 2 * DAY])
def test_times_are_right_as_soon_as_the_clock_is(
    server: MakeServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, seconds: float
) -> None:
    """Also over a restart; each time that the clock was set back is told once."""
    found = said_over_restarts(server, tmp_path / "chat.db", START + seconds, START, START + 60)

    assert [round(time) for time in found] == [START + seconds, START, START + 60]
    text = f"the newest event is {write_duration(seconds)} ahead of the clock: new times follow the clock"
    assert [message for message in caplog.messages if "clock" in message] == [text]


def test_times_wait_for_a_clock_that_is_some_seconds_behind(server: MakeServer, tmp_path: Path) -> None:
    """Then they tell events from each other, and history by time needs no care."""
    found = said_over_restarts(server, tmp_path / "chat.db", START, START - 5, START - 5)

    assert found == sorted(set(found))
    assert abs(found[-1] - START) < 1


def test_a_time_of_the_far_future_does_not_stop_time(server: MakeServer, tmp_path: Path) -> None:
    """When the clock is right again, so are the times."""
    found = said_over_restarts(server, tmp_path / "chat.db", START, YEAR_2260, START + 60)

    assert [round(time) for time in found] == [START, YEAR_2260, START + 60]


def test_the_clock_is_set_right_while_people_talk(chat_server: MakeChat) -> None:
    """Ids grow, times are right with the next message, and history by time has everything once."""
    clock = FakeClock(start=START)
    chat = chat_server(clock=clock)
    ann = chat.session("ann")
    said = []
    for start in (START, START + DAY, START + 10, START + 2 * DAY, START + 20):
        clock.set_time(start)
        said += [ann.say("x") or 0, ann.say("x") or 0]

    messages = [event for event in chat.room().history() if isinstance(event, Message)]
    assert [event.id for event in messages] == said == sorted(said)
    seconds = [round(event.time - START) for event in messages]
    assert seconds == [0, 0, DAY, DAY, 10, 10, 2 * DAY, 2 * DAY, 20, 20]


@pytest.mark.parametrize("ahead", [DAY, -DAY])
def test_bans_that_were_made_by_a_wrong_clock_end_in_time_after_a_restart(
    chat_server: MakeChat, tmp_path: Path, ahead: float
) -> None:
    """Of rooms and of the server: what is stored is their end by the clock that the server had when it stopped."""
    clock = FakeClock(start=START + ahead)
    first = chat_server(clock=clock, log=SqliteLog(tmp_path / "chat.db"), operators={"root": "sesame12"})
    ann = first.join("ann", "ops")  # for whom the room waits
    ann.ask(BecomeOperator("root", "sesame12"))
    ann.ban("eve", seconds=600)
    ann.ask(AddServerBan("192.0.2.7", 600))
    clock.set_time(START)
    first.server.stop()

    again = chat_server(clock=FakeClock(start=START + 60), log=SqliteLog(tmp_path / "chat.db")).server.chat

    room = again.find_room("ops")
    assert room is not None
    assert [round((entry.until or 0) - START) for entry in room.state.lists["b"]] == [600]
    assert [round((ban.until or 0) - START) for ban in again.bans.current()] == [600]


# History by time where times go back


RUNS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 5)), min_size=1, max_size=5)
"""When a clock begins, and how many events there are by it."""


def times_of(runs: list[tuple[int, int]]) -> list[int]:
    """Milliseconds of events, an hour between two."""
    return [(begin + number) * 3_600_000 for begin, count in runs for number in range(count)]


@given(RUNS)
def test_paging_by_time_finds_everything_once(runs: list[tuple[int, int]]) -> None:
    """In both directions, by the times of the events that the reader has: each is the place of its event."""
    times = times_of(runs)
    if len(set(times)) < len(times):
        return
    events = [Message(number, ms / 1000 + 0.0005, "a", "ann", "x") for number, ms in enumerate(times, 1)]

    for number, ms in enumerate(times, 1):
        assert place_in(events, ms, behind=False).id == number
        assert place_in(events, ms, behind=True).id == (number + 1 if number < len(times) else None)


@given(RUNS, st.integers(-1, 70), st.booleans())
def test_what_was_said_by_a_clock_ahead_counts_as_said_when_it_was_set_back(
    runs: list[tuple[int, int]], hour: int, behind: bool
) -> None:
    """A time that no event has is behind all events that are before it, and before all from some event on."""
    events = [Message(number, ms / 1000 + 0.0005, "a", "ann", "x") for number, ms in enumerate(times_of(runs), 1)]
    wanted = hour * 3_600_000 + 7

    place = place_in(events, wanted, behind=behind).id or len(events) + 1

    assert all(event.time * 1000 > wanted for event in events[place - 1 :])
    assert place == 1 or events[place - 2].time * 1000 < wanted


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RUNS)
@example([(0, 1), (0, 2)])
@example([(0, 1), (5, 1), (0, 2)])
def test_the_file_finds_the_same_places_as_memory(tmp_path: Path, runs: list[tuple[int, int]]) -> None:
    """Whatever of the record is in memory, and whoever reads the file; also when it was opened anew."""
    path = tmp_path / f"{uuid4()}.db"
    times = times_of(runs)
    events: list[Event] = []
    with opened(path, events=2, clock=FakeClock(start=START)) as (log, _):
        for at, ms in enumerate(times):
            if at and ms < times[at - 1]:
                log.set_back(log.last_id() + 1)
            events += say(log, "x", time=START + ms / 1000 + 0.0005)
            if at % 3 == 0:
                settle(log)
        settle(log)
        wanted = [START + (ms + more) / 1000 for ms in times for more in (0, 5, -5)]
        found = [(log.id_at("a", time), log.id_at("a", time, behind=True)) for time in wanted]
        with Archive(path) as archive:
            (room,) = archive.rooms.values()
            archived = [archive.id_at([room], time) for time in wanted]
        end = log.last_id() + 1
    places = [[place_in(events, round(time * 1000), behind=behind).id for behind in (False, True)] for time in wanted]
    assert found == [tuple([end if id is None else id for id in pair]) for pair in places]
    assert archived == [EVER if first is None else first for first, _ in places]
    with opened(path, events=2, clock=FakeClock(start=START)) as (log, _):
        again = [(log.id_at("a", time), log.id_at("a", time, behind=True)) for time in wanted]
        end = log.last_id() + 1
    assert again == [tuple([end if id is None else id for id in pair]) for pair in places]


def test_a_server_starts_in_2260(server: MakeServer, tmp_path: Path) -> None:
    """And many times after that."""
    for _ in range(3):
        clock = FakeClock(start=YEAR_2260)
        running = server(log=SqliteLog(tmp_path / "chat.db", clock=clock), clock=clock)
        position = running.session("ann").say("x")
        assert position is not None
        assert position < 2**63
        running.stop()
