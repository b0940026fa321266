"""The snapshot of a room: taking it, and restoring a room from it."""

from __future__ import annotations

from pychat.core.log.snapshots import MaskChanges, RoomSnapshot
from pychat.core.rooms.room import Room
from pychat.core.rooms.rules import restored
from pychat.model.clock import Clock


def snapshot_of(room: Room, now: float) -> RoomSnapshot:
    """Return the snapshot of a room, without its mask lists."""
    state = room.state
    return RoomSnapshot(
        room.name,
        bool(room.state.members) or state.awaits(now),
        state.topic,
        state.topic_by,
        state.topic_time,
        state.topic_userhost,
        state.created,
        "".join(sorted(state.flags)),
        dict(state.values),
        {},
        dict(state.roles),
        tuple(state.invited),
        state.drops_history,
        dict(state.accounts),
        tuple(identity for identity, by_operator in state.invited.items() if by_operator),
    )


def take_mask_changes(room: Room) -> MaskChanges:
    """Return the changes in the lists since the last call."""
    changes = {
        (letter, key): entry
        for letter, masks in room.state.lists.items()
        for key, entry in masks.take_changes().items()
    }
    anew, room.lists_are_new = room.lists_are_new, False
    return MaskChanges(changes, anew)


def restore_room(room: Room, snapshot: RoomSnapshot, clock: Clock) -> None:
    """Restore a new room from a snapshot. `clock` is the chat's."""
    room.state = restored(snapshot, clock)
    room.lists_are_new = False
