"""The expiry of a room's bans and other masks: they are removed in time, and the room is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pychat.core.rooms.changes import MaskExpiry
from pychat.core.rooms.room import Room

if TYPE_CHECKING:
    from pychat.core.chat import Chat

_LONGEST_LOOK: Final = 3600.0
"""The seconds after which expiry is checked again, so that there are never many timers."""


def watch_locked(chat: Chat, room: Room) -> None:
    """Schedule the expiry of a room's bans, unless that is done."""
    entries = [entry for entries in room.state.lists.values() for entry in entries]
    ends = [entry.deadline for entry in entries if entry.deadline is not None]
    if not ends:
        return
    now = chat.clock.monotonic()
    seconds = min(max(0.0, min(ends) - now), _LONGEST_LOOK)
    at = now + seconds
    if room.next_expiry_check is None or room.next_expiry_check <= now or at < room.next_expiry_check:
        room.next_expiry_check = at
        chat.alarms.after(seconds, lambda: _end_in_time(chat, room))


def _end_in_time(chat: Chat, room: Room) -> None:
    """Propose the end of the bans that have expired. Runs on the scheduler's thread."""
    if chat.table.is_used(room):
        chat.propose(MaskExpiry(room.key, chat.cloaks.server), timer=True)
