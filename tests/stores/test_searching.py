"""Searching the record: by the index, and by reading what is not in it yet."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from chat_clients import DEADLINE, Clients, full_chain, wait_until
from hypothesis import given
from hypothesis import strategies as st
from logs import B, opened, say, settle

from pychat import ChatServer, Message, Refused
from pychat.core.log.log import Log, MemoryLog
from pychat.model.queries import ReadHistory
from pychat.model.search import Terms
from pychat.stores import SqliteLog
from pychat.stores.sqlite import maintenance as tending
from pychat.stores.sqlite import search_index as index
from pychat.stores.sqlite.schema import MIGRATIONS

MakeServer = Callable[..., ChatServer]

TEXTS = [
    "Tea at four?",
    "no, at FIVE: tea",
    "café, naïve, Ångström, smörgåsbord",
    "Привет, как дела",
    "日本語 テキスト",
    "well-known: tea-time",
    '"quoted" AND (NOT) text:room*',
    "x" * 4000,
    "forty-five 45",
    "今日はいい天気です",
    "한국어로 pychat을 씁니다",
    "วันนี้ฝนตกหนักครับ",
    "ꦱꦼꦒꦥꦸꦤꦶꦏ",
]


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what can wait be done at once."""
    monkeypatch.setattr(tending, "_IDLE_SECONDS", 0.01)


@pytest.fixture(params=["memory", "not indexed", "indexed", "opened again"])
def log(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """A log with those texts in room "a", and others in "b"."""
    if request.param == "memory":
        memory = MemoryLog()
        memory.open(lambda entry: None)
        fill(memory)
        yield memory
        return
    monkeypatch.setattr(tending, "_IDLE_SECONDS", 100.0 if request.param == "not indexed" else 0.01)
    with opened(tmp_path / "chat.db", events=2) as (stored, _):
        fill(stored)
        settle(stored)
        if request.param != "not indexed":
            wait_until(lambda: is_indexed(stored), "everything is in the index")
        if request.param != "opened again":
            yield stored
            return
    with opened(tmp_path / "chat.db", events=2) as (stored, _):
        yield stored


def fill(log: Log) -> None:
    """Say the texts."""
    for text in TEXTS:
        say(log, text)
        say(log, f"in another room: {text}", rooms=(B,))


def is_indexed(log: SqliteLog) -> bool:
    """Whether everything is in the index."""
    (left,) = log._database.read("SELECT count(*) FROM blocks WHERE block > (SELECT digested FROM state)")
    return left == (0,)


def search(log: Log, query: str, before: int | None = None, limit: int = 10) -> list[str]:
    """Return the texts that are found in room "a"."""
    page = log.search("a", Terms(query), before, limit)
    return [event.text for event in page.events if isinstance(event, Message)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tea", [0, 1, 5]),
        ("TEA at", [0, 1]),
        ('"tea at"', [0]),
        ('"at FIVE"', [1]),
        ("tea-time", [5]),
        ("fo*", [0, 8]),
        ('"forty f"*', [8]),
        ("cafe", [2]),
        ("CAFÉ angstrom", [2]),
        ("приве*", [3]),
        ("テキスト", [4]),
        ("text AND room", [6]),
        ("not text", [6]),
        ('"(NOT)"', [6]),
        ("nothing", []),
        ("te", []),
        ("45", [8]),
        ("天気", [9]),
        ("今日*", [9]),
        ("天気です 今日", [9]),
        ("日 本 語", [4]),
        ("気天", []),
        ("日", [4, 9]),
        ("한국어", [10]),
        ("pychat", [10]),
        ("ฝนตก", [11]),
        ("วัน", [11]),
        ("วน", []),
        ("ꦥꦸꦤꦶ", [12]),
    ],
)
def test_what_is_found(log: Log, query: str, found: list[int]) -> None:
    """Words, phrases and beginnings, whatever their case; what looks like an operator is a word."""
    assert search(log, query) == [TEXTS[number] for number in found]


def test_what_is_found_comes_in_pages(log: Log) -> None:
    """The newest ones first, each page in order."""
    page = log.search("a", Terms("tea"), None, 2)
    assert [event.text for event in page.events if isinstance(event, Message)] == [TEXTS[1], TEXTS[5]]
    assert page.more

    page = log.search("a", Terms("tea"), page.events[0].id, 2)
    assert [event.text for event in page.events if isinstance(event, Message)] == [TEXTS[0]]
    assert not page.more


