"""
Parse many lines at once: messages of a busy client to one channel.

This is the busiest path of the protocol: each step processes all lines of a run, with no Python code per line. The
result is the same as line by line, with `SayAll` instead of `Say`; everything that is not plain is read line by line.
"""

from __future__ import annotations

import re
from typing import Final

from pychat.model.verbs import Verb
from pychat.protocols.irc.asked import BODY_BYTES
from pychat.protocols.lines import said

_HEAD: Final = re.compile(rb"PRIVMSG #([^ ,:\0\r\n]+) :")
_PIECE: Final = re.compile(rb"(PRIVMSG #[^ ,:\0\r\n]+ :)[^\n]*+(?:\n\1[^\n]*+)++|[^\n]++")
_CODES: Final = bytes(set(range(32)) - {0x0A})
"""Formatting and CTCP, and the characters that make a line invalid."""


def pieces(run: bytes) -> list[bytes]:
    """Split a run into lines; successive messages to the same channel stay together."""
    return [match[0] for match in _PIECE.finditer(run)]


def read_run(run: bytes) -> list[Verb] | None:
    """Return the verbs of lines that are all plain messages to one channel; None if they must be read line by line."""
    match = _HEAD.match(run)
    if match is None:
        return None
    try:
        head, text = match[0].decode(), run.decode()
    except UnicodeDecodeError:
        return None
    texts = text[len(head) :].split("\n" + head)
    together = "".join(texts)
    # A line with a different beginning is still inside one of the texts, with its newline.
    if "\n" in together or len(run.translate(None, _CODES)) != len(run):
        return None
    size = BODY_BYTES - len(match[0])
    longest = max(map(len, texts)) if together.isascii() else max([len(text.encode()) for text in texts])
    if longest > size or not all(texts):
        return None
    return said(texts, match[1].decode())
