"""`pychat send`: connect, send one message, and disconnect when it is acknowledged."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, auto
from typing import Final

from pychat.cli.client.access import Entrance
from pychat.model.errors import AckTimeout, ChatError, ConnectionLost, NotPublished, Refused
from pychat.model.limits import Limits
from pychat.model.replies import Ok
from pychat.model.text import clean
from pychat.protocols.text.confidential import not_a_command

_MOST_CHARS: Final = 2**20
"""Limit for stdin: more than any server accepts, but bounded memory."""


class TooLong(Enum):
    """How to handle a text that does not fit into one message."""

    REFUSE = auto()
    SPLIT = auto()
    """Send it in several messages."""
    TAIL = auto()
    """Send only its last lines."""


class NothingToSay(ChatError):
    """There is no text."""

    def __str__(self) -> str:
        return "there is nothing to send: the text is empty"


def text_of(words: Sequence[str]) -> str:
    """
    Return the text to send: the words, or all lines of stdin if there are none, or if they are "-".

    Raises:
        NothingToSay: If it is empty.
    """
    if words and tuple(words) != ("-",):
        text = " ".join(words)
    elif sys.stdin is None:
        text = ""
    else:
        sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]  # it is a TextIOWrapper
        text = sys.stdin.read(_MOST_CHARS).removeprefix("\ufeff").rstrip("\n")
    if not text.strip():
        raise NothingToSay
    return text


def messages_of(text: str, limits: Limits, too_long: TooLong) -> list[str]:
    """
    Return the messages for a text.

    Raises:
        Refused: If it does not fit into one.
    """
    text = clean(text)
    lines, size = text.count("\n") + 1, len(text.encode())
    if lines <= limits.text_lines and size <= limits.text_bytes:
        return [text]
    if too_long is not TooLong.REFUSE:
        pieces = [piece for line in text.split("\n") for piece in _pieces(line, limits.text_bytes)]
        if too_long is TooLong.SPLIT:
            return [message for message in _joined(pieces, limits) if message.strip()]
        last = next(_joined(reversed(pieces), limits))
        return ["\n".join(reversed(last.split("\n")))]
    what = f"{lines} lines" if lines > limits.text_lines else f"{size} bytes"
    most = f"{limits.text_lines} lines" if lines > limits.text_lines else f"{limits.text_bytes} bytes"
    advice = "add --tail to send the last lines, or --split to send all of it in several messages"
    raise Refused(f"the text has {what}, and a message has at most {most}; {advice}", code="too_long")


def _pieces(line: str, most: int) -> Iterator[str]:
    """Split a line into pieces of at most `most` bytes."""
    while len(data := line.encode()) > most:
        piece = data[:most].decode(errors="ignore")
        yield piece
        line = line[len(piece) :]
    yield line


def _joined(lines: Iterable[str], limits: Limits) -> Iterator[str]:
    """Join as many lines as fit in a message, and yield the messages."""
    message: list[str] = []
    size = 0
    for line in lines:
        more = len(line.encode()) + 1
        if message and (len(message) == limits.text_lines or size + more > limits.text_bytes + 1):
            yield "\n".join(message)
            message, size = [], 0
        message.append(line)
        size += more
    yield "\n".join(message)


def say_once(
    entrance: Entrance,
    nicks: Sequence[str],
    room: str | None,
    text: str,
    *,
    create: bool,
    too_long: TooLong = TooLong.REFUSE,
) -> None:
    """
    Send a text to a room, and return when the server has accepted all of it.

    Args:
        create: True to create the room if it does not exist. With False a mistyped name is refused, instead of creating
            a room in which nobody receives the text.

    Raises:
        ConnectFailed: If no server answers; nothing was sent.
        Refused: If the text begins with a slash or contains a confidential command, or the server refuses us or the
            text.
        AckTimeout: If it was sent, and may or may not have been accepted.
    """
    said = not_a_command(text)
    with entrance.connect_as_any(nicks, room, visit=True, create=create) as client:
        said = said._replace(room=next(reversed(client.rooms), None) if room is None else room)
        messages = messages_of(said.text, client.limits, too_long)
        for number, message in enumerate(messages, 1):
            try:
                answer = client.ask(said._replace(text=message))
            except (AckTimeout, ConnectionLost) as error:
                where = f"message {number} of {len(messages)}: " if len(messages) > 1 else ""
                raise AckTimeout(f"{where}{error}") from error
            if isinstance(answer, Ok) and answer.id is None:
                raise NotPublished
