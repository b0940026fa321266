"""The snapshot of a room: taking it, and restoring a room from it."""

from __future__ import annotations

from pychat.core.log.snapshots import MaskChanges, RoomSnapshot
from pychat.core.rooms.room import Room
from pychat.core.rooms.rules import RoomRules
from pychat.model.clock import Clock
from pychat.model.durations import deadline_of
from pychat.model.masks import MaskList


def snapshot_of(room: Room) -> RoomSnapshot:
    """Return the snapshot of a room, without its mask lists."""
    rules = room.rules
    return RoomSnapshot(
        room.name,
        bool(room.occupants) or rules.awaits(),
        room.topic,
        rules.topic_by,
        rules.topic_time,
        rules.topic_userhost,
        rules.created,
        "".join(sorted(rules.flags)),
        dict(rules.values),
        {},
        dict(rules.roles),
        tuple(rules.invited),
        rules.drops_history,
        dict(rules.accounts),
        tuple(identity for identity, by_operator in rules.invited.items() if by_operator),
    )


def take_mask_changes(rules: RoomRules) -> MaskChanges:
    """Return the changes in the lists since the last call."""
    changes = {
        (letter, key): entry for letter, masks in rules.lists.items() for key, entry in masks.take_changes().items()
    }
    fresh, rules.fresh = rules.fresh, False
    return MaskChanges(changes, fresh)


def restore_room(room: Room, snapshot: RoomSnapshot, clock: Clock) -> None:
    """Restore a new room from a snapshot. `clock` is the chat's."""
    rules = room.rules
    room.topic = snapshot.topic
    rules.topic_by, rules.topic_time = snapshot.topic_by, snapshot.topic_time
    rules.topic_userhost = snapshot.topic_userhost
    rules.created = snapshot.created
    rules.flags = frozenset(snapshot.flags)
    rules.values = dict(snapshot.values)
    for letter, masks in snapshot.lists.items():
        entries = [entry._replace(deadline=deadline_of(entry.until, clock)) for entry in masks]
        rules.lists[letter] = MaskList(entries, lasts=True)
    rules.fresh = False
    rules.roles, rules.accounts = dict(snapshot.roles), dict(snapshot.accounts)
    rules.invited = {identity: identity in snapshot.welcome for identity in snapshot.invited}
    rules.drops_history = snapshot.forgets
    rules.update_may_silence()
