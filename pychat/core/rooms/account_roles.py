"""
Roles by account: who is an operator of a room, or has voice, and is logged in, has it again whenever the account comes.

A room with an operator by account keeps its rules and its history while nobody is in it, and nobody else becomes its
operator by coming first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.model.events import ModesChanged
from pychat.model.modes import ROLES, ModeChange
from pychat.model.names import fold

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.rooms.room import Room
    from pychat.core.session import Session


def meet_locked(chat: Chat, session: Session, room: Room) -> None:
    """
    A member is logged in: it gets the roles of its account, which the others see, and the account gets its roles.

    Under the chat's order lock; the caller calls `Order.wake`.
    """
    if session.account is None:
        return
    rules, account = room.rules, fold(session.account)
    has, kept = rules.roles.get(session.identity, ""), rules.accounts.get(account, "")
    new = [role for role in ROLES if role in kept and role not in has]
    for role in new:
        rules.set_role(session.identity, role, True)
    changed = [rules.keep_role(account, role, True) for role in has]
    if new:
        changes = tuple([ModeChange(True, role, session.nickname or "") for role in new])
        chat.order.append_locked(ModesChanged(0, 0.0, room.name, chat.cloaks.server, changes), room.alone)
    if new or any(changed):
        chat.lasting.keep_room_locked(room)


def forget_account(chat: Chat, account: str) -> None:
    """
    An account is no more: who makes another one of that name inherits nothing, and what was private is nobody's.

    Without the order lock: rooms that nobody is in are read.
    """
    folded = fold(account)
    rooms = {room.key: room for room in chat.table.in_memory()}
    for key in chat.log.rooms_of(folded):
        room = chat.find_room(key)
        if room is not None:
            rooms[key] = room
    for room in rooms.values():
        with chat.order.change():
            if room.rules.accounts.pop(folded, None) is not None:
                chat.lasting.keep_room_locked(room)
                if not (room.occupants or room.pinned or room.rules.owned or room.rules.awaits()):
                    chat.membership.abandon_locked(room)
