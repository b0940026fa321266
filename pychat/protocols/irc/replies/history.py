"""Past messages: CHATHISTORY and its batches (IRCv3 chathistory, event-playback, batch)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from pychat.model.events import AccountChanged, AwayChanged, Event, Invited, Message, ProfileChanged, Tagged
from pychat.model.replies import Gap, HistoryPage, HistoryTargets, Replay
from pychat.protocols.irc.asked import Asked, format_msgid
from pychat.protocols.irc.capabilities import BATCH, SERVER_TIME
from pychat.protocols.irc.formatting import CTCP
from pychat.protocols.irc.replies import events, messages
from pychat.protocols.irc.replies.context import Context, Renderer, channel
from pychat.protocols.irc.replies.tags import with_tag
from pychat.protocols.jsonl.fields import format_time
from pychat.protocols.text.wording import record_title

HISTORY: Final = "history"
"""References of batches: a batch is sent at once, so no two of the same name are open (IRCv3 batch)."""
TARGETS: Final = "targets"

NO_HISTORY: Final = (AwayChanged, ProfileChanged, AccountChanged, Invited, Tagged)
"""Events that are not part of a history (IRCv3 event-playback lists those that are)."""
_RENDERERS: Final[dict[type, Renderer]] = {**events.RENDERERS, **messages.RENDERERS}


def batch(reference: str, kind: Sequence[str], lines: Sequence[str], context: Context) -> list[str]:
    """Return the lines in a batch, even if there are none; without a batch for clients that do not support it."""
    if BATCH not in context.capabilities:
        return list(lines)
    marked = [with_tag(f"batch={reference}", line) for line in lines]
    start = f":{context.server} BATCH +{reference} {' '.join(kind)}"
    return [start, *marked, f":{context.server} BATCH -{reference}"]


def _record(item: HistoryPage | Replay, context: Context) -> list[str]:
    """Return the events as they were first sent."""
    lines: list[str] = []
    for event in item.events:
        lines += _past(event, context)
    return batch(HISTORY, ["chathistory", channel(item.room)], lines, context)


def _past(event: Event, context: Context) -> list[str]:
    return [] if isinstance(event, NO_HISTORY) else _RENDERERS[type(event)](event, context)


def _history(item: HistoryPage, context: Context) -> list[str]:
    if isinstance(item.ref, Asked) and item.ref.command == "AUDIT":
        return [line for event in item.events for line in _audited(event, context)]
    if item.more and not item.events:
        return [_nothing_yet(item, context)]
    return _record(item, context)


def _nothing_yet(item: HistoryPage, context: Context) -> str:
    """Return FAIL: an empty batch would mean that there is nothing at all (IRCv3 chathistory, MESSAGE_ERROR)."""
    subcommand = item.ref.params[0].upper() if isinstance(item.ref, Asked) and item.ref.params else "*"
    then = "" if item.next is None else f"; continue from msgid={format_msgid(item.next)}"
    text = f"Nothing found as far as one request looks{then}"
    return f":{context.server} FAIL CHATHISTORY MESSAGE_ERROR {subcommand} {channel(item.room)} :{text}"


def _audited(event: Event, context: Context) -> list[str]:
    """Return an entry of the audit record, which does not belong to a channel."""
    return context.texts("NOTICE", text=f"{format_time(event.time)} {getattr(event, 'text', '')}")


def _replay(item: Replay, context: Context) -> list[str]:
    """
    Return past messages for a member who joins without chathistory: unchanged, if server-time can show their times.

    Other clients receive notices, which no program answers, with the time in the text (UTC). A CTCP request becomes
    words, because clients would answer it now.
    """
    events = tuple(_in_words(event) for event in item.events if isinstance(event, Message))
    if not events:
        return []
    if SERVER_TIME in context.capabilities:
        return _record(item._replace(events=events), context)
    lines: list[str] = []
    day = ""
    for event in events:
        moment = time.gmtime(event.time)
        if (today := time.strftime("%Y-%m-%d", moment)) != day:
            title = record_title(item.room, len(events), only_messages=True)
            lines.append(f":{context.server} NOTICE {channel(item.room)} :{today if day else f'{title}, {today} UTC'}")
            day = today
        lines += _RENDERERS[Message](_told(event, time.strftime("[%H:%M]", moment)), context)
    return lines


def _in_words(message: Message) -> Message:
    is_request = not message.action and (message.formatted or "").startswith(CTCP)
    return message._replace(formatted=None) if is_request else message


def _told(message: Message, clock: str) -> Message:
    text = message.text if message.formatted is None else message.formatted
    if message.action:
        text = f"* {message.sender} {message.text}"
    told = "\n".join([f"{clock} {line}" for line in text.split("\n") if line])
    return message._replace(text=told, formatted=None, action=False, notice=True)


def _targets(item: HistoryTargets, context: Context) -> list[str]:
    """Return the reply to CHATHISTORY TARGETS."""
    head = f":{context.server} CHATHISTORY TARGETS"
    lines = [f"{head} {channel(target.room)} {format_time(target.time)}" for target in item.targets]
    return batch(TARGETS, ["draft/chathistory-targets"], lines, context)


def _gap(item: Gap, context: Context) -> list[str]:
    """Return a notice in the channel, because messages are missing there."""
    return [f":{context.server} NOTICE {channel(item.room)} :some messages are missing here"]


RENDERERS: Final[dict[type, Renderer]] = {
    HistoryPage: _history,
    Replay: _replay,
    HistoryTargets: _targets,
    Gap: _gap,
}
