"""
The sequencer: gives proposals their position in the order, applies them, and carries out the outcome.

A verb checks permissions, runs hooks, and proposes; `apply` checks again what may have changed, and is the only code
that changes the state. Here this happens at once, under the order lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from pychat.core.delivery import Detach
from pychat.core.outcome import (
    AddMember,
    Author,
    AwaitMembers,
    DropMember,
    Effect,
    ForgetHistory,
    Note,
    NoteJoined,
    Outcome,
    Position,
    Publish,
    Reindex,
    Release,
    ResetRoom,
    SaveRoom,
    SaveServerBan,
    SaveSession,
    SendTo,
    Unsubscribe,
    WatchMasks,
)
from pychat.core.people.ignore import hear_locked
from pychat.core.proposals import APPLY, Proposal
from pychat.core.rooms import rules
from pychat.core.rooms.ban_expiry import watch_locked
from pychat.core.rooms.empty_rooms import wait_locked
from pychat.core.rooms.room import Room
from pychat.core.session import Session

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.model.events import Event, PersonEvent
    from pychat.model.replies import Reply


class Sequencer:
    """The sequencer of one chat."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._people, self._used = chat.nicknames.by_identity, chat.table.by_key

    def propose(
        self,
        proposal: Proposal,
        session: Session | None = None,
        reply: Callable[[Outcome], Reply] | None = None,
        *,
        then: Callable[[Outcome], None] | None = None,
        timer: bool = False,
    ) -> Outcome:
        """
        Apply a proposal after everything that this thread has caused before. Do not hold the order lock.

        Args:
            session: The session whose verb this is, if any.
            reply: Returns what the session is told before the events of the outcome, when the proposal is applied.
            then: Called after the events, still under the order lock, for whatever belongs to the session alone.
            timer: True if nobody asks for it now: it does nothing if the chat has ended.

        Raises:
            NotHere: If that session has ended or was disconnected since its verb began.
            Refused: If the proposal is refused; nothing has changed then.
        """
        chat, order = self._chat, self._chat.order
        with order.change(session):
            if timer and order.stopping.is_set():
                return Outcome()
            position = order.position_locked()
            outcome = APPLY[type(proposal)](chat.state, proposal, position)
            if session is not None and reply is not None:
                order.send_locked(session, reply(outcome))
            first = self.carry_out_locked(outcome.effects, position, getattr(proposal, "author", None))
            outcome.event = outcome.event or first
            if then is not None:
                then(outcome)
        if session is None:
            chat.audit.write()
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
            person.rooms[room.key] = room
            hear_locked(person, room)

    def _note_joined_locked(self, effect: NoteJoined) -> None:
        rules.note_joined(self._room(effect.room).state, effect.identity, self._chat.log.last_id())

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
            person.rooms.pop(room.key, None)
            if person.current is room:
                person.current = next(reversed(person.rooms.values()), None)

    def _reset_room_locked(self, effect: ResetRoom) -> None:
        room = self._room(effect.room)
        room.begin_anew()
        if room.state.drops_history:
            self._chat.log.forget(room.key)

    def _release_locked(self, effect: Release) -> None:
        self._chat.table.release_locked(self._room(effect.room))

    def _await_members_locked(self, effect: AwaitMembers) -> None:
        wait_locked(self._chat, self._room(effect.room))

    def _reindex_locked(self, effect: Reindex) -> None:
        person = self._people.get(effect.identity)
        if person is not None:
            self._chat.census.index(person, effect.before)

    def _save_session_locked(self, effect: SaveSession) -> None:
        person = self._people.get(effect.identity)
        if person is not None:
            self._chat.persistence.save_session_locked(person)

    def _save_room_locked(self, effect: SaveRoom) -> None:
        self._chat.persistence.save_room_locked(self._room(effect.room))

    def _save_server_ban_locked(self, effect: SaveServerBan) -> None:
        self._chat.log.save_ban(effect.key, effect.ban, self._chat.order.turn.session)

    def _watch_masks_locked(self, effect: WatchMasks) -> None:
        watch_locked(self._chat, self._room(effect.room))

    def _room(self, key: str) -> Room:
        return self._used.get(key) or self._chat.state.room(key)

    _DO: ClassVar[dict[type[Effect], Callable[[Any, Any], None]]] = {
        SendTo: _send_to_locked,
        ForgetHistory: _forget_history_locked,
        AddMember: _add_member_locked,
        NoteJoined: _note_joined_locked,
        Unsubscribe: _unsubscribe_locked,
        DropMember: _drop_member_locked,
        ResetRoom: _reset_room_locked,
        Release: _release_locked,
        AwaitMembers: _await_members_locked,
        Reindex: _reindex_locked,
        SaveSession: _save_session_locked,
        SaveRoom: _save_room_locked,
        SaveServerBan: _save_server_ban_locked,
        WatchMasks: _watch_masks_locked,
    }
