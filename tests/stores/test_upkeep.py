"""Looking after a file: what is checked, copied and shrunk, by the library and by `pychat db`."""

from __future__ import annotations

import hashlib
import resource
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from chat_clients import DEADLINE, Clients, wait_until
from chat_programs import Programs, pychat
from logs import A, B, left_to_index, opened, say, settle

from pychat import Message
from pychat.model.errors import CannotOpen
from pychat.stores import SqliteLog
from pychat.stores.sqlite import check as upkeep
from pychat.stores.sqlite import maintenance as tending
from pychat.stores.sqlite.check import UpkeepFailed, back_up, inspect, vacuum
from pychat.stores.sqlite.schema import MIGRATIONS

__all__ = ["pychat"]  # the fixture


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the rooms "a" and "b", all of it in the index."""
    monkeypatch.setattr(tending, "_IDLE_SECONDS", 0.01)
    path = tmp_path / "chat.db"
    with opened(path) as (log, _):
        for number in range(5):
            say(log, f"a {number}", f"b {number}", rooms=(A,))
            say(log, f"c {number}", rooms=(B,))
            say(log, f"d {number}", rooms=(A,))
            settle(log)
        wait_until(lambda: not left_to_index(log), "everything is in the index")
    return path


def change(path: Path, *statements: str) -> None:
    """Damage a file."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def digest(path: Path) -> bytes:
    """What is in a file."""
    return hashlib.sha256(path.read_bytes()).digest()


# check


def test_a_whole_file_has_nothing_wrong(db: Path) -> None:
    """It is counted what is there; nothing is changed."""
    before = digest(db)

    report = inspect(db)

    assert report == upkeep.Report(rooms=2, events=20, messages=20, damage=[], disorder=[], not_found=[])
    assert digest(db) == before


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE blocks SET room = 7 WHERE block = 1", "block 1 belongs to an unknown room"),
        ("UPDATE blocks SET events = x'7b' WHERE block = 1", "block 1 cannot be read"),
        ("UPDATE blocks SET events = 'x' WHERE block = 1", "block 1 cannot be read"),
        ("UPDATE blocks SET events = x'5b5d' WHERE block = 1", "block 1 has other events than recorded"),
        ("UPDATE blocks SET last = last + 1 WHERE block = 1", "block 1 has other events than recorded"),
        ("UPDATE blocks SET last_time = 5 WHERE block = 1", "block 1 has other events than recorded"),
        (
            "UPDATE blocks SET first = (SELECT first FROM blocks WHERE block = 1) WHERE block = 3",
            "block 3 begins before the previous block ends",
        ),
        ("UPDATE state SET bytes = bytes + 1", "the record should have "),
    ],
)
def test_disorder_is_found(db: Path, statement: str, problem: str) -> None:
    """Each block is where it should be, and has what it should have."""
    change(db, statement)

    assert any(text.startswith(problem) for text in inspect(db).disorder)


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (
            ["DELETE FROM words_docsize WHERE id = (SELECT first FROM blocks WHERE block = 1)"],
            "block 1 has messages that cannot be found: 1",
        ),
        (
            ["INSERT INTO words (rowid, room, text) VALUES (5, '1', 'tea')"],
            "messages that are in the index and not in the record: 1",
        ),
    ],
)
def test_an_index_that_does_not_fit_is_found(db: Path, statements: list[str], problem: str) -> None:
    """Messages that cannot be found, and words that are in none."""
    change(db, *statements)

    assert inspect(db).not_found == [problem]


def test_damage_is_found(db: Path) -> None:
    """What SQLite itself finds: here, an index without one of its rows."""
    change(
        db,
        "CREATE TABLE other (room INTEGER, first INTEGER)",
        "CREATE INDEX other_index ON other (room, first)",
        "PRAGMA writable_schema = 1",
        "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'other_index')"
        " WHERE name = 'blocks_of_room'",
    )

    damage = inspect(db).damage

    assert "row 1 missing from index blocks_of_room" in damage


def test_check_tells_line_by_line(pychat: Programs, db: Path) -> None:
    """What is good and what is wrong; the exit code tells it to programs."""
    good = pychat.run("db", "check", str(db))
    change(db, "UPDATE blocks SET events = x'7b' WHERE block = 1", "DELETE FROM words_docsize")
    bad = pychat.run("db", "check", str(db))

    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.splitlines() == [
        "ok       file    the file is not damaged",
        "ok       record  20 events of 2 rooms, all in order",
        "ok       index   20 messages can be searched",
    ]
    assert (bad.returncode, bad.stderr) == (1, "")
    assert bad.stdout.startswith("ok       file    the file is not damaged\nwrong    record  block 1 cannot be read\n")
    assert bad.stdout.count("\nwrong    record") == 2  # and has not its length
    assert bad.stdout.count("\nwrong    index   block ") == 9


# backup


