"""Questions for history are bounded by the work that they cause, and find everything if they are asked again."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from chat_clients import DEADLINE, wait_until
from logs import A, B, opened, say, settle

from pychat import Chat
from pychat.core import price
from pychat.core.attempts import address_key
from pychat.core.delivery import Batch
from pychat.core.local_session import LocalSession
from pychat.core.log.log import Log
from pychat.handlers import Broadcast
from pychat.model.events import AwayChanged, Event, Message
from pychat.model.queries import ListHistory, Moment, ReadHistory
from pychat.model.replies import HistoryPage, HistoryTargets
from pychat.model.search import Terms
from pychat.model.verbs import SetIgnored
from pychat.stores import SqliteLog
from pychat.stores.sqlite import event_codec as records_of
from pychat.stores.sqlite import maintenance as tending
from pychat.stores.sqlite import reader as reading
from pychat.stores.sqlite import search_index as index
from pychat.stores.sqlite.schema import MIGRATIONS

_EVENTS = 20_500
"""More than one question once looked at."""


def go_away(log: Log, number: int, text: str = "lunch") -> None:
    """Append events of a person that are no messages, in rooms A and B."""
    for _ in range(number // 500):
        first = log.claim(500)
        events = [AwayChanged(first + at, first / 2**20 / 1000, ("a", "b"), "ann", text) for at in range(500)]
        log.append(Batch((A, B), events))
        log.wake()
        log.throttle()


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The records that were decoded by those who read."""
    records: list[bytes] = []
    decode = records_of.decode_block

    def counted(record: bytes) -> Any:
        records.append(record)
        return decode(record)

    monkeypatch.setattr(reading, "decode_block", counted)
    return records


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question may cause no work at all: it ends with the first portion."""
    monkeypatch.setattr(price.Effort, "is_spent", lambda self: True)


@pytest.fixture
def indexed(monkeypatch: pytest.MonkeyPatch) -> Callable[[SqliteLog], None]:
    """Wait until all of a log is in the index, which happens soon."""
    monkeypatch.setattr(tending, "_IDLE_SECONDS", 0.01)

    def wait(log: SqliteLog) -> None:
        settle(log)
        left = "SELECT count(*) FROM blocks WHERE block > (SELECT digested FROM state)"
        wait_until(lambda: log._database.read(left) == [(0,)], "everything is in the index")

    return wait


class Asker:
    """Somebody in rooms "a" and "b" of a chat with a log, who asks."""

    def __init__(self, log: SqliteLog) -> None:
        self.chat = Chat([Broadcast()], log=log)
        self.session = self.chat.session("eve", ["a", "b"])

    def ask(self, **question: Any) -> HistoryPage:
        """Return the answer."""
        page = self.session.ask(ReadHistory("a", **question))
        assert isinstance(page, HistoryPage)
        return page

    def pages(self, direction: str, **question: Any) -> Iterator[HistoryPage]:
        """Ask again and again, as `next` of each answer says; fail if that is no progress."""
        place: dict[str, int] = {} if direction == "before" else {"after": 0}
        for _ in range(500):
            page = self.ask(**place, **question)
            yield page
            if not page.more:
                return
            assert page.next is not None
            assert place.get(direction) != page.next
            place = {direction: page.next}
        raise AssertionError("there is no end")


def texts(events: list[Event] | tuple[Event, ...]) -> list[str]:
    """What was said."""
    return [event.text for event in events if isinstance(event, Message)]


def test_the_last_message_is_found_behind_any_number_of_other_events(tmp_path: Path, decoded: list[bytes]) -> None:
    """By one look at the place where it is: a question reads nothing in vain."""
    with opened(tmp_path / "chat.db") as (log, _):
        say(log, "the last message", time=1_900_000_000.0)
        go_away(log, _EVENTS)
        settle(log)

    asker = Asker(SqliteLog(tmp_path / "chat.db", events=10))
    page = asker.ask(limit=1, messages_only=True)
    assert texts(page.events) == ["the last message"]
    assert len(decoded) == 1
    targets = asker.session.ask(ListHistory((Moment(0.0), Moment(2_000_000_000.0))))
    assert isinstance(targets, HistoryTargets)
    assert [target.room for target in targets.targets] == ["a"]
    assert len(decoded) == 2
    assert texts(asker.ask(after=0, limit=1, messages_only=True).events) == ["the last message"]
    assert len(decoded) == 3
    asker.chat.log.close()


def test_no_block_is_read_twice_for_one_question(tmp_path: Path, decoded: list[bytes]) -> None:
    """Where nothing is for the one who asks, everything is looked at once."""
    with opened(tmp_path / "chat.db") as (log, _):
        go_away(log, 3000)
        settle(log)
    asker = Asker(SqliteLog(tmp_path / "chat.db", events=10))

    for question in ({}, {"after": 0}, {"before": asker.chat.log.last_id()}):
        decoded.clear()
        assert len(asker.ask(limit=500, **question).events) == 500
        assert len(decoded) <= 2
    asker.chat.log.close()


def test_what_is_for_others_is_not_read_by_a_search(
    tmp_path: Path,
    decoded: list[bytes],
    indexed: Callable[[SqliteLog], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The index knows for whom a message is; many are looked at one by one."""
    monkeypatch.setattr(index, "is_tick", lambda id: False)  # one of thousands of ids fits every search
    with opened(tmp_path / "chat.db", events=1) as (log, _):
        for number in range(100):
            audience = frozenset({1, 2}) if number % 2 else frozenset(range(100))
            id = log.claim(1)
            log.append(Batch((A,), [Message(id, 0.0, "a", "ann", f"secret {number % 2}", audience=audience)]))
            settle(log)
        say(log, "what is in memory is looked at whatever it is")
        indexed(log)

        def found(word: str, reader: int | None) -> int:
            decoded.clear()
            return sum(len(portion.events) for portion in log.find("a", Terms(word), reader=reader))

        assert (found('"secret 1"', 7), len(decoded)) == (0, 0)
        assert (found('"secret 1"', 2), len(decoded)) == (50, 50)
        assert found('"secret 0"', 7) == 50
        assert found('"secret 1"', None) == 50


