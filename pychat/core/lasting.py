"""
What lasts beside the record of the rooms, as values that a log can keep: rooms, and who may come back into them.

Who is in a room does not last. When the server has ended and is there again, members are waited for a while
(`RoomRules.awaited`): who has the token of a session gets its nickname, its identity and its roles back, as after a
lost connection. After that it is as if the last member had left.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from pychat.core.banning import watch_locked
from pychat.core.modes import MaskEntry
from pychat.core.nicknames import Parked, digest_of
from pychat.core.room import Room

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.session import Session


class KeptRoom(NamedTuple):
    """A room as it was at some place of the order; the fields are those of `Room` and `RoomRules`."""

    name: str
    occupied: bool
    """Whether somebody was in it."""
    topic: str
    topic_by: str
    topic_time: float
    topic_userhost: str
    created: float
    flags: str
    key: str | None
    limit: int | None
    lists: dict[str, tuple[MaskEntry, ...]]
    roles: dict[int, str]
    invited: tuple[int, ...]
    forgets: bool
    slow: int = 0
    accounts: Mapping[str, str] = MappingProxyType({})


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
        if self._chat.log.lasts:
            self._chat.log.keep_room(room.key, _room_of(room))

    def keep_session_locked(self, session: Session, lost: float | None = None) -> None:
        """Who or where a session is has changed; `lost`: when its connection was."""
        if self._chat.log.lasts and session.resumable and session.token is not None:
            self._chat.log.keep_session(_session_of(session, digest_of(session.token), lost))

    def release_locked(self, session: Session, keep: bool) -> None:
        """A session is over. `keep`: it may come back; when the server ends, all may."""
        ending = self._chat.stopping.is_set() and session.resumable and not session.unwanted
        if keep:
            self.keep_session_locked(session, self._chat.clock.time())
        elif session.token is not None and not ending:
            self._chat.log.drop_session(digest_of(session.token))

    def restore(self) -> None:
        """Let rooms be as they were when the server ended, and wait for those who were in them."""
        chat = self._chat
        seconds = chat.limits.resume_seconds
        until, now = chat.clock.monotonic() + seconds, chat.clock.time()
        with chat.order.lock:
            for kept in chat.log.kept_rooms():
                room = Room(chat, kept.name)
                _restore(room, kept, until)
                chat.restore_room_locked(room)
                watch_locked(chat, room)
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
            room = self._chat.find_room(name)
            if room is not None:
                room.rules.absent[identity] = until


def _room_of(room: Room) -> KeptRoom:
    rules = room.rules
    return KeptRoom(
        room.name,
        bool(room.occupants),
        room.topic,
        rules.topic_by,
        rules.topic_time,
        rules.topic_userhost,
        rules.created,
        "".join(sorted(rules.flags)),
        rules.key,
        rules.limit,
        {letter: tuple(masks) for letter, masks in rules.lists.items() if len(masks)},
        dict(rules.roles),
        tuple(rules.invited),
        rules.forgets,
        rules.slow,
        dict(rules.accounts),
    )


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


def _restore(room: Room, kept: KeptRoom, until: float) -> None:
    rules = room.rules
    room.topic = kept.topic
    rules.topic_by, rules.topic_time, rules.topic_userhost = kept.topic_by, kept.topic_time, kept.topic_userhost
    rules.created = kept.created
    rules.flags = frozenset(kept.flags)
    rules.key, rules.limit, rules.slow = kept.key, kept.limit, kept.slow
    for letter, masks in kept.lists.items():
        for mask in masks:
            rules.lists[letter].add(mask)
    rules.roles, rules.accounts = dict(kept.roles), dict(kept.accounts)
    rules.invited = dict.fromkeys(kept.invited)
    rules.forgets = kept.forgets
    rules.update_hushes()
    if kept.occupied:
        rules.awaited = until
        rules.absent = dict.fromkeys(rules.roles, rules.awaited)
