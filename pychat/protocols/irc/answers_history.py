"""What was said before: CHATHISTORY and its batches (IRCv3 chathistory, event-playback, batch)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pychat.core.events import AwayChanged, Event, Invited, ProfileChanged, Tagged
from pychat.core.replies import Gap, HistoryPage, HistoryTargets, Replay
from pychat.protocols.irc import events, messages
from pychat.protocols.irc.capabilities import BATCH
from pychat.protocols.irc.style import Renderer, Style, channel
from pychat.protocols.irc.tags import with_tag
from pychat.protocols.irc.words import Asked
from pychat.protocols.json_values import format_time

HISTORY: Final = "history"
"""References of batches: what is in one is sent at once, so no other of that name is open (IRCv3 batch)."""
TARGETS: Final = "targets"

_NO_HISTORY: Final = (AwayChanged, ProfileChanged, Invited, Tagged)
"""Events that say nothing about the past (IRCv3 event-playback lists those that do)."""
_RENDERERS: Final[dict[type, Renderer]] = {**events.RENDERERS, **messages.RENDERERS}


def batch(reference: str, kind: Sequence[str], lines: Sequence[str], style: Style) -> list[str]:
    """Return the lines in a batch, also if there are none; as they are for who does not know batches."""
    if BATCH not in style.capabilities:
        return list(lines)
    marked = [with_tag(f"batch={reference}", line) for line in lines]
    start = f":{style.server} BATCH +{reference} {' '.join(kind)}"
    return [start, *marked, f":{style.server} BATCH -{reference}"]


def _record(item: HistoryPage | Replay, style: Style) -> list[str]:
    """The events as they were written when they happened."""
    lines: list[str] = []
    for event in item.events:
        lines += _past(event, style)
    return batch(HISTORY, ["chathistory", channel(item.room)], lines, style)


def _past(event: Event, style: Style) -> list[str]:
    return [] if isinstance(event, _NO_HISTORY) else _RENDERERS[type(event)](event, style)


def _history(item: HistoryPage, style: Style) -> list[str]:
    if isinstance(item.ref, Asked) and item.ref.command == "AUDIT":
        return [line for event in item.events for line in _audited(event, style)]
    return _record(item, style)


def _audited(event: Event, style: Style) -> list[str]:
    """An entry of the audit record, which is no channel's."""
    return style.texts("NOTICE", text=f"{format_time(event.time)} {getattr(event, 'text', '')}")


def _replay(item: Replay, style: Style) -> list[str]:
    return _record(item, style) if item.events else []


def _targets(item: HistoryTargets, style: Style) -> list[str]:
    """The answer to CHATHISTORY TARGETS."""
    head = f":{style.server} CHATHISTORY TARGETS"
    lines = [f"{head} {channel(target.room)} {format_time(target.time)}" for target in item.targets]
    return batch(TARGETS, ["draft/chathistory-targets"], lines, style)


def _gap(item: Gap, style: Style) -> list[str]:
    """In the channel's own window, because it is there that something is missing."""
    return [f":{style.server} NOTICE {channel(item.room)} :some messages are missing here"]


RENDERERS: Final[dict[type, Renderer]] = {
    HistoryPage: _history,
    Replay: _replay,
    HistoryTargets: _targets,
    Gap: _gap,
}
