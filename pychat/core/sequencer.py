"""
The sequencer: gives proposals their position in the order, applies them, and carries out the outcome.

A verb checks permissions, runs hooks, and proposes; `apply` checks again what may have changed, and is the only code
that changes the state. Here this happens at once, under the order lock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from pychat.core.outcome import Author, Effect, Note, Outcome, Publish, SaveRoom, SaveServerBan, SendTo, WatchMasks
from pychat.core.proposals import APPLY, Proposal
from pychat.core.rooms.ban_expiry import watch_locked
from pychat.core.rooms.room import Room
from pychat.core.session import Session

if TYPE_CHECKING:
    from pychat.core.chat import Chat


class Sequencer:
    """The sequencer of one chat."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def propose(self, proposal: Proposal, session: Session | None = None) -> Outcome:
        """
        Apply a proposal after everything that this thread has caused before. Do not hold the order lock.

        Args:
            session: The session whose verb this is, if any.

        Raises:
            NotHere: If that session has ended or was disconnected since its verb began.
            Refused: If the proposal is refused; nothing has changed then.
        """
        chat = self._chat
        with chat.order.change(session):
            position = chat.order.position_locked()
            outcome = APPLY[type(proposal)](chat.state, proposal, position)
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
        placed = chat.order.append_locked(effect.event, rooms, time=time)
        if effect.guest is not None:
            self._send_to_locked(SendTo(effect.guest, (placed,)), proposal, None)
        return placed.id

    def _send_to_locked(self, effect: SendTo, proposal: Proposal, time: float | None) -> None:
        person = self._chat.nicknames.get(effect.identity)
        if person is not None:
            self._chat.order.send_locked(person, *effect.items)

    def _note_locked(self, effect: Note, proposal: Proposal, time: float | None) -> None:
        assert isinstance(proposal.by, Author)
        self._chat.audit.note_locked(proposal.by.described, effect.what)

    def _save_room_locked(self, effect: SaveRoom, proposal: Proposal, time: float | None) -> None:
        self._chat.persistence.save_room_locked(self._room(effect.room))

    def _save_server_ban_locked(self, effect: SaveServerBan, proposal: Proposal, time: float | None) -> None:
        self._chat.log.save_ban(effect.key, effect.ban, self._chat.order.turn.session)

    def _watch_masks_locked(self, effect: WatchMasks, proposal: Proposal, time: float | None) -> None:
        watch_locked(self._chat, self._room(effect.room))

    def _room(self, key: str) -> Room:
        return self._chat.state.room(key)

    _DO: ClassVar[dict[type[Effect], Callable[[Any, Any, Any, float | None], int | None]]] = {
        Publish: _publish_locked,
        SendTo: _send_to_locked,
        Note: _note_locked,
        SaveRoom: _save_room_locked,
        SaveServerBan: _save_server_ban_locked,
        WatchMasks: _watch_masks_locked,
    }
