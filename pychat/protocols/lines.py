"""
Split a stream of bytes into lines and limit their length.

A line ends with the byte 0x0A and nothing else; one 0x0D before it belongs to the ending (`str.splitlines` would also
split at characters that people may send inside a text). The meaning of a line is not known here.

Lines are returned in runs: a chunk from a busy peer holds a thousand of them, and a run can be decoded at once, then
split.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from pychat.model.verbs import Abort, Invalid, SayAll, Verb

Run: TypeAlias = bytes | None
"""Complete lines, joined by newlines, without the last newline and without CRs; None: one line that was too long."""


class LineBuffer:
    """
    Splits a stream into lines, with the same result for any chunks, and buffers at most one line's limit of it.

    Args:
        line_bytes: A longer line is reported once, at its end.
        unfinished_bytes: After more bytes without a newline, and after the lines before them were returned, the stream
            is `broken`: nothing more is read.
    """

    __slots__ = ("_length", "_line_bytes", "_tail", "_unfinished_bytes", "broken")

    def __init__(self, line_bytes: int, unfinished_bytes: int) -> None:
        self._line_bytes = min(line_bytes, unfinished_bytes)
        self._unfinished_bytes = unfinished_bytes
        self._tail = b""  # the unfinished line; only its first line_bytes + 1 (a CR), more is not needed
        self._length = 0  # of the whole unfinished line
        self.broken = False

    def receive(self, data: bytes) -> list[Run]:
        """Feed the next bytes; return the lines that they complete."""
        if self.broken:
            return []
        end = data.rfind(b"\n") + 1
        if not end:
            self._keep(data)
            return []
        if self._length:
            data, end = self._finish_tail(data, end)
            if self.broken:
                return []
        block = data[:end]
        runs: list[Run] = self._one_by_one(block) if self._has_long_line(block) else [_without_crs(block)]
        if not self.broken:
            self._keep(data[end:])
        return runs

    def receive_eof(self) -> list[Run]:
        """Report the end of the stream and return an unfinished last line."""
        if self.broken or not self._length:
            return []
        return self.receive(b"\n")

    def _keep(self, data: bytes) -> None:
        self._length += len(data)
        self._tail += data[: max(0, self._line_bytes + 1 - len(self._tail))]
        if self._length > self._unfinished_bytes:
            self.broken = True
            self._tail = b""

    def _finish_tail(self, data: bytes, end: int) -> tuple[bytes, int]:
        """Prepend the unfinished line to the data that end it, with its original length."""
        first = data.find(b"\n")
        if self._length > len(self._tail):  # too long already: only the number of its bytes is known
            self._keep(data[:first])
            tail = bytes(self._length)
            data, end = data[first:], end - first
        else:
            tail = self._tail
        self._tail = b""
        self._length = 0
        return tail + data, len(tail) + end

    def _has_long_line(self, block: bytes) -> bool:
        """
        Return whether a line may be over its limit.

        Each step searches backwards for a newline within the longest possible line and continues after it: some sixteen
        steps for 64 KiB of short lines, instead of one per line.
        """
        at, limit, end = 0, self._line_bytes, len(block) - 1
        while end - at > limit:
            at = block.rfind(b"\n", at, at + limit + 1) + 1
            if not at:
                return True
        return False

    def _one_by_one(self, block: bytes) -> list[Run]:
        """Split a block that may contain lines over the limit."""
        runs: list[Run] = []
        good: list[bytes] = []
        for line in block[:-1].split(b"\n"):
            if len(line) > self._unfinished_bytes:
                self.broken = True
                break
            line = line.removesuffix(b"\r")
            if len(line) <= self._line_bytes:
                good.append(line)
                continue
            if good:
                runs.append(b"\n".join(good))
                good = []
            runs.append(None)
        if good:
            runs.append(b"\n".join(good))
        return runs


def _without_crs(block: bytes) -> bytes:
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    return block[:-1]


VERBS_AT_ONCE: Final = 64
"""How many lines become verbs at once: a verb takes up to a hundred times the memory of a short line."""
LINES_AT_ONCE: Final = 2048
"""How many lines are examined together, where they may be sent together."""
TEXTS_AT_ONCE: Final = 512
"""How many texts one verb sends: the resulting events fit a send queue."""


class PendingLines:
    """Lines that are not verbs yet. They wait as bytes, in order of arrival."""

    __slots__ = ("_runs",)

    def __init__(self) -> None:
        self._runs: list[Run] = []  # the next one last

    def __bool__(self) -> bool:
        return bool(self._runs)

    def add(self, runs: Sequence[Run]) -> None:
        """Append lines."""
        self._runs[:0] = reversed(runs)

    def put_back(self, runs: Sequence[Run]) -> None:
        """Put lines back at the beginning."""
        self._runs += reversed(runs)

    def take(self, most: int) -> Run:
        """Take at most `most` of the next lines. There must be some."""
        return self.keep_rest(self._runs.pop(), most)

    def keep_rest(self, run: Run, most: int) -> Run:
        """Return the first lines of a run and put the others back."""
        if run is None:
            return None
        if run.count(b"\n") < most:
            return run
        end = -1
        for _ in range(most):
            end = run.index(b"\n", end + 1)
        self._runs.append(run[end + 1 :])
        return run[:end]


def too_long(line_bytes: int) -> Invalid:
    """Return the verb for a line that was too long."""
    return Invalid("line_too_long", f"line too long: at most {line_bytes} bytes")


def endless(unfinished_bytes: int) -> Abort:
    """Return the verb for a line without an end."""
    return Abort("line_too_long", f"no newline in {unfinished_bytes} bytes")


def said(texts: list[str], room: str | None = None) -> list[Verb]:
    """Return the verbs that send these texts together."""
    return [SayAll(texts[at : at + TEXTS_AT_ONCE], room) for at in range(0, len(texts), TEXTS_AT_ONCE)]


class LineDecoder:
    """Decodes lines. Invalid UTF-8 is replaced, and reported once per connection, before the first such line."""

    __slots__ = ("_complained",)

    def __init__(self) -> None:
        self._complained = False

    def decode(self, run: bytes) -> list[str | Invalid]:
        """Return the lines of a run, with the report of invalid UTF-8 among them if it is due."""
        try:
            return [*run.decode().split("\n")]
        except UnicodeDecodeError:
            pass
        items: list[str | Invalid] = []
        for line in run.split(b"\n"):
            text = line.decode(errors="replace")
            if not self._complained and not _is_utf8(line):
                self._complained = True
                items.append(_BAD_UTF8)
            items.append(text)
        return items


_BAD_UTF8: Final = Invalid("bad_utf8", "this is not UTF-8: unreadable bytes were replaced by \N{REPLACEMENT CHARACTER}")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
