"""Empty rooms that wait for members: those with a lost connection, and those of the last run of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.core.rooms.changes import EmptyRoomExpiry
from pychat.core.rooms.room import Room

if TYPE_CHECKING:
    from pychat.core.chat import Chat


def wait_locked(chat: Chat, room: Room, least_seconds: float = 0.0) -> None:
    """
    Abandon an empty room after `least_seconds` and when no members are expected back any more.

    A check that is due before schedules the next one: with one for each loss of the last member, there would be ever
    more of them.
    """
    now = chat.clock.monotonic()
    seconds = max(least_seconds, room.state.waits_until - now)
    if not now < room.next_wait_check <= now + seconds:
        room.next_wait_check = now + seconds
        chat.alarms.after(seconds, lambda: end_wait(chat, room))


def end_wait(chat: Chat, room: Room) -> None:
    """Abandon a room if the wait is over; wait on if members came back and were lost again. Runs on any thread."""
    if chat.table.has(room):
        chat.propose(EmptyRoomExpiry(room.key), timer=True)
