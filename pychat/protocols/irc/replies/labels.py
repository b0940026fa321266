"""
What answers a request that had a label carries it (IRCv3 labeled-response).

Nothing becomes an ACK, one line gets the tag, several lines a batch. What else was sent between them is not touched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pychat.protocols.irc.capabilities import ECHO_MESSAGE
from pychat.protocols.irc.replies.context import Context
from pychat.protocols.irc.replies.tags import with_times

_RESPONSE: Final = "response"
"""Reference of the batch: a request is answered before the next one, so there is one at a time."""
_END: Final = b"\r\n"
_BATCH: Final = b" BATCH "
_SAID: Final = re.compile(rb"(?:@[^ ]+ )?:[^ !]+![^ ]+ (?:PRIVMSG|NOTICE|TAGMSG) ")
"""What a person said; in an answer that can only be the one who asked."""
# The label comes as it was sent: only what would end the tag, or the line, is to be kept out.
_FORBIDDEN: Final = str.maketrans(dict.fromkeys("; \r\n\0", None))


def label(label: str, parts: Sequence[bytes], context: Context) -> list[bytes]:
    """See `Dialect.label`; the label is escaped already."""
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
    """The beginning and the end of a batch, and ACK."""
    source = f":{context.server}"
    lines = [f"{source} BATCH +{_RESPONSE} labeled-response", f"{source} BATCH -{_RESPONSE}", f"{source} ACK"]
    return [line.encode() for line in with_times(lines, context)]


def _is_message(parts: Sequence[bytes], at: int, *, echoes: bool) -> bool:
    """
    Whether this part is what somebody says to nobody else, and not the echo of it, which comes next.

    Only the echo answers; the other is what anybody could have sent (IRCv3 labeled-response, "Tags").
    """
    if _SAID.match(parts[at]) is None:
        return False
    return not echoes or (at + 1 < len(parts) and parts[at] == parts[at + 1])


def _others(parts: Sequence[bytes], marked: Sequence[bytes]) -> list[bytes]:
    """The marked parts, and in the place of those that belong to no answer what they are."""
    return [new or old for old, new in zip(parts, marked, strict=True)]


def _lines(part: bytes) -> list[bytes]:
    return part.removesuffix(_END).split(_END) if part else []


def _joined(lines: Sequence[bytes]) -> bytes:
    return b"".join([line + _END for line in lines])


def _tagged(tag: bytes, line: bytes) -> bytes:
    return b"@%b;%b" % (tag, line[1:]) if line.startswith(b"@") else b"@%b %b" % (tag, line)


def _with_first(mark: bytes, parts: Sequence[Sequence[bytes]]) -> list[bytes]:
    """The parts with the label on the very first line."""
    found: list[bytes] = []
    labelled = False
    for lines in parts:
        if lines and not labelled:
            lines = [_tagged(mark, lines[0]), *lines[1:]]
            labelled = True
        found.append(_joined(lines))
    return found


def _is_batch(lines: Sequence[bytes]) -> bool:
    """Whether they are one batch already: then that is the response ("an existing type applicable to the response")."""
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
    """The line as a part of the response; what is in a batch inside of it belongs to that one (IRCv3 batch, nested)."""
    if any(tag.startswith(b"batch=") for tag in _tags(line)):
        return line
    return _tagged(b"batch=" + _RESPONSE.encode(), line)
