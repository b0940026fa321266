"""Statistics of a chat for administrators: `/stats`, and the server's log on request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pychat.model import queries
from pychat.model.replies import Lines

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.session import Session


def figures(chat: Chat) -> Mapping[str, str]:
    """Return names and values, in the order in which to show them. May read the disk; do not hold a lock."""
    counts, people = chat.counts(), chat.sessions()
    languages = Counter(person.language or "program" for person in people)
    said = chat.census.messages + sum(person.messages for person in people)
    return {
        "up": _duration(chat.clock.monotonic() - chat.began),
        "people": f"{counts.people}, at most {counts.most} at the same time",
        "languages": ", ".join(f"{language} {count}" for language, count in sorted(languages.items())) or "none",
        "connections without a nickname": str(counts.strangers),
        "rooms in use": str(counts.rooms),
        "messages": str(said),
        **chat.log.figures(),
        "trouble": chat.log.storage_error or "none",
    }


def lines_of(chat: Chat) -> tuple[str, ...]:
    """Return the statistics as lines for people."""
    return tuple(f"{name}: {value}" for name, value in figures(chat).items())


def get_stats(chat: Chat, session: Session, verb: queries.GetStats) -> None:
    """Reply with the statistics."""
    chat.send(session, Lines(verb.ref, lines_of(chat)))


def _duration(seconds: float) -> str:
    days, rest = divmod(int(seconds), 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    while len(parts) > 1 and not parts[0][0]:
        del parts[0]
    return " ".join(f"{number} {unit}" for number, unit in parts[:2])
