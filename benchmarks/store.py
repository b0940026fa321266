"""Measure a long record: writing, opening, reading and searching."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from pychat.core.chat import Chat
from pychat.core.delivery import Batch, Follow
from pychat.core.rooms.room import Room
from pychat.model.burst import Burst, moments
from pychat.model.search import Terms
from pychat.stores import SqliteLog

_VOCABULARY: Final = 20_000
"""Words; the n-th one occurs 1/n times as often as the first, as in real languages."""
_TEXT_WORDS: Final = 8
_BURST: Final = 512
_FIRST_MS: Final = 1_700_000_000_000
_POLL_SECONDS: Final = 0.05
_ROUNDS: Final = 5
_ROOM: Final = "lobby"


@dataclass(frozen=True)
class Store:
    """The times in seconds. Reading includes opening the file; the median of several runs counts."""

    messages: int
    megabytes: float
    messages_per_second: float
    """Stored, in bursts."""
    index_seconds: float
    """From then on until all messages were in the index."""
    open_seconds: float
    last_page: float
    """To read the last 100 events."""
    middle_page: float
    """To find a time in the middle, and to read 100 events from there."""
    searches: dict[str, float]
    """By query: to find its 50 newest messages."""


def store(messages: int) -> Store:
    """Write a room with `messages` messages, and read it."""
    with TemporaryDirectory(prefix="pychat-store-") as directory:
        path = Path(directory) / "chat.db"
        written, indexed = _write(path, messages)
        middle = (_FIRST_MS + messages // 2) / 1000
        return Store(
            messages,
            sum(file.stat().st_size for file in path.parent.iterdir()) / 1e6,
            messages / written,
            indexed,
            _seconds(path, lambda log: None),
            _seconds(path, lambda log: log.read_before(_ROOM, None, 100)),
            _seconds(path, lambda log: log.read_after([_ROOM], log.id_at(_ROOM, middle), 100)),
            {name: _seconds(path, partial(_search, query)) for name, query in _QUERIES.items()},
        )


def _search(query: str, log: SqliteLog) -> None:
    log.search(_ROOM, Terms(query), None, 50)


def _seconds(path: Path, ask: Callable[[SqliteLog], object]) -> float:
    """Return how long it takes to open the file and to make one query, with nothing in memory before."""
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        log = SqliteLog(path)
        ask(log)
        times.append(time.perf_counter() - began)
        log.close()
    return median(times)


_QUERIES: Final = {
    "common word": "w1",
    "rare word": f"w{_VOCABULARY - 1}",
    "two common words": "w1 w2",
    "phrase": '"w1 w2"',
    "beginning": "w12*",
    "no such word": "nothing",
}


def _write(path: Path, messages: int) -> tuple[float, float]:
    """Return the seconds until everything was stored, and from then on until it was in the index as well."""
    room, done = Room(Chat(), _ROOM), threading.Event()
    log = SqliteLog(path, sync="normal")
    log.open(lambda entry: done.set() if type(entry) is Follow else None)
    seconds = 0.0
    for at, texts in enumerate(_texts(messages)):
        began = time.perf_counter()  # generating the texts does not count
        times = moments(_FIRST_MS + at * _BURST, len(texts))
        burst = Burst(log.claim(len(texts)), times, _ROOM, "ann", "~ann@host.example", texts)
        log.append(Batch(room.as_tuple, burst))
        log.wake()
        log.throttle()
        seconds += time.perf_counter() - began
    began = time.perf_counter()
    log.append(Follow(None))
    log.wake()
    done.wait()
    stored = time.perf_counter()
    _wait_for_index(path)
    indexed = time.perf_counter()
    log.close()
    return seconds + stored - began, indexed - stored


def _wait_for_index(path: Path) -> None:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        while connection.execute("SELECT max(block) > (SELECT digested FROM state) FROM blocks").fetchall() == [(1,)]:
            time.sleep(_POLL_SECONDS)  # there is no event for its end


def _texts(messages: int) -> Iterator[list[str]]:
    chosen = random.Random(1)
    weights = [1 / rank for rank in range(1, _VOCABULARY + 1)]
    words = [f"w{rank}" for rank in range(1, _VOCABULARY + 1)]
    some = chosen.choices(words, weights, k=200_000)  # choosing each time would take longer than storing
    for begin in range(0, messages, _BURST):
        count = min(_BURST, messages - begin)
        starts = [chosen.randrange(len(some) - _TEXT_WORDS) for _ in range(count)]
        yield [" ".join(some[start : start + _TEXT_WORDS]) for start in starts]
