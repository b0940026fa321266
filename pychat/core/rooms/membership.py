"""
Joining and leaving rooms.

Membership changes under the order lock; the subscription to events follows in the order of entries (`Attach`,
`Detach`). A new member is subscribed when the hooks of its join have returned. Until then it catches up like a member
that comes back after a lost connection (`catch_up.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, cast

from pychat.core.hooks.chains import one_says_yes, run_before
from pychat.core.order import CAUSED_BYTES
from pychat.core.outcome import Outcome
from pychat.core.permissions import may_join, may_know, require_store
from pychat.core.rooms.behind import Behind
from pychat.core.rooms.catch_up import CatchingUp
from pychat.core.rooms.changes import Arrival, Departure, Disconnection, Removal
from pychat.core.rooms.empty_rooms import end_wait
from pychat.core.rooms.member_list import members_of
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.model.errors import LimitExceeded, NoSuchRoom, NotAMember, NotHere, Refused, refusal
from pychat.model.events import Joined, Kicked, Left
from pychat.model.names import check_room, fold, has_mark_of_irc
from pychat.model.queries import Ref
from pychat.model.replies import Failure
from pychat.model.verbs import Hello

if TYPE_CHECKING:
    from pychat.core.chat import Chat


_SHOWN: Final = 64
"""The number of characters of a refused room name that the failure repeats."""


class Membership:
    """Joining and leaving the rooms of one chat."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._catching_up = CatchingUp(chat)

    def join(
        self, session: Session, name: str, ref: Ref = None, key: str | None = None, *, create: bool = True
    ) -> None:
        """
        Join a room and make it the current one. A session that is in it already only makes it the current one.

        Args:
            create: True to create the room if it does not exist.

        Raises:
            Refused: If the name, a limit, a rule of the room (`permissions.may_join`) or a handler refuses.
        """
        outer = session.behind
        room, behind = self._enter(session, name, ref, key, create=create)
        if behind is not None:
            self._chat.run_on(self._chat.chains.on_join, session, room)
            if behind is not outer:  # else a hook of another join called this, and that join goes on
                self._chat.order.flush()
                self._catching_up.bring(session, behind)

    def arrive(self, session: Session, names: Iterable[str], places: Mapping[str, int], hello: Hello) -> None:
        """
        Join the rooms of a new session, send it what it missed there, then subscribe it.

        A room that is refused is reported as a failure; the others are joined.

        Args:
            places: The id up to which it has everything, by key, for rooms that it comes back to.
            hello: Contains room keys, whether rooms may be created, and whether to replay the last messages of other
                rooms.
        """
        chat = self._chat
        keys = {fold(name): key for name, key in hello.keys.items()}
        session.most_replayed = hello.most_replayed
        for name in names:
            if not session.is_here:
                return
            if session.caused > CAUSED_BYTES:  # member lists may be long, so they are sent one after the other
                chat.order.throttle(session)
            place = places.get(fold(name))
            session.replays = hello.replay and place is None
            try:
                create = hello.create and not has_mark_of_irc(name)
                room, behind = self._enter(session, name, None, keys.get(fold(name)), after=place, create=create)
                if behind is not None:
                    if place is None and behind.after is not None:
                        self._catching_up.tell_gap(session, room, behind.after)
                    chat.run_on(chat.chains.on_join, session, room)
            except Refused as error:  # the welcome has answered the hello already
                failure = Failure.of(error)
                chat.send(session, failure._replace(room=failure.room or name[:_SHOWN]))
        session.replays = hello.replay
        chat.order.flush()
        if session.behind is not None:
            self._catching_up.bring(session, session.behind)

    def _enter(
        self, session: Session, name: str, ref: Ref, key: str | None = None, *, after: int | None = None, create: bool
    ) -> tuple[Room, Behind | None]:
        """
        Make the session a member without a subscription yet.

        Args:
            after: The id up to which it has everything that happened in the room; None for the newest.

        Returns:
            The room, and the state of catching up; None instead of that if the session was a member already.
        """
        chat = self._chat
        chat.order.flush()
        checked = check_room(name, chat.limits)
        room = chat.table.obtain(checked)
        if room.state.waits_until and not room.state.members and not room.state.awaits(chat.clock.monotonic()):
            end_wait(chat, room)
        was_in = room.key in session.rooms
        announced = not was_in and self._ask(session, room, key)
        behind: Behind | None = None

        def settle_locked(outcome: Outcome) -> None:
            nonlocal room, behind
            # It may have been removed and created again meanwhile.
            room = session.current = session.rooms[room.key]
            if outcome.effects:
                place = room.state.members[session.identity] if after is None else after
                behind = self._catching_up.fall_behind_locked(session, room, place)
            newest = chat.log.last_id()
            place = newest if session.behind is None else session.behind.place(newest)
            members = members_of(room, ref, joined=True)
            arrival = cast("Joined | None", outcome.event if outcome.effects else None)
            chat.order.send_locked(session, members._replace(arrival=arrival, again=arrival is None, place=place))

        room = chat.table.obtain(checked)  # a hook may have removed it
        asked, created, server = not was_in, room.state.created, chat.cloaks.server
        proposal = Arrival(room.key, room.name, created, session.identity, key, create, asked, announced, server)
        chat.propose(proposal, session, then=settle_locked)
        return room, behind

    def _ask(self, session: Session, room: Room, key: str | None) -> bool:
        """Ask rules and handlers whether the session may join; return whether the join is announced."""
        chains, most = self._chat.chains, self._chat.limits.rooms_per_session
        if len(session.rooms) >= most:
            raise LimitExceeded("rooms that you are in", most, "rooms", code="too_many_rooms", room=room.name)
        require_store(session, "your membership", room.name)
        may_join(session, room, key, self._chat.clock)
        run_before(chains.before_join, session, room)
        announced = one_says_yes(chains.announces, session, room, Joined)
        require_store(session, "your membership", room.name)  # check again: hooks take time
        return announced

    def leave(self, session: Session, room: Room, reason: str) -> None:
        """Remove a session from a room; do nothing if it is not a member."""
        chat = self._chat
        chat.order.flush()
        announced = one_says_yes(chat.chains.announces, session, room, Left)
        proposal = Departure(room.key, session.identity, reason, announced, self._stays())
        try:
            left = chat.propose(proposal, session if chat.order.turn.session is session else None).effects
        except NotHere:
            return
        if left:
            chat.run_on(chat.chains.on_leave, self._current(session), room, reason)

    def kick(self, session: Session, room: Room, member: Session, reason: str) -> None:
        """
        Remove a member from a room on behalf of the session. Hooks run on the calling thread.

        Raises:
            Refused: If the session is not an operator of the room, or the member is not in it.
        """
        chat = self._chat
        chat.order.flush()
        announced = one_says_yes(chat.chains.announces, member, room, Kicked)
        nickname = member.nickname or ""
        chat.propose(
            Removal(room.key, session.identity, member.identity, nickname, reason, announced, self._stays()), session
        )
        chat.run_on(chat.chains.on_kick, session, room, self._current(member), reason)

    def _stays(self) -> bool:
        """Return whether the server stops, so that the members have not left: they find their rooms unchanged."""
        return self._chat.stopping.is_set() and self._chat.log.lasts

    def _current(self, session: Session) -> Session:
        """Return the session that has resumed this one during a hook, or the same."""
        return self._chat.nicknames.get(session.identity) or session

    def remove_everywhere(self, session: Session, keep_seconds: float = 0.0) -> bool:
        """
        Close the session for new verbs and remove it from its rooms; return False if that was done before.

        `session.rooms` still lists its rooms. They keep its roles for `keep_seconds`, in case it comes back.
        """
        with self._chat.order.lock:
            if session.closed:
                return False
            session.closed = True
            if session.nickname is not None:
                proposal = Disconnection(session.identity, keep_seconds, self._stays())
                self._chat.sequencer.apply_locked(proposal)
            return True


def own_room(session: Session, name: str | None) -> Room:
    """
    Return the room that a verb means: the current one, or another that the session is in.

    Raises:
        Refused: If the session is not in that room, or in none.
    """
    room = session.current if name is None else session.rooms.get(name) or session.rooms.get(fold(name))
    if room is not None:
        return room
    if name is None:
        raise refusal("you are not in a room; join one first", code="not_a_member")
    raise NotAMember(name)


def known_room(session: Session, name: str | None) -> Room:
    """
    Return the room that a verb means: the current one, or any room that the session may know of.

    Raises:
        Refused: If the room does not exist, or the session may not know of it.
    """
    if name is None:
        return own_room(session, None)
    room = session.chat.find_room(name)
    if room is None or not may_know(session, room):
        raise NoSuchRoom(name)
    return room


def shown_room(session: Session, name: str | None) -> Room:
    """Return the same, but raise `NotAMember` for an unknown room, so that it looks like a missing membership."""
    try:
        return known_room(session, name)
    except NoSuchRoom as error:
        raise NotAMember(name or "") from error
