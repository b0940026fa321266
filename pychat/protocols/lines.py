"""
Lines: where one ends in a stream of bytes, and how long it may be.

A line ends with the byte 0x0A and nothing else; one 0x0D before it belongs to the ending (`str.splitlines` would also
cut at characters that people may send inside a text). What a line means is not known here.

Lines come out in runs: a chunk of a busy peer holds a thousand of them, and a run can be decoded at once, then split.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from pychat.core.limits import Limits
from pychat.core.verbs import Abort, Invalid, Say, SayAll, Verb

Run: TypeAlias = bytes | None
"""Complete lines, joined by newlines, with neither a last newline nor CRs; None: one line that was too long."""


class LineBuffer:
    """
    Cuts a stream into lines, the same in any chunks, and keeps no more than one line's limit of it.

    A line over `limits.line_bytes` is reported once, at its end. More than `limits.unfinished_bytes` without a newline
    make the stream `broken`, after the lines before them came out; nothing is read from then on.
    """

    def __init__(self, limits: Limits) -> None:
        self._line_bytes = min(limits.line_bytes, limits.unfinished_bytes)
        self._unfinished_bytes = limits.unfinished_bytes
        self._tail = bytearray()  # the unfinished line; only its first line_bytes + 1 (a CR), more is of no use
        self._length = 0  # of the whole unfinished line
        self.broken = False

    def receive(self, data: bytes) -> list[Run]:
        """Feed the next bytes; return what they complete."""
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
        """The stream has ended: what is unfinished counts as a line."""
        if self.broken or not self._length:
            return []
        return self.receive(b"\n")

    def _keep(self, data: bytes) -> None:
        self._length += len(data)
        self._tail += data[: max(0, self._line_bytes + 1 - len(self._tail))]
        if self._length > self._unfinished_bytes:
            self.broken = True
            self._tail.clear()

    def _finish_tail(self, data: bytes, end: int) -> tuple[bytes, int]:
        """Put the unfinished line before the data that end it, with as many bytes as it had."""
        first = data.find(b"\n")
        if self._length > len(self._tail):  # too long already: its bytes are gone, their number counts
            self._keep(data[:first])
            tail = bytes(self._length)
            data, end = data[first:], end - first
        else:
            tail = bytes(self._tail)
        self._tail.clear()
        self._length = 0
        return tail + data, len(tail) + end

    def _has_long_line(self, block: bytes) -> bool:
        """
        Whether a line may be over its limit.

        A newline is looked for at the far end of what one line may be, and the next step starts behind it: some
        sixteen steps for 64 KiB of short lines, instead of one for each line.
        """
        at, limit, end = 0, self._line_bytes, len(block) - 1
        while end - at > limit:
            at = block.rfind(b"\n", at, at + limit + 1) + 1
            if not at:
                return True
        return False

    def _one_by_one(self, block: bytes) -> list[Run]:
        """Cut a block that may have lines which are too long."""
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


def too_long(limits: Limits) -> Invalid:
    """The verb for a line that was too long."""
    return Invalid("line_too_long", f"line too long: at most {limits.line_bytes} bytes")


def endless(limits: Limits) -> Abort:
    """The verb for a line that does not end."""
    return Abort("line_too_long", f"no newline in {limits.unfinished_bytes} bytes")


_SAID_AT_ONCE: Final = 512


def said(texts: list[str], room: str | None = None) -> list[Verb]:
    """Return the verbs that say these texts: together, but so that the writer gets something to do in between."""
    if len(texts) == 1:
        return [Say(texts[0], room)]
    return [SayAll(texts[at : at + _SAID_AT_ONCE], room) for at in range(0, len(texts), _SAID_AT_ONCE)]


class LineDecoder:
    """Lines as text. What is not UTF-8 is replaced, and complained of once in a connection: before the first line."""

    def __init__(self) -> None:
        self._complained = False

    def decode(self, run: bytes) -> list[str | Invalid]:
        """Return the lines of a run, and perhaps the complaint among them."""
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


_BAD_UTF8: Final = Invalid(
    "bad_utf8", "this is not UTF-8: what could not be read was replaced by \N{REPLACEMENT CHARACTER}"
)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
