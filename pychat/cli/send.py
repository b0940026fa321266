"""`pychat send`: come, say one thing, and go when it is acknowledged."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from pychat.cli.joining import Entrance
from pychat.core.errors import AckTimeout, ChatError, ConnectionLost

_MOST_CHARS: Final = 2**20
"""Of stdin: more than any server takes, and no reason to keep a whole disk in memory."""


class NothingToSay(ChatError):
    """There is no text."""

    def __str__(self) -> str:
        return "there is nothing to say: the text is empty"


def text_of(words: Sequence[str]) -> str:
    """
    Return what is to be said: the words, or all lines of stdin if there are none, or if they are "-".

    Raises:
        NothingToSay: It is empty.
    """
    if words and tuple(words) != ("-",):
        text = " ".join(words)
    elif sys.stdin is None:
        text = ""
    else:
        sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]  # it is a TextIOWrapper
        text = sys.stdin.read(_MOST_CHARS).rstrip("\n")
    if not text.strip():
        raise NothingToSay
    return text


def say_once(entrance: Entrance, nicks: Sequence[str], room: str | None, text: str) -> None:
    """
    Say a text in a room, and return when the server has accepted it.

    Raises:
        ConnectFailed: No server answers; nothing was said.
        Refused: The server let us not in, or did not take the text.
        AckTimeout: It was sent, and may or may not have been accepted.
    """
    with entrance.connect_as_any(nicks, room) as client:
        try:
            client.say(text)
        except ConnectionLost as error:
            raise AckTimeout(str(error)) from error
