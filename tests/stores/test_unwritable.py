"""What can never be written stops nothing else, and is told; what is not stored is not confirmed."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from chat_clients import DEADLINE, Clients, full_chain, wait_until
from logs import CHAT, Disk, Watched, opened, say, settle

from pychat import ChatServer, Message, TopicChanged
from pychat.core.delivery import Batch, Private
from pychat.core.local_session import LocalSession
from pychat.core.rooms.room import Room
from pychat.model.replies import Failure, Inviting, Ok
from pychat.model.server_ban import ServerBan
from pychat.stores import SqliteLog
from pychat.stores.sqlite import maintenance as tending
from pychat.stores.sqlite import search_index as index
from pychat.stores.sqlite import writer
from pychat.stores.sqlite.database import Database, Unwritable
from pychat.stores.sqlite.state_codec import read_room

MakeServer = Callable[..., ChatServer]

BAD = Room(CHAT, "\ud800")
"""No text of SQLite has a lone surrogate, so nothing of this room can be written."""
BAN = ServerBan("a:\ud800", "", "root", 0.0)

# Each of them lets the log tell of an error.
pytestmark = pytest.mark.usefixtures("caplog")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_RETRY_SECONDS", 0.02)


def texts(log: SqliteLog, room: str = "a") -> list[str]:
    """What was said there."""
    return [event.text for event in log.read_before(room, None, 100).events if isinstance(event, Message)]


@pytest.mark.parametrize("value", ["\ud800", 2**70, object()])
def test_a_transaction_ends_whatever_happens_in_it(tmp_path: Path, value: object) -> None:
    """The next one can begin, and nothing of the first is stored."""
    database = Database(tmp_path / "x.db")
    insert = "INSERT INTO forgotten (number) VALUES (?)"

    with pytest.raises(Unwritable):
        database.write([(insert, (1,)), (insert, (value,))])
    database.write([(insert, (2,)), (insert, (3,))])

    assert database.read("SELECT number FROM forgotten") == [(2,), (3,)]
    database.close()


def test_what_cannot_be_written_stops_nothing_else(tmp_path: Path) -> None:
    """Neither in its own group nor later; it is logged, and a restart finds all the rest."""
    with opened(tmp_path / "chat.db") as (log, accepted):
        gate = Disk(log).hold()
        say(log, "one")
        log.wake()
        say(log, "two")
        log.save_ban("a:\ud800", BAN)
        bad = say(log, "never", rooms=(BAD,))
        say(log, "three")
        gate.set()
        settle(log)

        assert log.storage_error is None
        assert texts(log) == ["one", "two", "three"]
        assert [entry.events[0].id for entry in accepted if type(entry) is Batch].count(bad[0].id) == 0
        say(log, "four")

    with opened(tmp_path / "chat.db") as (log, _):
        assert texts(log) == ["one", "two", "three", "four"]
        assert log.load_bans() == []


def test_it_is_logged_with_its_cause(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Once, at once."""
    with opened(tmp_path / "chat.db") as (log, _):
        log.save_ban("a:\ud800", BAN)
        settle(log)

    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.getMessage() == f"{tmp_path / 'chat.db'}: what cannot be written is left out"
    assert "surrogates not allowed" in caplog.text


def test_whoever_waits_for_it_gets_a_failure(tmp_path: Path) -> None:
    """In the place of the confirmation, once; the next one is true again, and that of others always was."""
    boss, other = LocalSession(CHAT), LocalSession(CHAT)
    with opened(tmp_path / "chat.db") as (log, accepted):
        log.save_ban("a:\ud800", BAN, boss)
        log.append(Private(other, (Ok(1),), confirms=True))
        log.append(Private(boss, (Ok(2),), confirms=True))
        log.append(Private(boss, (Inviting(3, "a", "bob"),), confirms=True))
        settle(log)

        answers = [entry.items[0] for entry in accepted if type(entry) is Private]
        assert answers == [Ok(1), Failure(2, "internal", "internal error"), Inviting(3, "a", "bob")]


