"""`pychat history`: what is in the file, beside a server or without one."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_clients import Clients
from chat_programs import Programs, pychat
from logs import A, B, opened, say, settle

from pychat.cli import history
from pychat.core.delivery import Batch
from pychat.model.events import AccountChanged
from pychat.model.search import Terms
from pychat.stores.sqlite import reader as reading

__all__ = ["pychat"]  # the fixture

T = 1_793_545_445.0
"""2026-11-01T15:04:05Z."""


@pytest.fixture
def db(pychat: Programs) -> Path:
    """A file with the rooms "a" and "b"."""
    path = pychat.directory / "chat.db"
    with opened(path) as (log, _):
        for number, (room, text) in enumerate([(A, "one tea"), (B, "two"), (A, "three"), (B, "four tea")]):
            say(log, text, rooms=(room,), time=T + 3600 * number)
        settle(log)
    return path


@pytest.fixture
def printed(pychat: Programs, db: Path) -> Callable[..., list[str]]:
    """Run the command, and return the lines that it prints."""

    def run(*arguments: str) -> list[str]:
        done = pychat.run("history", "--db", str(db), *arguments, TZ="UTC")
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    return run


def texts(lines: list[str]) -> list[str]:
    """The messages in lines of JSON."""
    return [json.loads(line)["text"] for line in lines]


def test_it_prints_everything(printed: Callable[..., list[str]]) -> None:
    """All rooms in the order of what happened, with local times."""
    assert printed() == [
        "-- 2026-11-01",
        "[15:04] [a] ann: one tea",
        "[16:04] [b] ann: two",
        "[17:04] [a] ann: three",
        "[18:04] [b] ann: four tea",
    ]


def test_only_what_is_printed_counts(pychat: Programs, db: Path) -> None:
    """Who logged in is no line for people; in JSON it is one."""
    with opened(db) as (log, _):
        first = log.claim(2)
        events = [AccountChanged(first + at, T + 20_000, ("a",), "ann", "ann") for at in range(2)]
        log.append(Batch((A,), events))
        settle(log)

    for format, last in (("text", "[18:04] [b] ann: four tea"), ("json", '"account":"ann"}')):
        done = pychat.run("history", "--db", str(db), "-n", "1", "--format", format, TZ="UTC")
        assert done.stdout.rstrip().endswith(last)


def test_one_room(printed: Callable[..., list[str]]) -> None:
    """Then its name is not before each line; it may be written as it is not."""
    assert printed("--room", "A") == ["-- 2026-11-01", "[15:04] ann: one tea", "[17:04] ann: three"]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["-n", "2"], ["three", "four tea"]),
        (["-n", "0"], []),
        (["-n", "9"], ["one tea", "two", "three", "four tea"]),
        (["--search", "tea"], ["one tea", "four tea"]),
        (["--search", '"four te*"', "-n", "5"], []),
        (["--search", "te*", "-n", "1"], ["four tea"]),
        (["--search", "tea", "--since", "2026-11-01T16:00"], ["four tea"]),
        (["--search", "tea", "--before", "2026-11-01T16:00"], ["one tea"]),
        (["--since", "2026-11-01T16:04:05Z"], ["two", "three", "four tea"]),
        (["--since", "2026-11-01T16:04:05.001Z"], ["three", "four tea"]),
        (["--before", "2026-11-01T16:04:05Z"], ["one tea"]),
        (["--since", "2026-11-01T16:00", "--before", "2026-11-01T18:00"], ["two", "three"]),
        (["--since", "2026-11-01T16:00", "--before", "2026-11-01T18:00", "-n", "1"], ["three"]),
        (["--since", "2026-11-02"], []),
        (["--before", "2026-11-01"], []),
        (["--room", "b", "--before", "2026-11-01T18:00"], ["two"]),
    ],
)
def test_what_is_wanted(printed: Callable[..., list[str]], arguments: list[str], wanted: list[str]) -> None:
    """A room, words, a time, a number of the last ones, in any combination."""
    assert texts(printed("--format", "json", *arguments)) == wanted


def test_ids_lead_on(printed: Callable[..., list[str]]) -> None:
    """What was printed last is where it begins the next time; the event with the id itself is left out."""
    ids = [json.loads(line)["id"] for line in printed("--format", "json")]

    assert texts(printed("--format", "json", "--since", ids[1])) == ["three", "four tea"]
    assert texts(printed("--format", "json", "--before", ids[1])) == ["one tea"]
    assert texts(printed("--format", "json", "--since", ids[3])) == []
    assert texts(printed("--format", "json", "--since", "f" * 16)) == []


def test_the_file_is_not_changed(printed: Callable[..., list[str]], db: Path) -> None:
    """Whatever is asked."""
    before = hashlib.sha256(db.read_bytes()).digest()

    printed("--search", "tea")
    printed("-n", "1")

    assert hashlib.sha256(db.read_bytes()).digest() == before


def test_beside_a_server(pychat: Programs, clients: Clients) -> None:
    """What was acknowledged is there at once, with the id that members saw; the file is the one of the server."""
    (pychat.directory / "my.toml").write_text('[serve]\ndb = "my.db"\nport = 0\n')
    server = pychat("serve", "--config", "my.toml")
    ann = clients.json(("127.0.0.1", server.read_port()), "ann")
    id = ann.answer("say", text="tea")["id"]

    found = pychat.run("history", "--config", "my.toml", "--search", "tea", "--format", "json")

    assert json.loads(found.stdout)["id"] == id
    by_variable = pychat.run("history", "--search", "tea", "--format", "json", PYCHAT_SERVE_DB="my.db")
    assert by_variable.stdout == found.stdout


def test_it_reads_page_by_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over the ends of pages, in both directions, each event comes once."""
    monkeypatch.setattr(reading, "_SOME_BLOCKS", 3)
    monkeypatch.setattr(reading, "_SOME_IDS", 3)
    monkeypatch.setattr(history, "_LINES", 2)
    with opened(tmp_path / "chat.db") as (log, _):
        for number in range(20):
            say(log, f"n {number}", rooms=(A,) if number % 3 else (A, B))
            settle(log)

    def run(**wanted: Any) -> list[str]:
        nothing = history.Wanted(room=None, terms=None, since=None, before=None, last=None)
        history.print_history(tmp_path / "chat.db", nothing._replace(**wanted), as_json=True)
        return texts(capsys.readouterr().out.splitlines())

    every = [f"n {number}" for number in range(20)]
    assert run() == every
    assert run(last=11) == every[-11:]
    assert run(terms=Terms("n")) == every
    assert run(terms=Terms("n"), last=7, room="a") == every[-7:]
    assert run(room="b") == every[::3]


