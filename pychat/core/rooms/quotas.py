"""Room quotas: how many of the rooms in use one address, or one account, may have opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import TYPE_CHECKING, Final

from pychat.core.attempts import Attempts, address_key
from pychat.model.errors import LimitExceeded, TooManyAttempts
from pychat.model.limits import Limits
from pychat.model.names import fold

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.rooms.room import Room
    from pychat.core.session import Session

_NEW_SECONDS: Final = 600.0


class RoomShares:
    """
    Counts each room for its longest-standing member, by address and by account.

    So a room that others still use does not count for the person who opened it and left. Loopback and sessions of the
    program are exempt. Every method runs under the chat's order lock.
    """

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._used: Counter[Hashable] = Counter()
        self._payers: dict[Room, tuple[Session, tuple[Hashable, ...]]] = {}
        """The session that each room counts for, and the keys it is counted by."""
        self._new = Attempts(chat.limits.new_rooms_per_10_minutes, _NEW_SECONDS, chat.clock)

    def change(self, limits: Limits) -> None:
        """Apply new limits from now on."""
        self._new.most = limits.new_rooms_per_10_minutes

    def require(self, session: Session, room: Room, *, new: bool) -> None:
        """
        Check that the session may open this empty room.

        Args:
            new: True if the server has never known the room; it then also counts as created.

        Raises:
            LimitExceeded: If its address or its account has opened or created too many.
        """
        most = self._chat.limits.rooms_per_address
        for kind, key in _keys(session):
            if self._used[kind, key] >= most:
                raise LimitExceeded(f"rooms opened by your {kind}", most, "rooms", room=room.name)
        if new:
            try:
                self._new.count(address_key(session.address))
            except TooManyAttempts:
                what = "new rooms from your address in 10 minutes"
                raise LimitExceeded(what, self._new.most, "rooms", room=room.name) from None

    def arrived(self, room: Room, session: Session) -> None:
        """Count the room for the session that has joined it while it was empty."""
        self.released(room)
        if room.pinned:  # it is there anyway
            return
        keys = _keys(session)
        self._payers[room] = session, keys
        self._used.update(keys)

    def departed(self, room: Room, session: Session) -> None:
        """Count the room for the next member if it counted for the session that left."""
        payer, _ = self._payers.get(room, (None, ()))
        if payer is session and room.state.members:
            first = self._chat.nicknames.get(next(iter(room.state.members)))
            if first is not None:
                self.arrived(room, first)

    def released(self, room: Room) -> None:
        """Stop counting a room that is no longer in use."""
        _, keys = self._payers.pop(room, (None, ()))
        for key in keys:
            self._used[key] -= 1
            if not self._used[key]:
                del self._used[key]


def _keys(session: Session) -> tuple[tuple[str, Hashable], ...]:
    address = address_key(session.address)
    if address is None:
        return ()
    account = () if session.account is None else (("account", fold(session.account)),)
    return ("address", address), *account
