"""
Snapshots of rooms and resumable sessions, as a log persists them.

Membership is not persisted. After a restart, rooms wait a while for their members (`RoomRules.waits_until`): a client
with a session's token gets its nickname, identity and roles back, as after a lost connection. After that, the rooms are
treated as if the last member had left.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from pychat.core.people.nicknames import Parked
from pychat.core.rooms.room import Room
from pychat.core.rooms.rules import RoomRules
from pychat.model.clock import Clock
from pychat.model.durations import as_of_now, deadline_of
from pychat.model.masks import MaskList
from pychat.model.modes import MaskEntry
from pychat.model.tokens import digest_of
from pychat.renamed import find_renamed

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.session import Session


_LEAST_WAIT_SECONDS: Final = 10.0
"""
How long rooms are kept as they were at shutdown even if no session can be resumed: a program needs a moment to claim
its own rooms (`Chat.room`).
"""


class RoomSnapshot(NamedTuple):
    """A room at some position of the order; the fields are those of `Room` and `RoomRules`."""

    name: str
    occupied: bool
    """True if the room had members or expected some."""
    topic: str
    topic_by: str
    topic_time: float
    topic_userhost: str
    created: float
    flags: str
    values: Mapping[str, str]
    lists: dict[str, tuple[MaskEntry, ...]]
    """Empty when it is stored: changes are stored separately, as `MaskChanges`."""
    roles: dict[int, str]
    invited: tuple[int, ...]
    forgets: bool
    """`RoomRules.drops_history`."""
    accounts: Mapping[str, str] = MappingProxyType({})
    welcome: tuple[int, ...] = ()
    """The invited identities that an operator has invited."""


class MaskChanges(NamedTuple):
    """The changes in the mask lists of a room, so that a small change is cheap to store."""

    changes: Mapping[tuple[str, str], MaskEntry | None] = MappingProxyType({})
    """By letter of the list and folded mask; None for a removed mask."""
    anew: bool = False
    """True if the lists were empty before these changes, whatever is stored."""


class SessionSnapshot(NamedTuple):
    """A session that can be resumed, at some position of the order."""

    digest: str
    """The digest of its token (`tokens.digest_of`), so that a reader of the file cannot resume it."""
    nickname: str
    identity: int
    rooms: tuple[str, ...]
    away: str | None
    realname: str
    modes: str
    lost: float | None
    """When its connection was lost, in POSIX seconds; None if it was connected."""


class Lasting:
    """Persists the state of the chat. With a log in memory, it does nothing."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def save_room_locked(self, room: Room) -> None:
        """Store the snapshot of a room after a change of its topic or rules."""
        masks = _masks_of(room.rules)
        if self._chat.log.lasts:
            self._chat.log.save_room(room.key, _room_of(room), masks, room, self._chat.order.turn.session)

    def save_session_locked(self, session: Session, lost: float | None = None) -> None:
        """Store the snapshot of a session after a change; `lost` is when its connection was lost."""
        if self._chat.log.lasts and session.resumable and session.token is not None:
            self._chat.log.save_session(_session_of(session, digest_of(session.token), lost), session)

    def release_locked(self, session: Session, keep: bool) -> None:
        """Store or drop the snapshot of a session that has ended. `keep`: it can be resumed; at shutdown, all can."""
        ending = self._chat.stopping.is_set() and session.resumable and not session.must_not_return
        if keep:
            self.save_session_locked(session, self._chat.clock.time())
        elif session.token is not None and not ending:
            self._chat.log.drop_session(digest_of(session.token))

    def save_ends(self) -> None:
        """At shutdown, store the ends of bans by the current clock, because the next start knows no other."""
        chat = self._chat
        with chat.order.lock:
            chat.bans.save_ends_locked()
            for room in chat.table.in_memory():
                changed = False
                for masks in room.rules.lists.values():
                    for entry in tuple(masks):
                        if as_of_now(entry, chat.clock) is not entry:
                            masks.add(as_of_now(entry, chat.clock))
                            changed = True
                if changed:
                    self.save_room_locked(room)

    def restore(self) -> None:
        """Restore the rooms of the last run, and wait for their members."""
        chat = self._chat
        seconds = chat.limits.resume_seconds
        until, now = chat.clock.monotonic() + seconds, chat.clock.time()
        with chat.order.lock:
            for snapshot in chat.log.load_rooms():
                room = Room(chat, snapshot.name)
                restore_room(room, snapshot, chat.clock)
                room.rules.waits_until = until
                room.rules.expected = dict.fromkeys(room.rules.roles, until)
                chat.table.put_locked(room)
                chat.membership.wait_locked(room, _LEAST_WAIT_SECONDS)
            for session in chat.log.load_sessions():
                if session.lost is not None and session.lost + seconds < now:
                    chat.log.drop_session(session.digest)
                else:
                    self._expect(session, until)

    def _expect(self, snapshot: SessionSnapshot, until: float) -> None:
        """Reserve the nickname of a session, and its place in its rooms, for the holder of its token."""
        digest, nickname, identity, rooms, away, realname, modes, _ = snapshot
        parked = Parked(nickname, identity, rooms, away, realname, modes, until, knows_password=False)
        self._chat.nicknames.park(digest, parked)
        for name in rooms:
            room = self._chat.table.get(name)
            if room is not None:
                room.rules.expected[identity] = until


def _room_of(room: Room) -> RoomSnapshot:
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


def _masks_of(rules: RoomRules) -> MaskChanges:
    """Return the changes in the lists since the last call."""
    changes = {
        (letter, key): entry for letter, masks in rules.lists.items() for key, entry in masks.take_changes().items()
    }
    fresh, rules.fresh = rules.fresh, False
    return MaskChanges(changes, fresh)


def _session_of(session: Session, digest: str, lost: float | None) -> SessionSnapshot:
    return SessionSnapshot(
        digest,
        session.nickname or "",
        session.identity,
        session.room_names,
        session.away,
        session.realname,
        session.modes,
        lost,
    )


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


if not TYPE_CHECKING:
    __getattr__ = find_renamed(
        __name__, {"KeptMasks": "MaskChanges", "KeptRoom": "RoomSnapshot", "KeptSession": "SessionSnapshot"}
    )
