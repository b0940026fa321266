"""Tags of a line: the time of the event, its id, and tags from the sender (IRCv3 message-tags)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pychat.model.events import Event
from pychat.protocols.irc.asked import format_msgid
from pychat.protocols.irc.capabilities import ACCOUNT_TAG, MESSAGE_TAGS, SERVER_TIME
from pychat.protocols.irc.grammar import escape
from pychat.protocols.irc.replies.context import Context
from pychat.protocols.jsonl.fields import format_time

_CLIENT_TAG_BYTES: Final = 4094
"""Limit of the tags from a client (IRCv3 message-tags, "Size limit"); more cannot be valid."""

# Tags from clients are already escaped: only characters that would end the tags or the line are removed.
_FORBIDDEN: Final = str.maketrans(dict.fromkeys(" \r\n\0", None))

_THOUSANDTHS: Final = tuple([f"{number:03d}Z" for number in range(1000)])
_ID_DIGITS: Final = 3
_ID_BITS: Final = 4 * _ID_DIGITS
_ID_MASK: Final = (1 << _ID_BITS) - 1
_IDS: Final = tuple([f"{number:03x}" for number in range(_ID_MASK + 1)])


def event_tags(event: Event, context: Context, *, sent: str = "", piece: int = 1, account: str | None = None) -> str:
    """
    Return the tags of an event's line, followed by a blank; empty for clients without tags.

    Args:
        sent: Tags from the sender.
        account: The sender's account (IRCv3 account-tag).
        piece: The number of the line within the event; from the second on, it is appended to the id.
    """
    tags = []
    if SERVER_TIME in context.capabilities:
        tags.append(f"time={format_time(event.time)}")
    tags += _account(account, context)
    if MESSAGE_TAGS in context.capabilities:
        if event.id:
            tags.append(f"msgid={format_msgid(event.id)}" + (f"-{piece}" if piece > 1 else ""))
        if sent := _sent(sent):
            tags.append(sent)
    return f"@{';'.join(tags)} " if tags else ""


def _account(account: str | None, context: Context) -> list[str]:
    return [f"account={escape(account)}"] if account and ACCOUNT_TAG in context.capabilities else []


def _sent(tags: str) -> str:
    """Return the tags of a sender, made safe to pass on."""
    tags = tags.translate(_FORBIDDEN).strip(";")
    return tags if len(tags.encode("utf-8", "replace")) <= _CLIENT_TAG_BYTES else ""


def with_times(lines: Sequence[str], context: Context) -> Sequence[str]:
    """Add the current time to lines that do not have the time of an event, if the client wants it."""
    if SERVER_TIME not in context.capabilities or all(map(_has_time, lines)):
        return lines
    tag = f"time={format_time(context.clock())}"
    head = f"@{tag} "
    return [head + line if line.startswith(":") else line if _has_time(line) else with_tag(tag, line) for line in lines]


def _has_time(line: str) -> bool:
    if line.startswith(("@time=", ":")):  # nearly always
        return line.startswith("@")
    return line.startswith("@") and ";time=" in line.partition(" ")[0]


def with_tag(tag: str, line: str) -> str:
    """Return the line with another tag before the others."""
    return f"@{tag};{line[1:]}" if line.startswith("@") else f"@{tag} {line}"


def written(
    ids: Sequence[int],
    times: Sequence[float],
    head: str,
    texts: Sequence[str],
    context: Context,
    *,
    sent: str = "",
    account: str | None = None,
) -> str:
    """
    Return the lines of many events, each with its `event_tags`, the head and its text.

    All have an id and the same tags from their sender. Successive events share the second, and all but the last digits
    of their ids, so very little is computed for each of them.
    """
    timed, named = SERVER_TIME in context.capabilities, MESSAGE_TAGS in context.capabilities
    own = [*_account(account, context), *filter(None, [_sent(sent) if named else ""])]
    if not timed and not named:
        head = f"@{';'.join(own)} {head}" if own else head
        between = f"\r\n{head}"
        return f"{head}{between.join(texts)}\r\n"
    tail = f";{';'.join(own)} {head}" if own else f" {head}"
    start = _milliseconds(min(times)) // 1000 * 1000
    lowest, highest = min(ids), max(ids)
    if _milliseconds(max(times)) >= start + 1000 or lowest >> _ID_BITS != highest >> _ID_BITS:
        stamps = [_stamp(id, time, timed=timed, named=named) for id, time in zip(ids, times, strict=True)]
        return "".join([f"@{stamp}{tail}{text}\r\n" for stamp, text in zip(stamps, texts, strict=True)])
    second = f"@time={format_time(start / 1000)[: -len('000Z')]}"
    msgid = f"msgid={format_msgid(lowest)[:-_ID_DIGITS]}"
    if not named:
        moments = [_THOUSANDTHS[int(time * 1000 + 0.5) - start] for time in times]
        lines = [f"{second}{moment}{tail}{text}\r\n" for moment, text in zip(moments, texts, strict=True)]
    elif not timed:
        lines = [f"@{msgid}{_IDS[id & _ID_MASK]}{tail}{text}\r\n" for id, text in zip(ids, texts, strict=True)]
    else:
        lines = [
            f"{second}{_THOUSANDTHS[int(time * 1000 + 0.5) - start]};{msgid}{_IDS[id & _ID_MASK]}{tail}{text}\r\n"
            for id, time, text in zip(ids, times, texts, strict=True)
        ]
    return "".join(lines)


def _milliseconds(time: float) -> int:
    """Return the time in milliseconds, rounded as in `format_time`."""
    return int(time * 1000 + 0.5)


def _stamp(id: int, time: float, *, timed: bool, named: bool) -> str:
    tags = [f"time={format_time(time)}"] if timed else []
    if named:
        tags.append(f"msgid={format_msgid(id)}")
    return ";".join(tags)
