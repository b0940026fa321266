"""
Many messages at once: a chunk of a busy member's messages that need no individual checks.

The result is the same as for one `Say` each, in order, but common work is done once. Messages that are not plain take
the other way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.core.session import Session
from pychat.model import verbs
from pychat.model.text import need_no_check

if TYPE_CHECKING:
    from pychat.core.chat import Chat


def say_all(chat: Chat, session: Session, verb: verbs.SayAll) -> list[verbs.Verb]:
    """Perform `SayAll`, if its messages need no individual checks; return the verbs to perform instead."""
    room = session.current if verb.room is None else session.rooms.get(verb.room)
    texts = verb.texts
    if not texts:
        return []
    together = "".join(texts)
    if room is None or room.state.may_silence or "B" in session.modes or not _all_plain(chat, texts, together):
        return [verbs.Say(text, verb.room) for text in texts]
    session.last_message_time = session.last_input_time
    session.messages += len(texts)
    chat.order.say_all(session, room, texts, len(together))
    return []


def _all_plain(chat: Chat, texts: list[str], together: str) -> bool:
    """Return whether no handler has to see these texts, and `checked_text` would not change them."""
    chains = chat.chains
    return (
        chains.publishes_all
        and need_no_check(texts, together, chat.limits)
        and not any(prefix in together for prefix in chains.prefixes)
    )
