"""What can be had, and is warned of all the same: limits that make no sense together, a disk that is nearly full."""

from __future__ import annotations

import json
import logging
import signal
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from chat_programs import Programs, pychat
from click.testing import CliRunner

from pychat.cli import cli
from pychat.cli.config_file import limit_fields
from pychat.cli.server.warnings import DiskWatch, doubts, little_space

__all__ = ["pychat"]  # the fixture

DEFAULTS: dict[str, Any] = {field.name.replace("_", "-"): field.default for field in limit_fields()}
PING = "--ping-seconds 100 is not below --silence-seconds 90: silent clients are disconnected without a ping before"


@pytest.mark.parametrize(
    ("limits", "texts"),
    [
        ({}, []),
        ({"ping-seconds": 100}, [PING]),
        (
            {"text-bytes": 100_000},
            ["--text-bytes 100000 is above --line-bytes 4096: only JSON lines can have messages of that size"],
        ),
        (
            {"line-bytes": 10, "text-bytes": 10},
            ["--line-bytes 10 is below 512: IRC clients send lines of that size"],
        ),
        (
            {"line-bytes": 20_000},
            [
                (
                    "--line-bytes 20000 is above --unfinished-bytes 16384: lines that are longer than that end the "
                    "connection"
                ),
            ],
        ),
    ],
)
def test_limits_that_make_no_sense_together(limits: dict[str, Any], texts: list[str]) -> None:
    """Each number is good alone."""
    assert doubts(DEFAULTS | limits) == texts


def test_doubts_are_told_at_the_start_and_by_doctor(pychat: Programs) -> None:
    """And in the log, when the options are read again."""
    (pychat.directory / "my.toml").write_text("[serve]\nport = 0\nping-seconds = 100\n")

    server = pychat("serve", "--config", "my.toml")
    server.read_port()
    server.signal(signal.SIGHUP)
    looked = pychat.run("doctor", "--config", "my.toml", "--unix", "nobody.sock")

    assert server.stderr.read_line() == f"warning: {PING}"
    assert server.stderr.read_line().endswith(f" WARNING pychat: {PING}")
    assert f"warning  config    pychat serve: {PING}" in looked.stdout.splitlines()
    assert looked.returncode == 0


def test_all_of_a_log_in_json_is_json(pychat: Programs) -> None:
    """The warnings at the start, too."""
    server = pychat("serve", "--port", "0", "--ping-seconds", "100", "--log-format", "json")
    server.read_port()
    server.signal(signal.SIGTERM)

    records = [json.loads(line) for line in [*server.stderr.read_rest(), *server.stderr.routine]]

    assert (records[0]["level"], records[0]["text"]) == ("warning", PING)
    assert len(records) == 3


def test_an_error_at_the_start_is_json(pychat: Programs) -> None:
    """So that whatever parses the log hears of it."""
    (pychat.directory / "text").write_text("This is a text.")

    result = pychat.run("serve", "--port", "0", "--db", "text", "--log-format", "json")

    (line,) = result.stderr.splitlines()
    assert result.returncode == 1
    assert json.loads(line)["text"] == "cannot open 'text': it is not a database; name another file"


def disk(monkeypatch: pytest.MonkeyPatch, free: int, size: int) -> None:
    """Let every disk have this size, in MB."""
    status = SimpleNamespace(f_bavail=free, f_blocks=size, f_frsize=1_000_000)
    monkeypatch.setattr("os.statvfs", lambda path: status)


@pytest.mark.parametrize(
    ("free", "size", "text"),
    [
        (100, 1000, None),
        (49, 1000, "the disk of 'chat.db' is nearly full: 49.0 MB of 1.0 GB are free"),
        (501, 1_000_000, None),
        (499, 1_000_000, "the disk of 'chat.db' is nearly full: 499.0 MB of 1.0 TB are free"),
    ],
)
def test_a_disk_that_is_nearly_full(monkeypatch: pytest.MonkeyPatch, free: int, size: int, text: str | None) -> None:
    """Five percent, or 500 MB of a large one."""
    disk(monkeypatch, free, size)

    found = little_space(Path("chat.db"))

    assert found == text


def test_a_full_disk_is_warned_of_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """When it gets full, and once more when it is not any more."""
    now = [0.0]
    watch = DiskWatch(Path("chat.db"), lambda: now[0])

    with caplog.at_level(logging.INFO):
        for free in (100, 40, 30, 100, 100):
            disk(monkeypatch, free, 1000)
            watch.look()
            watch.look()
            now[0] += 30.0

    ours = [record for record in caplog.records if record.thread == threading.get_ident()]
    assert [record.getMessage() for record in ours] == [
        "the disk of 'chat.db' is nearly full: 40.0 MB of 1.0 GB are free; when it is full, messages are refused",
        "there is enough space again on the disk of 'chat.db'",
    ]


def test_doctor_looks_at_the_disk_of_the_record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A warning: it works still."""
    disk(monkeypatch, 40, 1000)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYCHAT_SERVE_DB", "chat.db")

    looked = CliRunner().invoke(cli, ["doctor", "--unix", "nobody.sock"])

    text = "warning  disk      the disk of 'chat.db' is nearly full: 40.0 MB of 1.0 GB are free"
    assert text in looked.output.splitlines()
