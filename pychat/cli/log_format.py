r"""
How `pychat serve` writes its log: to stderr, one record one line, whatever the record says.

What peers send ends up in records. A newline in it would fake a record and an escape sequence would reach the
terminal of whoever reads the log, so everything that is not plain text is escaped (`\n`, `\x1b`, `\u202e`) and long
records are cut. A library has no business with this: only the command line calls `set_up`.
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
"""Of one record, its traceback included. What is over is cut out of the middle: a traceback's end says most."""

# Control characters, bidi controls, line and paragraph separator, and surrogates, which no stream can write.
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
        return json.dumps(fields).replace("\x7f", "\\u007f")  # which is ASCII; all that is not is escaped already


def set_up(level: str, style: str, stream: TextIO | None = None) -> None:
    """
    Write all records of this level and above to the stream (default: stderr), and nowhere else.

    Args:
        level: One of `LEVELS`.
        style: One of `FORMATS`.
    """
    logging.raiseExceptions = False  # a stderr that is full or closed is no reason to write about it, to stderr
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _moment(record: logging.LogRecord) -> str:
    """When it happened, UTC."""
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
