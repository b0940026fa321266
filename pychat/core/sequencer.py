"""
The sequencer: gives proposals their position in the order, applies them, and carries out the outcome.

A verb checks permissions, runs hooks, and proposes; `apply` checks again what may have changed, and is the only code
that changes the state. Here this happens at once, under the order lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from pychat.core.delivery import Detach
from pychat.core.outcome import (
    AddMember,
    Author,
    AwaitMembers,
    AwaitReturn,
    CountForOther,
    CountModes,
    DropMember,
    DropToken,
    Effect,
    ForgetHistory,
    Hear,
    Note,
    Outcome,
    Position,
    Publish,
    Release,
    ResetRoom,
    SaveRoom,
    SaveServerBan,
    SaveSession,
    SendTo,
    Uncount,
    Unsubscribe,
    WatchMasks,
)
from pychat.core.people.changes import ReservationExpiry
from pychat.core.people.ignore import hear_locked
from pychat.core.proposals import APPLY, Proposal
from pychat.core.rooms.ban_expiry import watch_locked
from pychat.core.rooms.empty_rooms import wait_locked
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.model.errors import NoSuchRoom, NotHere
from pychat.model.replies import LoggedIn, LoggedOut, UserModes

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.model.events import Event, PersonEvent
    from pychat.model.queries import Ref


_ANSWERS: Final = (LoggedIn, LoggedOut, UserModes)
"""The replies that outcomes send to whoever asks for the change."""


class Sequencer:
    """The sequencer of one chat."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._order, self._state = chat.order, chat.state
        self._people, self._used = chat.nicknames.by_identity, chat.table.by_key

    def propose(
        self,
        proposal: Proposal,
        session: Session | None = None,
        ref: Ref = None,
        *,
        asker: Session | None = None,
        first: Callable[[Outcome], None] | None = None,
        then: Callable[[Outcome], None] | None = None,
        timer: bool = False,
    ) -> Outcome:
        """
        Apply a proposal after everything that this thread has caused before. Do not hold the order lock.

        Args:
            session: The session whose verb this is, if any; nothing happens if it is gone.
            ref: The mark of that verb, for the replies of the outcome.
            asker: The session that gets those replies, if `session` is not given.
            first: Called before the effects, under the order lock, for what belongs to the session alone.
            then: Called after them, still under the order lock.
            timer: True if nobody asks for it now: it does nothing if the chat has ended.

        Raises:
            NotHere: If that session has ended or was disconnected since its verb began.
            Refused: If the proposal is refused; nothing has changed then.
            Outdated: Likewise, if it must be made anew.
        """
        order = self._order
        order.flush()
        try:  # as `Order.change` does, which costs more
            with order.lock:
                if session is not None and not session.is_here:
                    raise NotHere
                if timer and order.stopping.is_set():
                    return Outcome()
                outcome = self.apply_locked(proposal, asker or session, ref, first=first, then=then)
        finally:
            order.wake()
        if session is None:
            self._chat.audit.write()
        return outcome

    def apply_locked(
        self,
        proposal: Proposal,
        session: Session | None = None,
        ref: Ref = None,
        *,
        first: Callable[[Outcome], None] | None = None,
        then: Callable[[Outcome], None] | None = None,
    ) -> Outcome:
        """Apply a proposal at once: see `propose`. The caller holds the order lock, and wakes the delivery."""
        position = self._order.position_locked()
        outcome = APPLY[type(proposal)](self._state, proposal, position)
        if ref is not None and session is not None:
            outcome.effects = [_with_ref(effect, session.identity, ref) for effect in outcome.effects]
        if first is not None:
            first(outcome)
        event = self.carry_out_locked(outcome.effects, position, getattr(proposal, "author", None))
        outcome.event = outcome.event or event
        if then is not None:
            then(outcome)
        return outcome

    def carry_out_locked(
        self, effects: Iterable[Effect], position: Position | None = None, author: Author | None = None
    ) -> Event | None:
        """
        Carry out what happens because of a change; return the first event that is published.

        Args:
            position: Where the change was applied, if events follow from it.
            author: For notes in the audit record.
        """
        first: Event | None = None
        for effect in effects:
            if type(effect) is Publish:
                time = None if position is None or first is not None else position.stamp()
                event = self._publish_locked(effect, time)
                first = event if first is None else first
            elif type(effect) is Note:
                assert author is not None
                self._chat.audit.note_locked(author.described, effect.what)
            else:
                self._DO[type(effect)](self, effect)
        return first

    def _publish_locked(self, effect: Publish, time: float | None) -> Event:
        chat = self._chat
        rooms = tuple([self._room(key) for key in effect.rooms])
        person = None if effect.extra is None else self._people.get(effect.extra)
        excluded: frozenset[Session] = frozenset()
        if effect.excluded:
            excluded = frozenset(filter(None, map(self._people.get, effect.excluded)))
        placed = chat.order.append_locked(effect.event, rooms, person, excluded, time)
        if effect.of_person and person is not None:
            chat.watches.changed_locked(person, cast("PersonEvent", placed))
        if effect.guest is not None:
            self._send_to_locked(SendTo(effect.guest, (placed,)))
        return placed

    def _send_to_locked(self, effect: SendTo) -> None:
        person = self._people.get(effect.identity)
        if person is not None:
            self._chat.order.send_locked(person, *effect.items)

    def _forget_history_locked(self, effect: ForgetHistory) -> None:
        self._chat.log.forget(effect.room)

    def _add_member_locked(self, effect: AddMember) -> None:
        person, room = self._people.get(effect.identity), self._room(effect.room)
        if person is not None:
            if effect.first:
                self._chat.table.shares.arrived(room, person)
            hear_locked(person, room)

    def _hear_locked(self, effect: Hear) -> None:
        person = self._people.get(effect.identity)
        if person is not None:
            for room in person.rooms.values():
                hear_locked(person, room)

    def _unsubscribe_locked(self, effect: Unsubscribe) -> None:
        person = self._people.get(effect.identity)
        if person is not None:
            room = self._room(effect.room)
            room.ignoring.discard(person)
            self._chat.log.append(Detach(person, room))

    def _drop_member_locked(self, effect: DropMember) -> None:
        person = self._people.get(effect.identity)
        if person is not None:
            room = self._room(effect.room)
            self._chat.table.shares.departed(room, person)
            if person.current is room:
                person.current = next(reversed(person.rooms.values()), None)

    def _count_for_other_locked(self, effect: CountForOther) -> None:
        person = self._people.get(effect.identity)
        if person is not None:
            self._chat.table.shares.departed(self._room(effect.room), person)

    def _reset_room_locked(self, effect: ResetRoom) -> None:
        room = self._room(effect.room)
        room.begin_anew()
        if room.state.drops_history:
            self._chat.log.forget(room.key)

    def _uncount_locked(self, effect: Uncount) -> None:
        room = self._chat.table.known(effect.room)
        if room is not None:
            self._chat.table.shares.released(room)

    def _release_locked(self, effect: Release) -> None:
        self._chat.table.release_locked(self._room(effect.room))

    def _await_members_locked(self, effect: AwaitMembers) -> None:
        wait_locked(self._chat, self._room(effect.room))

    def _count_modes_locked(self, effect: CountModes) -> None:
        person = self._people.get(effect.identity)
        if person is not None:
            self._chat.census.index_modes(person)

    def _save_session_locked(self, effect: SaveSession) -> None:
        person = self._people.get(effect.identity)
        if person is not None:
            self._chat.persistence.save_session_locked(person)

    def _drop_token_locked(self, effect: DropToken) -> None:
        self._chat.log.drop_session(effect.digest)

    def _await_return_locked(self, effect: AwaitReturn) -> None:
        proposal = ReservationExpiry(effect.digest)
        self._chat.alarms.after(effect.seconds, lambda: self.propose(proposal, timer=True))

    def _save_room_locked(self, effect: SaveRoom) -> None:
        self._chat.persistence.save_room_locked(self._room(effect.room))

    def _save_server_ban_locked(self, effect: SaveServerBan) -> None:
        self._chat.log.save_ban(effect.key, effect.ban, self._chat.order.turn.session)

    def _watch_masks_locked(self, effect: WatchMasks) -> None:
        watch_locked(self._chat, self._room(effect.room))

    def _room(self, key: str) -> Room:
        room = self._used.get(key) or self._chat.table.known(key)
        if room is None:
            raise NoSuchRoom(key)
        return room

    _DO: ClassVar[dict[type[Effect], Callable[[Any, Any], None]]] = {
        SendTo: _send_to_locked,
        ForgetHistory: _forget_history_locked,
        AddMember: _add_member_locked,
        Hear: _hear_locked,
        Unsubscribe: _unsubscribe_locked,
        DropMember: _drop_member_locked,
        CountForOther: _count_for_other_locked,
        ResetRoom: _reset_room_locked,
        Uncount: _uncount_locked,
        Release: _release_locked,
        AwaitMembers: _await_members_locked,
        CountModes: _count_modes_locked,
        SaveSession: _save_session_locked,
        DropToken: _drop_token_locked,
        AwaitReturn: _await_return_locked,
        SaveRoom: _save_room_locked,
        SaveServerBan: _save_server_ban_locked,
        WatchMasks: _watch_masks_locked,
    }


def _with_ref(effect: Effect, identity: int, ref: Ref) -> Effect:
    """Return the effect, with the mark of the request in what it replies to the session of this identity."""
    if type(effect) is not SendTo or effect.identity != identity:
        return effect
    items = [item._replace(ref=ref) if isinstance(item, _ANSWERS) else item for item in effect.items]
    return effect._replace(items=tuple(items))
