"""How long the record is kept: what is too old or too much is deleted, and missing it is a gap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from chat_clients import wait_until
from logs import B, Looks, left_to_index, opened, say, settle

from pychat.model.events import Message
from pychat.model.search import Terms
from pychat.stores import SqliteLog
from pychat.stores.sqlite import maintenance as tending
from pychat.testing import FakeClock


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what can wait be done at once."""
    monkeypatch.setattr(tending, "_IDLE_SECONDS", 0.01)
    monkeypatch.setattr(tending, "_REST_SECONDS", 0.01)


def texts(log: SqliteLog, room: str = "a") -> list[str]:
    """What the record has."""
    return [event.text for event in log.read_after((room,), 0).events if isinstance(event, Message)]


def count(log: SqliteLog, sql: str) -> Any:
    """Ask the file."""
    ((answer,),) = log._database.read(sql)
    return answer


def test_what_is_too_old_is_deleted(tmp_path: Path) -> None:
    """From memory, from the file and from the index; who has not seen it is told of a gap."""
    clock = FakeClock()
    with opened(tmp_path / "chat.db", keep_seconds=3600, clock=clock) as (log, _):
        looks = Looks(log)
        old, other = say(log, "old tea", time=clock.time()), say(log, "old", rooms=(B,), time=clock.time() + 10)
        settle(log)
        clock.advance(1800)
        new = say(log, "new tea", time=clock.time())
        settle(log)
        looks.wait()
        clock.advance(1900)

        wait_until(lambda: texts(log) == ["new tea"] and texts(log, "b") == [], "the old ones are gone")
        assert [event.id for event in log.search("a", Terms("tea"), None, 5).events] == [new[0].id]
        assert log.has_gap("a", old[0].id - 1)
        assert not log.has_gap("a", old[0].id)
        assert log.has_gap("b", other[0].id - 1)
    with opened(tmp_path / "chat.db") as (log, _):
        assert texts(log) == ["new tea"]
        assert log.has_gap("a", old[0].id - 1)
        assert not log.has_gap("a", old[0].id)


def test_what_is_too_much_is_deleted(tmp_path: Path) -> None:
    """The oldest of all rooms go, until what is left is not too much."""
    with opened(tmp_path / "chat.db", keep_bytes=20_000) as (log, _):
        for number in range(100):
            say(log, f"{number} " + "x" * 1000)
            settle(log)
        wait_until(lambda: not left_to_index(log), "everything is in the index")

        wait_until(lambda: 10_000 < count(log, "SELECT bytes FROM state") <= 20_000, "the oldest are gone")
        left = texts(log)
        assert int(left[-1].split()[0]) == 99
        assert 10 <= len(left) <= 20
        wait_until(
            lambda: count(log, "SELECT sum(length(events)) FROM blocks") == count(log, "SELECT bytes FROM state"),
            "counted",
        )


def test_what_is_deleted_is_not_in_the_index(tmp_path: Path) -> None:
    """The index is as large as if it had never been there."""
    with opened(tmp_path / "chat.db", keep_bytes=1) as (log, _):
        for number in range(50):
            say(log, f"word{number} tea")
            settle(log)

        wait_until(lambda: count(log, "SELECT count(*) FROM blocks") == 0, "all of it is gone")
        found = log._database.read("SELECT rowid FROM words WHERE words MATCH 'tea'")
        assert found == []


def test_a_forgotten_room_is_deleted_from_the_file(tmp_path: Path) -> None:
    """Without haste, and also if the server ends before."""
    with opened(tmp_path / "chat.db") as (log, _):
        say(log, *["secret"] * 50)
        say(log, "other", rooms=(B,))
        settle(log)
        log.forget("a")

    with opened(tmp_path / "chat.db") as (log, _):
        wait_until(lambda: count(log, "SELECT count(*) FROM forgotten") == 0, "nothing is left to do")
        assert count(log, "SELECT count(*) FROM blocks") == 1
        assert log._database.read("SELECT rowid FROM words WHERE words MATCH 'secret'") == []
        assert texts(log, "b") == ["other"]