def test_hostile_text_is_clean(pychat: Programs) -> None:
    """Nothing that a terminal would obey gets through, in text and in JSON."""
    with opened(pychat.directory / "chat.db") as (log, _):
        say(log, "a\x1b]0;title\x07\x9b2J\u202eb")
        settle(log)

    for format in ("text", "json"):
        out = pychat.run("history", "--db", "chat.db", "--format", format).stdout
        assert re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out) is None


# What goes wrong


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["--room", "c"], 1, "'chat.db' has no room 'c'; it has a, b"),
        (["--search", "?!"], 2, "nothing to search for: give a word"),
        (["--search", "a " * 30], 2, "words to search for: at most 20 words"),
        (
            ["--since", "soon"],
            2,
            "Invalid value for '--since': 'soon' is neither a time nor an event id; write it like ",
        ),
        (
            ["--before", "1a2"],
            2,
            "Invalid value for '--before': '1a2' is neither a time nor an event id; write it like ",
        ),
        (["-n", "-1"], 2, "Invalid value for '--lines': -1 is not in the range 0<=x<=1000000000."),
        (["--db", "no.db"], 2, "Invalid value for '--db': File 'no.db' does not exist."),
        (["--db", "notes.txt"], 1, "cannot open 'notes.txt': it is not a database; name another file"),
        (["--db", "empty.db"], 1, "cannot open 'empty.db': it is still empty"),
    ],
)
def test_what_cannot_be_is_one_line(pychat: Programs, db: Path, arguments: list[str], code: int, problem: str) -> None:
    """With what to do instead."""
    (pychat.directory / "notes.txt").write_text("Dear diary,\n" * 100)
    (pychat.directory / "empty.db").touch()

    done = pychat.run("history", "--db", "chat.db", *arguments)

    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.splitlines()[-1].startswith(f"Error: {problem}")


def test_without_a_file(pychat: Programs) -> None:
    """It says where one could be named."""
    done = pychat.run("history")

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "Error: no file is named; use --db, the variable PYCHAT_SERVE_DB, or db in the table [serve] of a config file"
    )


def test_a_damaged_record_is_one_line(pychat: Programs, db: Path) -> None:
    """Exit code 1: nobody has refused anything."""

    with sqlite3.connect(db) as connection:
        connection.execute("UPDATE blocks SET events = x'78' WHERE room = 2")
    connection.close()

    done = pychat.run("history", "--db", "chat.db")

    assert (done.returncode, done.stderr) == (1, "Error: the history cannot be read: the file is damaged\n")
