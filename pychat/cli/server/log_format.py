r"""
The log format of `pychat serve`: to stderr, one line per record, whatever the record contains.

Records contain input from peers. A newline in it would fake a record, and an escape sequence would reach the terminal
of the log's reader, so everything that is not plain text is escaped (` `, `\x1b`, `\u202e`) and long records are
truncated. A library must not configure logging: only the command line calls `set_up`.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from typing import Final, TextIO

FORMATS: Final = ("text", "json")
LEVELS: Final = ("debug", "info", "warning", "error")

MOST_CHARS: Final = 8192
"""
Limit of one record, including its traceback. The excess is cut from the middle, because the end of a traceback says
most.
"""

# Control characters, bidi controls, line and paragraph separators, and surrogates, which no stream can write.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]"
)


class TextFormatter(logging.Formatter):
    """`2026-11-22T15:04:05.123Z WARNING pychat: cannot accept: Too many open files`."""

    def format(self, record: logging.LogRecord) -> str:
        return _escape(_cut(f"{_moment(record)} {record.levelname} {record.name}: {_message(self, record)}"))


class JsonFormatter(logging.Formatter):
    """One object with `time`, `level`, `logger`, `text`, and `traceback` if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {"time": _moment(record), "level": record.levelname.lower(), "logger": record.name}
        traceback = _traceback(self, record)
        fields["text"] = _cut(record.getMessage())
        if traceback:
            fields["traceback"] = _cut(traceback)
        return json.dumps(fields).replace("\x7f", "\\u007f")  # ASCII only; other characters are already escaped


def set_up(level: str, style: str, stream: TextIO | None = None) -> None:
    """
    Log all records of this level and above to the stream (default: stderr), and nowhere else.

    Args:
        level: One of `LEVELS`.
        style: One of `FORMATS`.
    """
    logging.raiseExceptions = False  # a full or closed stderr must not cause messages about it on stderr
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _moment(record: logging.LogRecord) -> str:
    """Return the time of a record, in UTC."""
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.created % 1 * 1000):03d}Z"


def _message(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    traceback = _traceback(formatter, record)
    return f"{record.getMessage()}\n{traceback}" if traceback else record.getMessage()


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts = [formatter.formatException(record.exc_info)] if record.exc_info else []
    if record.stack_info:
        parts.append(formatter.formatStack(record.stack_info))
    return "\n".join(parts)


def _cut(text: str) -> str:
    over = len(text) - MOST_CHARS
    if over <= 0:
        return text
    half = MOST_CHARS // 2
    return f"{text[:half]}...({over} characters cut)...{text[-half:]}"


def _escape(text: str) -> str:
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
