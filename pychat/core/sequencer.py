"""
The sequencer: gives proposals their position in the order, applies them, and carries out the outcome.

A verb checks permissions, runs hooks, and proposes; `apply` checks again what may have changed, and is the only code
that changes the state. Here this happens at once, under the order lock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from pychat.core.outcome import (
    Author,
    Effect,
    Note,
    Outcome,
    Publish,
    Reindex,
    SaveRoom,
    SaveServerBan,
    SaveSession,
    SendTo,
    WatchMasks,
)
from pychat.core.proposals import APPLY, Proposal
from pychat.core.rooms.ban_expiry import watch_locked
from pychat.core.rooms.room import Room
from pychat.core.session import Session

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.model.events import PersonEvent
    from pychat.model.replies import Reply


class Sequencer:
    """The sequencer of one chat."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def propose(
        self, proposal: Proposal, session: Session | None = None, reply: Callable[[], Reply] | None = None
    ) -> Outcome:
        """
        Apply a proposal after everything that this thread has caused before. Do not hold the order lock.

        Args:
            session: The session whose verb this is, if any.
            reply: Returns what the session is told before the events of the outcome, when the proposal is applied.

        Raises:
            NotHere: If that session has ended or was disconnected since its verb began.
            Refused: If the proposal is refused; nothing has changed then.
        """
        chat = self._chat
        with chat.order.change(session):
            position = chat.order.position_locked()
            outcome = APPLY[type(proposal)](chat.state, proposal, position)
            if session is not None and reply is not None:
                chat.order.send_locked(session, reply())
            first: int | None = None
            for effect in outcome.effects:
                time = position.time() if first is None else None
                id = self._DO[type(effect)](self, effect, proposal, time)
                first = id if first is None else first
        if session is None:
            chat.audit.write()
        return outcome._replace(id=first)

    # Carrying out effects. `time` is for the first event; each returns the id of an event in rooms

    def _publish_locked(self, effect: Publish, proposal: Proposal, time: float | None) -> int:
        chat = self._chat
        rooms = tuple(map(self._room, effect.rooms))
        person = self._person(effect.extra)
        excluded = frozenset(filter(None, map(self._person, effect.excluded)))
        placed = chat.order.append_locked(effect.event, rooms, person, excluded, time)
        if effect.of_person and person is not None:
            chat.watches.changed_locked(person, cast("PersonEvent", placed))
        if effect.guest is not None:
            self._send_to_locked(SendTo(effect.guest, (placed,)), proposal, None)
        return placed.id

    def _send_to_locked(self, effect: SendTo, proposal: Proposal, time: float | None) -> None:
        person = self._person(effect.identity)
        if person is not None:
            self._chat.order.send_locked(person, *effect.items)

    def _note_locked(self, effect: Note, proposal: Proposal, time: float | None) -> None:
        assert isinstance(proposal.by, Author)
        self._chat.audit.note_locked(proposal.by.described, effect.what)

    def _reindex_locked(self, effect: Reindex, proposal: Proposal, time: float | None) -> None:
        person = self._person(effect.identity)
        if person is not None:
            self._chat.census.index(person, effect.before)

    def _save_session_locked(self, effect: SaveSession, proposal: Proposal, time: float | None) -> None:
        person = self._person(effect.identity)
        if person is not None:
            self._chat.persistence.save_session_locked(person)

    def _save_room_locked(self, effect: SaveRoom, proposal: Proposal, time: float | None) -> None:
        self._chat.persistence.save_room_locked(self._room(effect.room))

    def _save_server_ban_locked(self, effect: SaveServerBan, proposal: Proposal, time: float | None) -> None:
        self._chat.log.save_ban(effect.key, effect.ban, self._chat.order.turn.session)

    def _watch_masks_locked(self, effect: WatchMasks, proposal: Proposal, time: float | None) -> None:
        watch_locked(self._chat, self._room(effect.room))

    def _person(self, identity: int | None) -> Session | None:
        return None if identity is None else self._chat.nicknames.get(identity)

    def _room(self, key: str) -> Room:
        return self._chat.state.room(key)

    _DO: ClassVar[dict[type[Effect], Callable[[Any, Any, Any, float | None], int | None]]] = {
        Publish: _publish_locked,
        SendTo: _send_to_locked,
        Note: _note_locked,
        Reindex: _reindex_locked,
        SaveSession: _save_session_locked,
        SaveRoom: _save_room_locked,
        SaveServerBan: _save_server_ban_locked,
        WatchMasks: _watch_masks_locked,
    }
