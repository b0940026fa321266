"""The expiry of a room's bans and other masks: they are removed in time, and the room is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pychat.core.rooms.room import Room
from pychat.model.events import ModesChanged
from pychat.model.modes import LISTS, ModeChange

if TYPE_CHECKING:
    from pychat.core.chat import Chat

_LONGEST_LOOK: Final = 3600.0
"""The seconds after which expiry is checked again, so that there are never many timers."""


def watch_locked(chat: Chat, room: Room) -> None:
    """Schedule the expiry of a room's bans."""
    entries = [entry for entries in room.rules.lists.values() for entry in entries]
    ends = [entry.deadline for entry in entries if entry.deadline is not None]
    if not ends:
        return
    now = chat.clock.monotonic()
    seconds = min(max(0.0, min(ends) - now), _LONGEST_LOOK)
    at = now + seconds
    if room.rules.next_expiry_check is None or at < room.rules.next_expiry_check:
        room.rules.next_expiry_check = at
        chat.alarms.after(seconds, lambda: _end_in_time(chat, room))


def _end_in_time(chat: Chat, room: Room) -> None:
    """Remove the bans that have expired. Runs on the scheduler's thread."""
    with chat.order.change():
        rules = room.rules
        rules.next_expiry_check = None
        if chat.stopping.is_set() or not chat.table.is_used(room):
            return
        changes: list[ModeChange] = []
        for letter in LISTS:
            for entry in rules.lists[letter].ended(chat.clock.monotonic()):
                rules.lists[letter].remove(entry.mask)
                changes.append(ModeChange(False, letter, entry.mask))
        if changes:
            rules.update_may_silence()
            event = ModesChanged(0, 0.0, room.name, chat.cloaks.server, tuple(changes))
            chat.order.append_locked(event, room.as_tuple)
            chat.persistence.save_room_locked(room)
        watch_locked(chat, room)
