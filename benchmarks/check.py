"""
Check that every member receives everything, once and in order.

Messages are numbered, so the stream of a member can be checked line by line. That would make the generator slower than
the server, and is not necessary, because members of one room receive the same bytes. So the longest stream of any
member of a process is recorded, each chunk of each member is compared with it (one memcmp), and the record is checked
line by line after the measurement. A member that receives another order is not compared any more: its lines are checked
one by one as they arrive.

Pings of a server are for one member alone. They are removed before the record grows, so the record has none, and only
chunks that do not continue it are examined line by line.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.errors import LoadError
from benchmarks.languages import TEXT, Language, Lines, pongs, without_pings

MARK = b"="
"""Once in every numbered message and nowhere else, so counting it counts messages."""

_NUMBER = b"=%09d "
_NOTICES_KEPT = 20


def numbered(number: int, text_bytes: int) -> bytes:
    """Return the text of one message."""
    return (_NUMBER % number).ljust(text_bytes, b"x")


def numbered_lines(count: int, text_bytes: int, language: Language = TEXT) -> bytes:
    """Return the lines that a sender sends in one round."""
    return b"".join([language.line(numbered(number, text_bytes)) for number in range(count)])


class LineChecker:
    """
    Checks one stream line by line: each sender's numbers from 0 on, without a gap.

    Some of the lines that are not numbered messages are stored in `notices`.
    """

    def __init__(self, who: str, text_bytes: int, language: Language = TEXT) -> None:
        self._who = who
        self._parse = language.heard
        self._rest = numbered(0, text_bytes)[len(_NUMBER % 0) :]
        self._next: dict[bytes, int] = {}
        self._tail = b""
        self.messages = 0
        self.notices: list[str] = []

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """
        Check the next bytes of the stream.

        Raises:
            LoadError: If a message is missing, repeated, out of order or damaged.
        """
        *lines, self._tail = (self._tail + data).split(b"\n")
        for line in lines:
            sender, text = self._parse(line)
            if not text.startswith(MARK):
                if len(self.notices) < _NOTICES_KEPT:
                    self.notices.append(line.decode(errors="replace"))
                continue
            number = self._next.get(sender, 0)
            if text != _NUMBER % number + self._rest:
                raise LoadError(f"{self._who}: number {number} of {sender.decode()} was next, but {line!r} came")
            self._next[sender] = number + 1
            self.messages += 1

    def finish(self, totals: Mapping[str, int]) -> None:
        """
        Check the end of the stream; `totals` are the messages of each sender.

        Raises:
            LoadError: If the last ones are missing.
        """
        if self._tail:
            raise LoadError(f"{self._who}: the last line is not complete: {self._tail!r}")
        heard = {sender.decode(): count for sender, count in self._next.items()}
        for sender in totals.keys() | heard.keys():
            if heard.get(sender, 0) != totals.get(sender, 0):
                raise LoadError(
                    f"{self._who}: {heard.get(sender, 0)} messages of {sender} came, {totals.get(sender, 0)} were sent"
                )


class Record:
    """The longest stream that any of these members has received in this round."""

    def __init__(self, language: Language = TEXT) -> None:
        self._language = language
        self.data = bytearray()
        self.messages = 0

    def holds(self, position: int, chunk: bytes | memoryview) -> bool:
        """Return whether a member's next bytes are already on record."""
        return self.data.startswith(chunk, position)

    def accept(self, position: int, chunk: memoryview) -> bool:
        """Compare a member's next bytes with the record, and extend it if necessary; return False if they differ."""
        if self.holds(position, chunk):
            return True
        known = len(self.data) - position
        if known >= len(chunk) or not self.data.startswith(chunk[:known], position):
            return False
        new = bytes(chunk[known:])
        self.data += new
        self.messages += new.count(MARK)
        return True

    def check(self, who: str, text_bytes: int, totals: Mapping[str, int]) -> list[str]:
        """Check the record line by line, as `LineChecker` does, and return its notices."""
        checker = LineChecker(who, text_bytes, self._language)
        checker.feed(self.data)
        checker.finish(totals)
        return checker.notices

    def clear(self) -> None:
        """Begin the next round."""
        self.data = bytearray()
        self.messages = 0


class Follower:
    """The input of one member in this round: a part of the record, or, once it differed, lines of its own."""

    __slots__ = ("_language", "_lines", "answers", "checker", "name", "position")

    def __init__(self, name: str, language: Language = TEXT) -> None:
        self.name = name
        self.answers = b""
        """Answers to pings; the caller that sends them resets this."""
        self._language = language
        self._lines = Lines()
        self.begin()

    def begin(self) -> None:
        """Begin the next round."""
        self.position = 0
        self.checker: LineChecker | None = None

    def hear(self, chunk: memoryview, record: Record, text_bytes: int) -> None:
        """
        Check the next bytes.

        Raises:
            LoadError: If they are wrong, whatever the order of senders.
        """
        if self.checker is None and self._is_on_record(chunk, record):
            return
        if self._language.pings:
            chunk = self._take_pings(chunk, record)
        if self.checker is None and not record.accept(self.position, chunk):
            self.checker = LineChecker(self.name, text_bytes, self._language)
            self.checker.feed(record.data[: self.position])
        if self.checker is not None:
            self.checker.feed(chunk)
        self.position += len(chunk)

    def _is_on_record(self, chunk: memoryview, record: Record) -> bool:
        """Advance along the record, if the chunk continues it."""
        unfinished = self._lines.unfinished
        position = self.position + len(unfinished)
        if not (record.holds(self.position, unfinished) and record.holds(position, chunk)):
            return False
        self._lines.unfinished = b""
        self.position = position + len(chunk)
        return True

    def _take_pings(self, chunk: memoryview, record: Record) -> memoryview:
        """Answer the pings and return the other lines, from the beginning of an unfinished line."""
        if self.checker is None:
            start = record.data.rfind(b"\n", 0, self.position) + 1
            if start < self.position:  # otherwise nothing is unfinished
                self._lines.unfinished = bytes(record.data[start : self.position])
                self.position = start
        whole = self._lines.whole(chunk)
        self.answers += pongs(self._language, whole)
        return memoryview(without_pings(self._language, whole))

    def is_complete(self, record: Record, messages: int) -> bool:
        """Return whether this member has received `messages` messages completely."""
        if self.checker is not None:
            return self.checker.messages >= messages
        return self.position == len(record.data) and record.messages >= messages and record.data.endswith(b"\n")