@pytest.mark.parametrize("limit", [1, 7, 500])
@pytest.mark.usefixtures("impatient")
def test_a_question_that_is_cut_off_goes_on_from_there(
    tmp_path: Path, limit: int, indexed: Callable[[SqliteLog], None]
) -> None:
    """In both directions, and in a search by whole words or by beginnings, each message comes once."""
    said = [f"word{number} tea" for number in range(60)]
    with opened(tmp_path / "chat.db") as (log, _):
        for text in said:
            say(log, text)
            settle(log)
        go_away(log, 1000)
        indexed(log)
    asker = Asker(SqliteLog(tmp_path / "chat.db", events=10))

    for question in ({"messages_only": True}, {"search": "tea"}, {"search": "wor*"}, {"search": "tea wo*"}):
        backwards = [texts(page.events) for page in asker.pages("before", limit=limit, **question)]
        assert [text for page in reversed(backwards) for text in page] == said
    forwards = [texts(page.events) for page in asker.pages("after", limit=limit, messages_only=True)]
    assert [text for page in forwards for text in page] == said
    assert [*asker.pages("before", search="nothing")][-1].events == ()
    asker.chat.log.close()


@pytest.mark.usefixtures("impatient")
def test_a_page_may_be_empty_although_there_is_more(tmp_path: Path) -> None:
    """Who wants to hear nobody gets nothing, a portion at a time, and comes to an end."""
    with opened(tmp_path / "chat.db") as (log, _):
        for number in range(10):
            say(log, f"text {number}")
            settle(log)
    asker = Asker(SqliteLog(tmp_path / "chat.db", events=1))
    asker.session.ask(SetIgnored(("ann",)))

    pages = [*asker.pages("before", messages_only=True)]

    assert len(pages) >= 10
    assert all(page.events == () for page in pages)
    asker.chat.log.close()


