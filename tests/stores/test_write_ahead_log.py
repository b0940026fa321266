"""SQLite's own log, the file `-wal`: it becomes short again, whoever has read meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from logs import opened, say, settle

from pychat.stores.sqlite import database as sqlite
from pychat.stores.sqlite import maintenance as tending


def test_the_log_of_the_file_becomes_short_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads for long keeps it; when that is over, it begins anew."""
    monkeypatch.setattr(sqlite, "_LONG_LOG_BYTES", 100_000)
    monkeypatch.setattr(sqlite, "_IMPATIENT_SECONDS", 0.001)
    wal = tmp_path / "chat.db-wal"
    with opened(tmp_path / "chat.db") as (log, _):
        monkeypatch.setattr(log._writer, "_tend", lambda idle: None)  # its thread does the same, and makes the index
        database = log._database
        with database.reading() as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM blocks").fetchall()
            for _ in range(100):
                say(log, "x" * 4000)
                settle(log)
            assert wal.stat().st_size > 100_000
            assert not database.shorten_log()
            reader.execute("COMMIT")

        assert database.shorten_log()
        assert wal.stat().st_size == 0


def test_a_long_log_of_the_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the thread that writes, while it is busy and when it is not."""
    monkeypatch.setattr(sqlite, "_LONG_LOG_BYTES", 100_000)
    monkeypatch.setattr(tending, "_LOOK_SECONDS", 0.0)
    with opened(tmp_path / "chat.db") as (log, _):
        for _ in range(100):
            say(log, "x" * 4000)
            settle(log)
        assert (tmp_path / "chat.db-wal").stat().st_size < 200_000