@pytest.mark.usefixtures("_at_once")
def test_an_index_of_other_words_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an earlier version made it: meanwhile everything is found, and nothing of the old one is left."""
    with monkeypatch.context() as earlier, opened(tmp_path / "chat.db", events=2) as (log, _):
        earlier.setattr(index, "spread", lambda text: text)
        fill(log)
        settle(log)
        wait_until(lambda: is_indexed(log), "everything is in the index")
    with closing(sqlite3.connect(tmp_path / "chat.db")) as connection:
        connection.executescript(next(script for script in MIGRATIONS if "searching.spread" in script))

    with opened(tmp_path / "chat.db", events=2) as (log, _):
        assert search(log, "本語") == ["日本語 テキスト"]
        wait_until(lambda: is_indexed(log), "everything is in the index")
        assert search(log, "本語") == ["日本語 テキスト"]
        assert log._database.read("SELECT rowid FROM words WHERE words MATCH ?", '"日本語"') == []


def test_letters_of_scripts_without_blanks_count_less(log: Log) -> None:
    """A sentence has many of them: four are a word."""
    assert search(log, "今日はいい天気です" * 2) == []
    assert len(Terms("天" * 80).terms[0].words) == 80
    with pytest.raises(Refused, match=r"^words to search for: at most 20 words$"):
        Terms("天" * 81)


def test_korean_is_found_however_it_is_typed(log: Log) -> None:
    """Some systems write each syllable as its parts."""
    assert search(log, unicodedata.normalize("NFD", "한국어")) == ["한국어로 pychat을 씁니다"]


@pytest.mark.usefixtures("_at_once")
def test_any_query_is_a_search_or_is_refused(tmp_path: Path) -> None:
    """Nothing that is typed is syntax of the database."""
    with opened(tmp_path / "chat.db", events=2) as (log, _):
        fill(log)
        settle(log)
        wait_until(lambda: is_indexed(log), "everything is in the index")

        @given(st.text(st.sampled_from("ab \"*():^-+NEAR{}\\'é,.\0") | st.characters(), max_size=30))
        def try_one(query: str) -> None:
            with suppress(Refused):
                log.search("a", Terms(query), None, 5)

        try_one()


@pytest.mark.parametrize("query", ["", "  ", "?!", '""', "*", "\0"])
def test_nothing_to_search_for_is_refused(query: str) -> None:
    """There is no word in it."""
    with pytest.raises(Refused, match=r"^nothing to search for: give a word$"):
        Terms(query)


def test_too_many_words_are_refused() -> None:
    """A search is a question, no attack."""
    assert len(Terms("a b c d e f g h i j k l m n o p q r s t").terms) == 20
    for query in ("a " * 21, f'"{"a " * 21}"', '"a b" ' * 11):
        with pytest.raises(Refused, match=r"^words to search for: at most 20 words$"):
            Terms(query)


@pytest.mark.usefixtures("_at_once")
def test_members_search(server: MakeServer, clients: Clients, tmp_path: Path) -> None:
    """In JSON and in text; only what one may see, only in one's own rooms."""
    running = server(log=SqliteLog(tmp_path / "chat.db"), handlers=full_chain())
    ann, bob = clients.json(running, "ann"), clients.text(running, "bob")
    for text in ("green tea", "black coffee", "black tea"):
        ann.answer("say", text=text)

    found = ann.answer("history", search="tea")
    assert [event["text"] for event in found["events"]] == ["green tea", "black tea"]
    assert not found["more"]
    assert [event["text"] for event in ann.answer("history", search="black", limit=1)["events"]] == ["black tea"]
    bob.read_until("ann: black tea")
    bob.send("/search coffee\n")
    assert "ann: black coffee" in bob.read_until("black coffee")[-1]
    assert ann.answer("history", search="tea", after="0000000000000001")["text"] == (
        "a search can have before, but not after or around"
    )
    assert ann.answer("history", search="tea", room="ops")["code"] == "not_a_member"


def test_a_message_for_some_is_found_by_them_only(server: MakeServer, tmp_path: Path) -> None:
    """Also by the index."""
    running = server(log=SqliteLog(tmp_path / "chat.db"))
    ann, bob = running.session("ann"), running.session("bob")
    running.room("lobby").publish(Message(0, 0.0, "lobby", "ann", "the secret"), to=[bob])
    bob.next(Message, DEADLINE)

    assert [len(session.ask(ReadHistory(search="secret")).events) for session in (ann, bob)] == [0, 1]  # type: ignore[union-attr]