def test_only_what_is_not_in_memory_waits_for_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few threads read for all, the addresses take turns; what is in memory needs none of them."""
    log = SqliteLog(tmp_path / "chat.db", events=20)
    turns: list[object] = []
    run = log.run_slow

    def counted(address: Any, function: Callable[[], Any]) -> Any:
        turns.append(address)
        return run(address, function)

    monkeypatch.setattr(log, "run_slow", counted)
    asker = Asker(log)
    asker.session.address = "192.0.2.7"
    for number in range(10):
        asker.session.say(f"text {number}", room="a")
    assert len(asker.ask(limit=500).events) == 10
    assert texts(asker.ask(search="text", limit=500).events)
    assert turns == []

    for number in range(30):
        asker.session.say(f"text {number}", room="a")
    assert len(asker.ask(limit=500).events) == 40
    assert len(asker.ask(limit=5).events) == 5
    assert turns == [address_key("192.0.2.7")]
    log.close()


def test_six_who_ask_at_once_are_served_by_two_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So they take no more of the server than two would; each of them is answered."""
    with opened(tmp_path / "chat.db") as (log, _):
        say(log, "hello")
        settle(log)
    log = SqliteLog(tmp_path / "chat.db", events=1)
    chat = Chat([Broadcast()], log=log)
    people = [chat.session(f"ann{number}", ["a"]) for number in range(6)]
    threads: set[str] = set()
    readers = log._reader
    back = readers.back

    def watched(*arguments: Any, **options: Any) -> Any:
        threads.add(threading.current_thread().name)
        return back(*arguments, **options)

    monkeypatch.setattr(readers, "back", watched)
    answers: list[HistoryPage] = []

    def ask(person: LocalSession) -> None:
        answer = person.ask(ReadHistory("a", messages_only=True))
        assert isinstance(answer, HistoryPage)
        answers.append(answer)

    asking = [threading.Thread(target=ask, args=(person,)) for person in people]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(DEADLINE)

    assert [texts(answer.events) for answer in answers] == [["hello"]] * 6
    assert threads == {"pychat-read"}
    log.close()


def test_ticks_are_spread_over_all_ids() -> None:
    """About one id of so many, also of every second one, and of those that are far away from each other."""
    first = 1_900_000_000_000 << 20
    for step in (1, 2, 1024, 2**20):
        ticks = sum(map(index.is_tick, range(first, first + 200_000 * step, step)))
        assert 10 < ticks < 60, step


def test_a_tick_is_found_only_if_it_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indexed: Callable[[SqliteLog], None]
) -> None:
    """It stops a search now and then, and is no answer to it; neither in its own room nor in another one."""
    monkeypatch.setattr(index, "_TICK", 2)
    with opened(tmp_path / "chat.db", events=1) as (log, _):
        for number in range(40):
            say(log, f"tea {number}" if number % 4 == 0 else f"coffee {number}", rooms=(A,))
            say(log, f"tea {number}", rooms=(B,))
            settle(log)
        indexed(log)

        assert len(log.search("a", Terms("tea"), None, 100).events) == 10
        assert log.search("a", Terms("milk"), None, 100) == ([], False)
        assert len(log.search("a", Terms('"coffee 1" coffee'), None, 100).events) == 1


def test_a_file_of_an_earlier_version_is_counted_and_indexed_anew(
    tmp_path: Path, decoded: list[bytes], indexed: Callable[[SqliteLog], None]
) -> None:
    """Meanwhile everything is found by reading; afterwards nothing is read in vain."""
    path = tmp_path / "chat.db"
    with opened(path) as (log, _):
        say(log, "green tea")
        go_away(log, 2000)
        indexed(log)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP TABLE steps; DROP INDEX blocks_with_messages; ALTER TABLE blocks DROP COLUMN messages;"
            f"PRAGMA user_version = {_version_before_counts()}"
        )
    with opened(path, events=1) as (log, _):
        assert texts(log.search("a", Terms("tea"), None, 5).events) == ["green tea"]
        indexed(log)
        decoded.clear()
        assert texts(log.search("a", Terms("tea"), None, 5).events) == ["green tea"]
        assert texts([e for part in log.back("a", messages_only=True) for e in part.events]) == ["green tea"]
        assert len(decoded) == 2


def _version_before_counts() -> int:
    return next(at for at, script in enumerate(MIGRATIONS) if "blocks_with_messages" in script)
