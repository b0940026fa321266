"""
Snapshots of rooms and resumable sessions, as a log persists them.

Membership is not persisted. After a restart, rooms wait a while for their members (`RoomState.waits_until`): a client
with a session's token gets its nickname, identity and roles back, as after a lost connection. After that, the rooms are
treated as if the last member had left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pychat.core.log.snapshots import SessionSnapshot
from pychat.core.moderation.changes import restore_bans
from pychat.core.people.changes import ReservationExpiry
from pychat.core.people.rules import park
from pychat.core.people.state import Parked
from pychat.core.rooms import rules
from pychat.core.rooms.empty_rooms import wait_locked
from pychat.core.rooms.room import Room
from pychat.core.rooms.snapshot import restore_room, snapshot_of, take_mask_changes
from pychat.model.durations import as_of_now

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.session import Session


_LEAST_WAIT_SECONDS: Final = 10.0
"""
How long rooms are kept as they were at shutdown even if no session can be resumed: a program needs a moment to claim
its own rooms (`Chat.room`).
"""


class Persistence:
    """Persists the state of the chat. With a log in memory, it does nothing."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def save_room_locked(self, room: Room) -> None:
        """Store the snapshot of a room after a change of its topic or rules."""
        masks = take_mask_changes(room)
        if self._chat.log.lasts:
            snapshot = snapshot_of(room, self._chat.clock.monotonic())
            self._chat.log.save_room(room.key, snapshot, masks, room, self._chat.order.turn.session)

    def save_session_locked(self, session: Session, lost: float | None = None) -> None:
        """Store the snapshot of a session after a change; `lost` is when its connection was lost."""
        digest = session.person.token_digest
        if self._chat.log.lasts and session.resumable and digest is not None:
            self._chat.log.save_session(_session_of(session, digest, lost), session)

    def release_locked(self, session: Session, keep: bool) -> None:
        """Store or drop the snapshot of a session that has ended. `keep`: it can be resumed; at shutdown, all can."""
        ending = self._chat.stopping.is_set() and session.resumable and not session.must_not_return
        if keep:
            self.save_session_locked(session, self._chat.clock.time())
        elif session.person.token_digest is not None and not ending:
            self._chat.log.drop_session(session.person.token_digest)

    def save_ends(self) -> None:
        """At shutdown, store the ends of bans by the current clock, because the next start knows no other."""
        chat = self._chat
        with chat.order.lock:
            for key, ban in chat.state.server_bans.bans.items():
                if as_of_now(ban, chat.clock) is not ban:
                    chat.log.save_ban(key, as_of_now(ban, chat.clock), None)
            for room in chat.table.in_memory():
                if rules.set_ends(room.state, chat.clock):
                    self.save_room_locked(room)

    def restore(self) -> None:
        """Restore the rooms of the last run, and wait for their members."""
        chat = self._chat
        seconds = chat.limits.resume_seconds
        until, now = chat.clock.monotonic() + seconds, chat.clock.time()
        with chat.order.lock:
            bans = chat.log.load_bans()
            if bans:
                restore_bans(chat.state.server_bans, bans, chat.clock)
            for snapshot in chat.log.load_rooms():
                room = Room(chat, snapshot.name)
                restore_room(room, snapshot, chat.clock)
                rules.expect_members(room.state, until)
                chat.table.put_locked(room)
                wait_locked(chat, room, _LEAST_WAIT_SECONDS)
            for session in chat.log.load_sessions():
                if session.lost is not None and session.lost + seconds < now:
                    chat.log.drop_session(session.digest)
                else:
                    self._expect(session, until)
        if chat.state.people.parked:
            chat.alarms.after(seconds, self._end_reservations)

    def _end_reservations(self) -> None:
        """Propose the end of the reservations for those who have not come back."""
        chat = self._chat
        for digest, _ in chat.reservations():
            chat.propose(ReservationExpiry(digest), timer=True)

    def _expect(self, snapshot: SessionSnapshot, until: float) -> None:
        """Reserve the nickname of a session, and its place in its rooms, for the holder of its token."""
        digest, nickname, identity, rooms, away, realname, modes, _ = snapshot
        parked = Parked(nickname, identity, rooms, away, realname, modes, until, knows_password=False)
        park(self._chat.state.people, digest, parked)
        for name in rooms:
            room = self._chat.table.get(name)
            if room is not None:
                rules.expect(room.state, identity, until)


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
