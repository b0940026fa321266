"""A file that cannot be used is refused in one line, and left as it is."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from logs import opened, say, settle

from pychat.model.errors import CannotOpen, ChatError
from pychat.stores import SqliteLog
from pychat.stores.sqlite.database import ReadOnlyDatabase
from pychat.stores.sqlite.schema import APPLICATION_ID, MIGRATIONS


def no_database(path: Path) -> str:
    """Make a text file."""
    path.write_text("Dear diary,\n" * 500)
    return "it is not a database; name another file"


def another_program(path: Path) -> str:
    """Make a database that is none of ours."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE cookies (name, value)")
    connection.close()
    return "it is a database of another program; name another file"


def newer_version(path: Path) -> str:
    """Make a file as a later pychat would."""
    SqliteLog(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    return f"its version is 99, but this pychat supports only versions up to {len(MIGRATIONS)}; use a newer pychat"


def damaged(path: Path) -> str:
    """Overwrite what is behind the header."""
    SqliteLog(path).close()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\x55" * 8000)
    return "the file is damaged"


@pytest.mark.parametrize("make", [no_database, another_program, newer_version, damaged])
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, make: Callable[[Path], str]) -> None:
    """Trying changes nothing of it."""
    path = tmp_path / "chat.db"
    problem = make(path)
    before = hashlib.sha256(path.read_bytes()).digest()

    with pytest.raises(CannotOpen) as caught:
        SqliteLog(path)
    assert str(caught.value) == f"cannot open {str(path)!r}: {problem}"
    assert isinstance(caught.value, ChatError)
    assert hashlib.sha256(path.read_bytes()).digest() == before


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """It is not made: it may be a slip of the pen."""
    path = tmp_path / "rooms" / "chat.db"

    with pytest.raises(CannotOpen) as caught:
        SqliteLog(path)
    assert caught.value.problem == f"directory {str(path.parent)!r} does not exist; create it first"


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    """The file in it has a name."""
    with pytest.raises(CannotOpen) as caught:
        SqliteLog(tmp_path)
    assert caught.value.problem == "it is a directory; name a file in it"


def test_an_old_sqlite_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it has made a file that it cannot use."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 2))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.37.2")

    with pytest.raises(CannotOpen) as caught:
        SqliteLog(tmp_path / "chat.db")
    assert caught.value.problem == "this Python has SQLite 3.37.2; 3.38.0 or newer is needed"
    assert list(tmp_path.iterdir()) == []


def test_a_file_has_one_server(tmp_path: Path) -> None:
    """Also within one process; when the first one has ended, the next may have it."""
    with opened(tmp_path / "chat.db") as (log, _):
        say(log, "hello")
        with pytest.raises(CannotOpen) as caught:
            SqliteLog(tmp_path / "chat.db")
        assert caught.value.problem == "a server uses it; stop that one, or name another file"

    with opened(tmp_path / "chat.db") as (log, _):
        assert len(log.read_before("a", None, 5).events) == 1


def test_others_may_read_meanwhile(tmp_path: Path) -> None:
    """As a program does that only looks."""
    with opened(tmp_path / "chat.db") as (log, _):
        say(log, "hello")
        settle(log)
        other = sqlite3.connect(f"file:{tmp_path / 'chat.db'}?mode=ro", uri=True)
        assert other.execute("SELECT count(*) FROM blocks").fetchall() == [(1,)]
        other.close()


def test_what_is_said_is_for_no_other_user_of_the_machine(tmp_path: Path) -> None:
    """The file and those that SQLite puts beside it."""
    with opened(tmp_path / "chat.db") as (log, _):
        say(log, "hello")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

    assert set(modes.values()) == {0o600}
    assert modes.keys() >= {"chat.db", "chat.db-lock", "chat.db-wal"}


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    """For `file` and for later versions."""
    SqliteLog(tmp_path / "chat.db").close()

    connection = sqlite3.connect(tmp_path / "chat.db")
    assert connection.execute("PRAGMA application_id").fetchall() == [(APPLICATION_ID,)]
    assert connection.execute("PRAGMA user_version").fetchall() == [(len(MIGRATIONS),)]
    assert connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def test_a_file_that_was_only_begun_is_made_anew(tmp_path: Path) -> None:
    """As if the power had gone when it was made."""
    (tmp_path / "chat.db").touch()

    with opened(tmp_path / "chat.db") as (log, _):
        assert say(log, "hello")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """A pipe would be waited for, for ever; a device never ends. Not even its companion is made."""
    path = tmp_path / "chat.db"
    make(path)

    for opens in (SqliteLog, ReadOnlyDatabase):
        with pytest.raises(CannotOpen, match="it is a device or a pipe; name a file"):
            opens(path)
    assert [found.name for found in tmp_path.iterdir()] == ["chat.db"]
