"""A record is one server's by whatever name, and it is noticed when its file is not there any more."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chat_clients import DEADLINE, full_chain, wait_until
from logs import opened, say, settle

from pychat import ChatServer, Message, Refused
from pychat.model.errors import CannotOpen
from pychat.stores import SqliteLog
from pychat.stores.sqlite import file_lock as claiming
from pychat.stores.sqlite import writer
from pychat.stores.sqlite.archive import Archive
from pychat.stores.sqlite.check import back_up, inspect, vacuum
from pychat.stores.sqlite.database import ReadOnlyDatabase

MakeServer = Callable[..., ChatServer]

USED = "a server uses it; stop that one, or name another file"
LINKED = "it has a second name (a hard link), which has no -wal next to it; remove that name, or copy the file"
COUNT = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM blocks').fetchone())"


@pytest.fixture(autouse=True)
def _watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be looked, and tried again, at once."""
    monkeypatch.setattr(writer, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(writer, "_RETRY_SECONDS", 0.02)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a record will be."""
    (tmp_path / "of").mkdir()
    return tmp_path / "of" / "chat.db"


@pytest.fixture
def log(path: Path) -> Iterator[SqliteLog]:
    """A log that is open, with one message."""
    with opened(path) as (log, _):
        say(log, "before")
        settle(log)
        yield log


def problem(opens: Callable[[Path], object], path: Path) -> str:
    """Open a file, which is refused; return why."""
    with pytest.raises(CannotOpen) as caught:
        opens(path)
    return caught.value.problem


def look_with_another_program(path: Path) -> int:
    """Open the file in another process that could write, and close it; return how many blocks it has."""
    done = subprocess.run([sys.executable, "-c", COUNT, str(path)], capture_output=True, text=True, check=True)
    return int(done.stdout)


def by_a_symbolic_link(path: Path) -> Path:
    """Another name."""
    (path.parent / "link.db").symlink_to(path)
    return path.parent / "link.db"


def without_companion(path: Path) -> Path:
    """The same name, but what was locked is gone."""
    Path(f"{path}-lock").unlink()
    return path


def renamed(path: Path) -> Path:
    """Another name, and the old one is gone."""
    return path.rename(path.with_name("renamed.db"))


@pytest.mark.usefixtures("log", "caplog")
@pytest.mark.parametrize("other", [by_a_symbolic_link, without_companion, renamed])
def test_a_file_has_one_server_by_any_name(path: Path, other: Callable[[Path], Path]) -> None:
    """In this process or another; nothing is vacuumed under it either."""
    name = other(path)

    assert problem(SqliteLog, name) == USED
    assert problem(vacuum, name) == USED
    code = f"import pychat.stores as s\ntry: s.SqliteLog({str(name)!r})\nexcept Exception as e: print(e.problem)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == USED


def test_a_file_with_two_names_has_no_server(path: Path) -> None:
    """What belongs to the file is beside one of them."""
    SqliteLog(path).close()
    other = path.with_name("other.db")
    other.hardlink_to(path)

    assert problem(SqliteLog, path) == problem(SqliteLog, other) == LINKED
    other.unlink()
    SqliteLog(path).close()


def test_who_reads_reads_all_of_it(path: Path) -> None:
    """What a server has written last is beside the name that it knows; when it has ended, every name will do."""
    other = path.with_name("other.db")
    with opened(path) as (log, _):
        say(log, "before")
        settle(log)
        other.hardlink_to(path)

        assert problem(Archive, other) == "a server uses it by another name (a hard link); read it by that one"
        look_into(path)
    look_into(path)
    look_into(other)


def again(path: Path) -> None:
    """Open it once more, in vain."""
    assert problem(SqliteLog, path) == USED


def look_into(path: Path) -> None:
    """Open it for reading, and close it."""
    with Archive(path) as archive:
        assert list(archive.rooms) == ["a"]


def look_twice(path: Path) -> None:
    """The first one who reads is still there when the second one has ended."""
    database = ReadOnlyDatabase(path)
    look_into(path)
    database.close()


@pytest.mark.parametrize(
    "look",
    [
        again,
        look_into,
        look_twice,
        inspect,
        lambda path: back_up(path, path.with_name("backup.db")),
        lambda path: problem(vacuum, path),
    ],
    ids=["again", "archive", "archive twice", "check", "backup", "vacuum"],
)
def test_a_second_look_from_the_same_process_does_no_harm(
    path: Path, log: SqliteLog, look: Callable[[Path], object]
) -> None:
    """Another program that opens and closes the file still finds it locked, and leaves its log where it is."""
    wal = Path(f"{path}-wal")
    before = wal.stat().st_ino

    look(path)
    look_with_another_program(path)

    assert wal.stat().st_ino == before
    say(log, "after")
    settle(log)
    assert look_with_another_program(path) == 2


def remove_all(path: Path) -> None:
    """As by a hand that tidies up."""
    for file in path.parent.iterdir():
        file.unlink()


def restore_by_hand(path: Path) -> None:
    """Another file in its place, without a stop."""
    back_up(path, path.with_name("backup.db"))
    (path.parent / "old").mkdir()
    for file in path.parent.glob("chat.db*"):
        file.rename(path.parent / "old" / file.name)
    path.with_name("backup.db").rename(path)


@pytest.mark.usefixtures("caplog")
@pytest.mark.parametrize(
    "remove",
    [
        remove_all,
        Path.unlink,
        renamed,
        restore_by_hand,
        lambda path: Path(f"{path}-wal").unlink(),
        lambda path: Path(f"{path}-shm").unlink(),
    ],
    ids=["all", "file", "renamed", "restored", "wal", "shm"],
)
def test_nothing_is_acknowledged_that_goes_into_a_removed_file(
    server: MakeServer, path: Path, remove: Callable[[Path], object]
) -> None:
    """Who says something is told; reading goes on."""
    running = server(log=SqliteLog(path), handlers=full_chain())
    ann = running.session("ann")
    ann.say("before")
    remove(path)

    with pytest.raises(Refused, match=r"^your message cannot be stored: the file was removed$"):
        ann.say("lost")
    assert [event.text for event in ann.history() if isinstance(event, Message)] == ["before"]


def test_it_goes_on_when_the_file_is_back(path: Path, log: SqliteLog, caplog: pytest.LogCaptureFixture) -> None:
    """The very same one, that is: moved away, and back."""
    away = path.rename(path.with_name("away.db"))
    say(log, "lost")
    settle(log)
    assert log.storage_error == "the file was removed"
    assert f"{path}: the file was removed; messages are refused until the same file is put back" in caplog.text

    away.rename(path)
    wait_until(lambda: log.storage_error is None, "the file is back")
    say(log, "after")
    settle(log)
    assert look_with_another_program(path) == 2


@pytest.mark.usefixtures("caplog")
def test_what_was_only_in_a_removed_log_is_saved(path: Path, log: SqliteLog) -> None:
    """It is moved into the file, for a restart of any kind."""
    Path(f"{path}-wal").unlink()
    say(log, "lost")
    settle(log)
    assert log.storage_error == "the file was removed"

    copy = Path(shutil.copy(path, path.with_name("copy.db")))
    assert look_with_another_program(copy) == 1


@pytest.mark.usefixtures("caplog")
def test_the_end_of_a_server_takes_nothing_from_the_next_one(path: Path) -> None:
    """Its file was moved away, and another server has begun with one of the same name."""
    with opened(path) as (old, _):
        say(old, "old")
        settle(old)
        (path.parent / "old").mkdir()
        for file in path.parent.glob("chat.db*"):
            file.rename(path.parent / "old" / file.name)
        with opened(path) as (new, _):
            old.close(DEADLINE)
            say(new, "new")
            settle(new)
            assert look_with_another_program(path) == 1
            assert Path(f"{path}-wal").exists()

    with opened(path.parent / "old" / "chat.db") as (old, _):
        assert len(old.read_before("a", None, 5).events) == 1


def test_a_companion_that_was_removed_is_made_again(path: Path, log: SqliteLog) -> None:
    """It is empty, and nothing is lost with it."""
    Path(f"{path}-lock").unlink()
    say(log, "after")
    settle(log)

    assert log.storage_error is None
    assert Path(f"{path}-lock").exists()


def test_no_descriptor_is_left(path: Path) -> None:
    """When the last one in this process is done with the file, whoever that is."""
    first = SqliteLog(path)
    with Archive(path):
        first.close()
        second = SqliteLog(path)
    second.close()

    assert (claiming._users, claiming._unused) == ({}, {})
