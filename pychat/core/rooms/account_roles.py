"""
Roles by account: an operator, or a member with voice, who is logged in gets the role back on every later visit.

A room with an operator by account keeps its rules and history while it is empty, and the first one to join it does not
become its operator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.core.rooms import changes
from pychat.model.names import fold

if TYPE_CHECKING:
    from pychat.core.chat import Chat


def forget_account(chat: Chat, account: str) -> None:
    """
    Remove the roles of a deleted account, so that a new account of the same name inherits nothing.

    Empty rooms that are left without an owner are abandoned. Do not hold the order lock: empty rooms are read from
    the log.
    """
    folded = fold(account)
    rooms = {room.key: room for room in chat.table.in_memory()}
    for key in chat.log.rooms_of(folded):
        room = chat.find_room(key)
        if room is not None:
            rooms[key] = room
    for room in rooms.values():
        chat.propose(changes.AccountForgotten(room.key, folded))
