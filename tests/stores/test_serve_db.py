"""`pychat serve --db`: what is said lasts, and a file that cannot be used is one line at the start."""

from __future__ import annotations

import hashlib
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from chat_clients import Clients, wait_until
from chat_programs import Programs, plan, pychat

from pychat.cli.server import build as building
from pychat.cli.units import parse_keep
from pychat.model.limits import Limits
from pychat.stores import SqliteLog
from pychat.stores.sqlite.schema import MIGRATIONS

__all__ = ["pychat"]  # the fixture


def read(path: Path, sql: str) -> int:
    """A number in a file, beside a server."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        ((value,),) = connection.execute(sql).fetchall()
        return int(value)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_said_is_there_again(pychat: Programs, clients: Clients, number: signal.Signals) -> None:
    """However the server has ended, with the same id."""
    server, port = pychat.serve("--db", "chat.db")
    ann = clients.json(("127.0.0.1", port), "ann")
    id = ann.answer("say", text="tea at four")["id"]

    server.signal(number)
    server.wait()
    _, port = pychat.serve("--db", "chat.db", "--db-sync", "normal")

    bob = clients.json(("127.0.0.1", port), "bob")
    (found,) = bob.answer("history", search="tea")["events"]
    assert (found["id"], found["text"]) == (id, "tea at four")


def test_the_rooms_of_the_command_line_and_of_the_file_are_there(pychat: Programs, clients: Clients) -> None:
    """A room that was made by somebody has its topic; one that is named anew is made."""
    server, port = pychat.serve("--db", "chat.db")
    ann = clients.json(("127.0.0.1", port), "ann", rooms=["ops"])
    ann.answer("topic", topic="tea")
    server.signal(signal.SIGKILL)
    server.wait()

    _, port = pychat.serve("--db", "chat.db", "--room", "lobby", "--room", "hall")

    bob = clients.json(("127.0.0.1", port), "bob")
    assert [room["room"] for room in bob.answer("rooms")["rooms"]] == ["hall", "lobby"]  # nobody is in "ops" yet
    assert bob.answer("join", room="ops")["topic"] == "tea"


def test_too_much_is_deleted(pychat: Programs, clients: Clients) -> None:
    """By `--keep`, which a file of options can have twice."""
    (pychat.directory / "my.toml").write_text(
        '[serve]\nport = 0\ndb = "chat.db"\nkeep = ["1w", "1MB"]\nno-flood-control = true\n'
    )
    port = pychat("serve", "--config", "my.toml").read_port()
    ann = clients.json(("127.0.0.1", port), "ann")

    for _ in range(300):
        ann.answer("say", text="x" * 4000)

    path = pychat.directory / "chat.db"
    wait_until(lambda: read(path, "SELECT max(lost) FROM rooms") > read(path, "SELECT lost FROM state"), "a gap")
    wait_until(lambda: read(path, "SELECT bytes FROM state") <= 1_000_000, "enough is deleted")


def test_options_reach_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them."""
    given: dict[str, object] = {}
    monkeypatch.setattr(building, "SqliteLog", lambda path, **options: given.update(options, path=path))
    what = plan(
        db=tmp_path / "chat.db",
        db_sync="normal",
        keep=parse_keep(["30d", "1GB"]),
        limits=Limits(history_events=7, history_chars=99),
    )

    building.open_log(what)

    assert given == {
        "path": tmp_path / "chat.db",
        "sync": "normal",
        "keep_seconds": 30 * 86_400,
        "keep_bytes": 10**9,
        "events": 7,
        "chars": 99,
    }


# What cannot be


def text_file(path: Path) -> str:
    """No database."""
    path.write_text("Dear diary,\n" * 500)
    return "it is not a database; name another file"


def other_database(path: Path) -> str:
    """None of ours."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE cookies (name, value)")
    return "it is a database of another program; name another file"


def newer_version(path: Path) -> str:
    """As a later pychat would leave it."""
    SqliteLog(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    return f"its version is 99, but this pychat supports only versions up to {len(MIGRATIONS)}; use a newer pychat"


def damaged(path: Path) -> str:
    """With a page of nonsense."""
    SqliteLog(path).close()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\x55" * 8000)
    return "the file is damaged"


@pytest.mark.parametrize("make", [text_file, other_database, newer_version, damaged])
def test_a_file_that_cannot_be_used_is_one_line(pychat: Programs, make: Callable[[Path], str]) -> None:
    """With what to do; it is left as it is, and no server starts."""
    path = pychat.directory / "some.db"
    problem = make(path)
    before = hashlib.sha256(path.read_bytes()).digest()

    done = pychat.run("serve", "--port", "0", "--db", "some.db")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: cannot open 'some.db': {problem}\n"
    assert hashlib.sha256(path.read_bytes()).digest() == before


def test_a_file_has_one_server(pychat: Programs) -> None:
    """The second one says so, and the first one goes on."""
    pychat.serve("--db", "chat.db")

    done = pychat.run("serve", "--port", "0", "--db", "chat.db")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: cannot open 'chat.db': a server uses it; stop that one, or name another file\n"


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["--db", "no/chat.db"], 1, "cannot open 'no/chat.db': directory 'no' does not exist; create it first"),
        (["--db", "."], 2, "Invalid value for '--db': File '.' is a directory."),
        (["--keep", "30d"], 2, "--keep needs a database file; name it with --db"),
        (["--db", "chat.db", "--keep", "1d", "--keep", "2d"], 2, "'2d' is one too many; give one time, or one size, "),
        (["--db", "chat.db", "--keep", "lots"], 2, "Invalid value for '--keep': 'lots' is neither a time nor a size; "),
        (["--db", "chat.db", "--db-sync", "off"], 2, "Invalid value for '--db-sync': 'off' is not one of "),
    ],
)
def test_options_that_cannot_be(pychat: Programs, arguments: list[str], code: int, problem: str) -> None:
    """Nothing is made for them."""
    done = pychat.run("serve", "--port", "0", *arguments)

    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.splitlines()[-1].startswith(f"Error: {problem}")
    assert list(pychat.directory.glob("*.db")) == []
