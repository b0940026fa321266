"""Member lists of rooms, as replies contain them."""

from __future__ import annotations

from pychat.core.rooms.room import Room
from pychat.core.rooms.state import RoomState
from pychat.core.session import Session
from pychat.model.queries import Ref
from pychat.model.replies import MemberInfo, Members


def members_of(room: Room, ref: Ref, *, joined: bool = False, invisible: bool = True) -> Members:
    """
    Return the list of the room's members. Its parts are shared, so a join stays cheap in a room of thousands.

    Args:
        joined: True if the list answers a join; it then leaves out visitors.
        invisible: True to include members who are hidden from strangers (user mode `i`).
    """
    state, members = room.state, room.members
    if not invisible:
        members = tuple([member for member in members if "i" not in member.person.modes])
    if joined:  # their leaves are not announced, so their presence must not be either
        members = tuple([member for member in members if not member.person.visits])
    infos = tuple(
        [_with_roles(member, state) for member in members] if state.roles else [m.person.info for m in members]
    )
    return Members(
        ref,
        room.name,
        room.topic,
        infos,
        joined,
        state.topic_by,
        state.topic_time,
        secret=state.secret,
        topic_userhost=state.topic_userhost,
    )


def _with_roles(member: Session, state: RoomState) -> MemberInfo:
    roles = state.roles.get(member.identity)
    return member.info if roles is None else member.info._replace(roles=roles)
