"""The log of `pychat serve`: one record one line, whatever peers write."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pychat.cli.server import log_format as logs
from pychat.cli.server.log_format import JsonFormatter, TextFormatter

SetUp = Callable[..., io.StringIO]


@pytest.fixture
def log() -> Iterator[SetUp]:
    """Return a function that sets up the log and returns what it writes to; afterwards all is as it was."""
    root = logging.getLogger()
    before = (root.level, root.handlers[:], logging.raiseExceptions)

    def set_up(level: str = "info", style: str = "text") -> io.StringIO:
        stream = io.StringIO()
        # Not through basicConfig's force: that closes handlers of pytest.
        root.handlers = []
        logs.set_up(level, style, stream)
        return stream

    yield set_up
    root.setLevel(before[0])
    root.handlers, logging.raiseExceptions = before[1], before[2]


def record(text: str) -> logging.LogRecord:
    """A record with this text."""
    return logging.LogRecord("pychat", logging.WARNING, "somewhere.py", 1, text, None, None)


def test_text_is_time_level_name_and_message(log: SetUp) -> None:
    """One line for people and grep."""
    stream = log()

    logging.getLogger("pychat").warning("cannot accept: %s", "Too many open files")

    line = stream.getvalue()
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING pychat: cannot accept: Too many open files\n", line
    )


def test_json_is_one_object(log: SetUp) -> None:
    """One line for programs."""
    stream = log(style="json")

    logging.getLogger("pychat").warning("cannot accept: %s", "no\nway")

    fields = json.loads(stream.getvalue())
    assert fields.pop("time").endswith("Z")
    assert fields == {"level": "warning", "logger": "pychat", "text": "cannot accept: no\nway"}
    assert stream.getvalue().count("\n") == 1


def test_what_is_below_the_level_is_not_written(log: SetUp) -> None:
    """`--log-level warning` leaves out the rest."""
    stream = log(level="warning")

    logging.getLogger("pychat").info("nothing much")

    assert stream.getvalue() == ""


@pytest.mark.parametrize("style", logs.FORMATS)
def test_a_traceback_is_on_the_same_line(log: SetUp, style: str) -> None:
    """A record is a line, even with an exception."""
    stream = log(style=style)

    try:
        raise ValueError("what a peer sent:\r\n2026-01-01 ERROR fake")
    except ValueError:
        logging.getLogger("pychat").exception("handler failed", stack_info=True)

    line = stream.getvalue()
    assert line.count("\n") == 1
    assert line.endswith("\n")
    assert "\r" not in line
    assert "Traceback (most recent call last)" in line
    assert r"ValueError: what a peer sent:\r\n2026-01-01 ERROR fake" in line


def test_control_characters_are_escaped() -> None:
    """Nothing can move the cursor of whoever reads the log, hide text or fake a line."""
    line = TextFormatter().format(record("a\x1b]0;title\x07b\x9bc\u202ed\u2028e\x7ff\udc80g\x00"))

    assert line.endswith(r"a\x1b]0;title\x07b\x9bc\u202ed\u2028e\x7ff\udc80g\x00")


def test_other_scripts_are_not_escaped() -> None:
    """A nickname in the log is the nickname."""
    assert TextFormatter().format(record("björn 小林 🎉")).endswith("björn 小林 🎉")


def test_a_long_record_is_cut_in_the_middle() -> None:
    """The beginning says what it was, the end where it happened."""
    line = TextFormatter().format(record("begin " + "x" * 100_000 + " end"))

    assert "pychat: begin xxx" in line
    assert line.endswith("xxx end")
    assert re.search(r"x\.\.\.\(\d+ characters cut\)\.\.\.x", line)
    assert len(line) < logs.MOST_CHARS + 50


@given(st.text())
@example("\x7f\x9b")
def test_any_text_is_one_printable_line(text: str) -> None:
    """Both formats, whatever is in the record; and JSON keeps it exactly."""
    plain = TextFormatter().format(record(text))
    coded = JsonFormatter().format(record(text))

    for line in (plain, coded):
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", line)
        line.encode()
    if len(text) <= logs.MOST_CHARS:
        assert json.loads(coded)["text"] == text


def test_a_stream_that_is_closed_is_no_error(log: SetUp, capsys: pytest.CaptureFixture[str]) -> None:
    """The server goes on when nobody reads its log any more."""
    log().close()

    logging.getLogger("pychat").warning("unheard")

    assert capsys.readouterr() == ("", "")
