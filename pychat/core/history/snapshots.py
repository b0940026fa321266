"""
What lasts beside the record of the rooms, as values that a log can keep: rooms, and who may come back into them.

Who is in a room does not last. When the server has ended and is there again, members are waited for a while
(`RoomRules.awaited`): who has the token of a session gets its nickname, its identity and its roles back, as after a
lost connection. After that it is as if the last member had left.
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

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.session import Session


_LEAST_WAIT_SECONDS: Final = 10.0
"""
How long rooms are as they were when the server ended, even if no connection is kept for anybody: a program needs a
moment to say which of them are its own (`Chat.room`).
"""


class KeptRoom(NamedTuple):
    """A room as it was at some place of the order; the fields are those of `Room` and `RoomRules`."""

    name: str
    occupied: bool
    """Whether somebody was in it, or was expected back."""
    topic: str
    topic_by: str
    topic_time: float
    topic_userhost: str
    created: float
    flags: str
    key: str | None
    limit: int | None
    lists: dict[str, tuple[MaskEntry, ...]]
    """When it is kept, they come apart from it, as `KeptMasks`."""
    roles: dict[int, str]
    invited: tuple[int, ...]
    forgets: bool
    slow: int = 0
    accounts: Mapping[str, str] = MappingProxyType({})
    welcome: tuple[int, ...] = ()
    """Those of the invited whom an operator has invited."""


class KeptMasks(NamedTuple):
    """What has changed in the lists of masks of a room: so it costs little to change little."""

    changes: Mapping[tuple[str, str], MaskEntry | None] = MappingProxyType({})
    """By letter of the list and folded mask; None: it was removed."""
    anew: bool = False
    """Whether the lists were empty before these changes, whatever is stored."""


class KeptSession(NamedTuple):
    """A session that can come back, as it was at some place of the order."""

    digest: str
    """Of its token (`nicknames.digest_of`): who reads the file cannot come back for others."""
    nickname: str
    identity: int
    rooms: tuple[str, ...]
    away: str | None
    realname: str
    modes: str
    lost: float | None
    """When its connection was lost, POSIX seconds; None: it was there."""


class Lasting:
    """What the chat does so that things last. With a log in memory none of it does anything."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def keep_room_locked(self, room: Room) -> None:
        """The topic or the rules of a room have changed."""
        masks = _masks_of(room.rules)
        if self._chat.log.lasts:
            self._chat.log.keep_room(room.key, _room_of(room), masks, room, self._chat.order.turn.session)

    def keep_session_locked(self, session: Session, lost: float | None = None) -> None:
        """Who or where a session is has changed; `lost`: when its connection was."""
        if self._chat.log.lasts and session.resumable and session.token is not None:
            self._chat.log.keep_session(_session_of(session, digest_of(session.token), lost), session)

    def release_locked(self, session: Session, keep: bool) -> None:
        """A session is over. `keep`: it may come back; when the server ends, all may."""
        ending = self._chat.stopping.is_set() and session.resumable and not session.unwanted
        if keep:
            self.keep_session_locked(session, self._chat.clock.time())
        elif session.token is not None and not ending:
            self._chat.log.drop_session(digest_of(session.token))

    def keep_ends(self) -> None:
        """The server ends: keep when bans end by the clock as it is now, for the next start knows no other."""
        chat = self._chat
        with chat.order.lock:
            chat.bans.keep_ends_locked()
            for room in chat.table.in_memory():
                changed = False
                for masks in room.rules.lists.values():
                    for entry in tuple(masks):
                        if as_of_now(entry, chat.clock) is not entry:
                            masks.add(as_of_now(entry, chat.clock))
                            changed = True
                if changed:
                    self.keep_room_locked(room)

    def restore(self) -> None:
        """Let rooms be as they were when the server ended, and wait for those who were in them."""
        chat = self._chat
        seconds = chat.limits.resume_seconds
        until, now = chat.clock.monotonic() + seconds, chat.clock.time()
        with chat.order.lock:
            for kept in chat.log.kept_rooms():
                room = Room(chat, kept.name)
                restore_room(room, kept, chat.clock)
                room.rules.awaited = until
                room.rules.absent = dict.fromkeys(room.rules.roles, until)
                chat.table.put_locked(room)
                chat.membership.wait_locked(room, _LEAST_WAIT_SECONDS)
            for session in chat.log.kept_sessions():
                if session.lost is not None and session.lost + seconds < now:
                    chat.log.drop_session(session.digest)
                else:
                    self._expect(session, until)

    def _expect(self, kept: KeptSession, until: float) -> None:
        """Keep the nickname of a session, and its way into its rooms, for the holder of its token."""
        digest, nickname, identity, rooms, away, realname, modes, _ = kept
        parked = Parked(nickname, identity, rooms, away, realname, modes, until, knows_password=False)
        self._chat.nicknames.park(digest, parked)
        for name in rooms:
            room = self._chat.table.get(name)
            if room is not None:
                room.rules.absent[identity] = until


def _room_of(room: Room) -> KeptRoom:
    rules = room.rules
    return KeptRoom(
        room.name,
        bool(room.occupants) or rules.awaits(),
        room.topic,
        rules.topic_by,
        rules.topic_time,
        rules.topic_userhost,
        rules.created,
        "".join(sorted(rules.flags)),
        rules.key,
        rules.limit,
        {},
        dict(rules.roles),
        tuple(rules.invited),
        rules.forgets,
        rules.slow,
        dict(rules.accounts),
        tuple(identity for identity, by_operator in rules.invited.items() if by_operator),
    )


def _masks_of(rules: RoomRules) -> KeptMasks:
    """Return what has changed in the lists since they were asked last."""
    changes = {
        (letter, key): entry for letter, masks in rules.lists.items() for key, entry in masks.take_changes().items()
    }
    fresh, rules.fresh = rules.fresh, False
    return KeptMasks(changes, fresh)


def _session_of(session: Session, digest: str, lost: float | None) -> KeptSession:
    return KeptSession(
        digest,
        session.nickname or "",
        session.identity,
        session.room_names,
        session.away,
        session.realname,
        session.modes,
        lost,
    )


def restore_room(room: Room, kept: KeptRoom, clock: Clock) -> None:
    """Let a room that was just made be as it was when it was kept. `clock`: the chat's."""
    rules = room.rules
    room.topic = kept.topic
    rules.topic_by, rules.topic_time, rules.topic_userhost = kept.topic_by, kept.topic_time, kept.topic_userhost
    rules.created = kept.created
    rules.flags = frozenset(kept.flags)
    rules.key, rules.limit, rules.slow = kept.key, kept.limit, kept.slow
    for letter, masks in kept.lists.items():
        entries = [entry._replace(deadline=deadline_of(entry.until, clock)) for entry in masks]
        rules.lists[letter] = MaskList(entries, lasts=True)
    rules.fresh = False
    rules.roles, rules.accounts = dict(kept.roles), dict(kept.accounts)
    rules.invited = {identity: identity in kept.welcome for identity in kept.invited}
    rules.forgets = kept.forgets
    rules.update_hushes()