def test_a_backup_while_a_server_writes_is_whole(tmp_path: Path) -> None:
    """It has everything that was acknowledged before it began, and nothing that is torn."""
    done = threading.Event()
    with opened(tmp_path / "chat.db") as (log, accepted):

        def write() -> None:
            while not done.wait(0.001):
                say(log, "hello", "there", rooms=(A, B))
                log.wake()
                log.throttle()

        writer = threading.Thread(target=write)
        writer.start()
        wait_until(lambda: len(accepted) > 100, "much is said")
        for number in range(5):
            before = len(accepted)
            back_up(tmp_path / "chat.db", tmp_path / f"{number}.db")
            report = inspect(tmp_path / f"{number}.db")
            assert report[3:] == ([], [], [])
            assert report.events >= 2 * before * 2  # in both rooms
        done.set()
        writer.join(DEADLINE)

    with opened(tmp_path / "4.db") as (log, _):
        assert say(log, "and on")
        settle(log)
        assert [event.text for event in log.read_before("a", None, 2).events if isinstance(event, Message)] == [
            "there",
            "and on",
        ]


def test_a_backup_is_one_file_for_nobody_else(db: Path, tmp_path: Path) -> None:
    """Also when it was looked at."""
    (tmp_path / "safe").mkdir()
    target = tmp_path / "safe" / "backup.db"

    size = back_up(db, target)
    inspect(target)

    assert [path.name for path in target.parent.iterdir()] == ["backup.db"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert size == target.stat().st_size


def test_a_backup_is_never_written_over(db: Path, tmp_path: Path) -> None:
    """The last good one would be gone first."""
    target = tmp_path / "backup.db"
    target.write_text("precious")

    with pytest.raises(CannotOpen) as caught:
        back_up(db, target)
    assert caught.value.problem == "it already exists; name another file"
    assert target.read_text() == "precious"


def test_a_backup_into_no_directory(db: Path, tmp_path: Path) -> None:
    """It is not made."""
    with pytest.raises(CannotOpen) as caught:
        back_up(db, tmp_path / "no" / "backup.db")
    assert caught.value.problem == f"directory {str(tmp_path / 'no')!r} does not exist; create it first"


def test_a_backup_that_fails_leaves_nothing(db: Path, tmp_path: Path) -> None:
    """A disk that is full: no half file that looks like a backup."""
    (tmp_path / "safe").mkdir()
    with opened(db) as (log, _):  # which has made SQLite's other files, so that only the backup meets the limit
        say(log, "x")
        settle(log)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (33_000, limits[1]))
        try:
            with pytest.raises(UpkeepFailed, match=r"^cannot back up '.*/chat.db': the disk reports an error$"):
                back_up(db, tmp_path / "safe" / "backup.db")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "safe").iterdir()) == []


# vacuum


def test_vacuum_gives_back_what_is_free(db: Path) -> None:
    """And what is left is what it was."""
    with opened(db, keep_bytes=20_000) as (log, _):
        for number in range(100):
            say(log, f"{number} " + "x" * 1000)
            settle(log)
        wait_until(lambda: not left_to_index(log), "everything is in the index")
        wait_until(lambda: log._database.read("SELECT bytes FROM state WHERE bytes < 20000"), "much is deleted")
    kept = inspect(db)

    before, after = vacuum(db)

    assert after < before
    assert inspect(db) == kept


def test_vacuum_is_refused_while_a_server_runs(pychat: Programs, clients: Clients) -> None:
    """The server would have to wait, and those who write with it."""
    _, port = pychat.serve("--db", "chat.db")
    ann = clients.json(("127.0.0.1", port), "ann")

    done = pychat.run("db", "vacuum", "chat.db")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("Error: cannot open 'chat.db': a server uses it; stop that one, or name another file\n")
    assert ann.answer("say", text="still here")["type"] == "ok"


# Files that cannot be used


def no_database(path: Path) -> str:
    """A text file."""
    path.write_text("Dear diary,\n" * 500)
    return "it is not a database; name another file"


def empty(path: Path) -> str:
    """A file that was only begun."""
    path.touch()
    return "it is still empty"


def without_its_log(path: Path) -> str:
    """A copy of the file alone, while all that was written is still in what is beside it."""
    change(path, "PRAGMA journal_mode = WAL")
    return "it is still empty"


def newer_version(path: Path) -> str:
    """A file of a later pychat."""
    SqliteLog(path).close()
    change(path, "PRAGMA user_version = 99")
    return f"its version is 99, but this pychat supports only versions up to {len(MIGRATIONS)}; use a newer pychat"


def another_program(path: Path) -> str:
    """A database that is none of ours."""
    change(path, "CREATE TABLE cookies (name, value)")
    return "it is a database of another program; name another file"


@pytest.mark.parametrize("make", [no_database, empty, without_its_log, newer_version, another_program])
@pytest.mark.parametrize("command", [["check"], ["backup", "target.db"], ["vacuum"]])
def test_a_file_that_cannot_be_used_is_one_line(
    pychat: Programs, make: Callable[[Path], str], command: list[str]
) -> None:
    """And stays as it is."""
    path = pychat.directory / "some.db"
    problem = make(path)
    before = digest(path)

    verb, *target = command
    done = pychat.run("db", verb, "some.db", *target)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: cannot open 'some.db': {problem}\n"
    assert digest(path) == before
    assert not (pychat.directory / "target.db").exists()
