"""
Add the label of a request to its response (IRCv3 labeled-response).

An empty response becomes an ACK, a single line gets the tag, several lines a batch. Lines sent between them that do not
belong to the response are not changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pychat.protocols.irc.capabilities import ECHO_MESSAGE
from pychat.protocols.irc.replies.context import Context
from pychat.protocols.irc.replies.tags import with_times

_RESPONSE: Final = "response"
"""Reference of the batch; one at a time is enough, because a request is answered before the next one."""
_END: Final = b"\r\n"
_BATCH: Final = b" BATCH "
_SAID: Final = re.compile(rb"(?:@[^ ]+ )?:[^ !]+![^ ]+ (?:PRIVMSG|NOTICE|TAGMSG) ")
"""A line that a person sent; in a response it can only be from the requester."""
# The label is used as it was sent: only characters that would end the tag or the line are removed.
_FORBIDDEN: Final = str.maketrans(dict.fromkeys("; \r\n\0", None))


def label(label: str, parts: Sequence[bytes], context: Context) -> list[bytes]:
    """Label a response, see `Dialect.label`; the label is already escaped."""
    mark = b"label=" + label.translate(_FORBIDDEN).encode("utf-8", "replace")
    start, end, acknowledgement = _own_lines(context)
    echoes = ECHO_MESSAGE in context.capabilities
    lines = [[] if _is_message(parts, at, echoes=echoes) else _lines(part) for at, part in enumerate(parts)]
    count = sum(map(len, lines))
    if not count:
        acknowledged = _tagged(mark, acknowledgement) + _END
        return [*parts[:-1], parts[-1] + acknowledged] if parts else [acknowledged]
    if count == 1 or _is_batch([line for part in lines for line in part]):
        return _others(parts, _with_first(mark, lines))
    marked = [[_in_batch(line) for line in part] for part in lines]
    first = next(index for index, part in enumerate(marked) if part)
    last = max(index for index, part in enumerate(marked) if part)
    marked[first].insert(0, _tagged(mark, start))
    marked[last].append(end)
    return _others(parts, [_joined(part) for part in marked])


def _own_lines(context: Context) -> list[bytes]:
    """Return the beginning and the end of a batch, and ACK."""
    source = f":{context.server}"
    lines = [f"{source} BATCH +{_RESPONSE} labeled-response", f"{source} BATCH -{_RESPONSE}", f"{source} ACK"]
    return [line.encode() for line in with_times(lines, context)]


def _is_message(parts: Sequence[bytes], at: int, *, echoes: bool) -> bool:
    """
    Return whether this part is a message to oneself, and not the echo of it, which follows.

    Only the echo is a response; the other could be from anybody (IRCv3 labeled-response, "Tags").
    """
    if _SAID.match(parts[at]) is None:
        return False
    return not echoes or (at + 1 < len(parts) and parts[at] == parts[at + 1])


def _others(parts: Sequence[bytes], marked: Sequence[bytes]) -> list[bytes]:
    """Return the marked parts; parts outside the response stay unchanged."""
    return [new or old for old, new in zip(parts, marked, strict=True)]


def _lines(part: bytes) -> list[bytes]:
    return part.removesuffix(_END).split(_END) if part else []


def _joined(lines: Sequence[bytes]) -> bytes:
    return b"".join([line + _END for line in lines])


def _tagged(tag: bytes, line: bytes) -> bytes:
    return b"@%b;%b" % (tag, line[1:]) if line.startswith(b"@") else b"@%b %b" % (tag, line)


def _with_first(mark: bytes, parts: Sequence[Sequence[bytes]]) -> list[bytes]:
    """Return the parts with the label on the very first line."""
    found: list[bytes] = []
    labelled = False
    for lines in parts:
        if lines and not labelled:
            lines = [_tagged(mark, lines[0]), *lines[1:]]
            labelled = True
        found.append(_joined(lines))
    return found


def _is_batch(lines: Sequence[bytes]) -> bool:
    """
    Return whether the lines are already one batch, which then is the response ("an existing type applicable to the
    response").
    """
    _, start, opened = lines[0].partition(_BATCH)
    _, end, closed = lines[-1].partition(_BATCH)
    if not (start and end and opened.startswith(b"+") and closed.startswith(b"-")):
        return False
    reference = opened[1:].split(b" ")[0]
    inside = b"batch=" + reference
    return reference == closed[1:] and all(inside in _tags(line) for line in lines[1:-1])


def _tags(line: bytes) -> list[bytes]:
    return line[1:].partition(b" ")[0].split(b";") if line.startswith(b"@") else []


def _in_batch(line: bytes) -> bytes:
    """Return the line as a part of the response; lines of a nested batch belong to that one (IRCv3 batch, nested)."""
    if any(tag.startswith(b"batch=") for tag in _tags(line)):
        return line
    return _tagged(b"batch=" + _RESPONSE.encode(), line)