def test_who_says_it_gets_a_failure(tmp_path: Path) -> None:
    """And nobody hears it."""
    ann = LocalSession(CHAT)
    with opened(tmp_path / "chat.db") as (log, accepted):
        (event,) = say(log, "hello")
        log.append(Batch((BAD,), [event._replace(id=log.claim(1))], ann, said=True, refs={0: 7}))
        settle(log)

        (answer,) = [item for entry in accepted if type(entry) is Private for item in entry.items]
        assert answer == Failure(7, "not_stored", "your message cannot be stored: internal error", "\ud800")
        assert [type(entry) for entry in accepted] == [Batch, Private]
        assert log.recent(("\ud800",), 0) is None or log.recent(("\ud800",), log.last_id() - 1) == []


def test_a_disk_that_fails_meanwhile_is_the_trouble_for_the_rest(tmp_path: Path) -> None:
    """What comes before it in the group is stored, what comes after it is refused, and later stored if it lasts."""
    with opened(tmp_path / "chat.db") as (log, _):
        disk, good = Disk(log), ServerBan("a:eve", "", "root", 0.0)
        gate = disk.hold(fails_at=5)  # the first group; the second as a whole; "two"; the bad one; "three"
        say(log, "one")
        log.wake()
        assert disk.reached.wait(DEADLINE)  # so that the rest is another group
        say(log, "two")
        log.save_ban("a:\ud800", BAN)
        say(log, "three")
        log.save_ban("a:eve", good)
        gate.set()
        settle(log)
        disk.become_writable()
        wait_until(lambda: log.storage_error is None, "the log is well again")

        assert texts(log) == ["one", "two"]
    with opened(tmp_path / "chat.db") as (log, _):
        assert log.load_bans() == [good]


def test_what_is_not_stored_is_not_confirmed(server: MakeServer, clients: Clients, tmp_path: Path) -> None:
    """The first group that meets a full disk confirms nothing; when there is room, it is stored and confirmed."""
    log = SqliteLog(tmp_path / "chat.db")
    disk, running = Disk(log), server(log=log, handlers=full_chain())
    ann = clients.json(running, "ann")
    gate, appended = disk.hold(), Watched(log)
    ann.ask("topic", topic="tea", ref=1)
    appended.wait_for(TopicChanged, Ok)
    disk.become_read_only()
    gate.set()

    wait_until(lambda: log.storage_error is not None, "it has met the disk")
    ann.ask("ping", ref=2)
    before = ann.until("pong")
    assert [item["type"] for item in before if item.get("ref") == 1] == []
    disk.become_writable()
    answer = ann.until("ok")[-1]
    assert answer["ref"] == 1
    ((kept,),) = log._database.read("SELECT kept FROM rooms WHERE key = 'lobby'")
    assert read_room(kept).topic == "tea"


@pytest.fixture
def _tends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tending, "_IDLE_SECONDS", 0.01)
    monkeypatch.setattr(tending, "_REST_SECONDS", 0.01)


@pytest.mark.usefixtures("_tends_at_once")
def test_a_damaged_block_keeps_no_other_from_the_index(tmp_path: Path) -> None:
    """Nor from being deleted in its time."""
    path = tmp_path / "chat.db"
    with opened(path) as (log, _):
        Disk(log).settle()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO rooms (number, key, lost) VALUES (1, 'a', 0)")
        connection.execute("INSERT INTO blocks (room, first, last, last_time, events) VALUES (1, 1, 2, 0.0, x'00')")
        connection.commit()

    with opened(path, keep_bytes=1) as (log, _):
        say(log, "tea")
        settle(log)
        wait_until(lambda: log._database.read("SELECT count(*) FROM blocks") == [(0,)], "all of them are deleted")


@pytest.mark.usefixtures("_tends_at_once")
def test_what_fails_in_the_background_keeps_nothing_else_from_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An index that cannot be made leaves the rest of the record as it should be."""

    def fail(*arguments: object) -> None:
        raise UnicodeError("no such text")

    monkeypatch.setattr(index, "add", fail)
    with opened(tmp_path / "chat.db", keep_bytes=1) as (log, _):
        say(log, "tea")
        settle(log)
        wait_until(lambda: log._database.read("SELECT count(*) FROM blocks") == [(0,)], "it is deleted")
    assert "messages cannot be indexed" in caplog.text
