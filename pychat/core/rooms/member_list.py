"""The list of the members of a room, as answers have it."""

from __future__ import annotations

from pychat.core.rooms.room import Room
from pychat.core.rooms.rules import RoomRules
from pychat.core.session import Session
from pychat.model.queries import Ref
from pychat.model.replies import MemberInfo, Members


def members_of(room: Room, ref: Ref, *, joined: bool = False, invisible: bool = True) -> Members:
    """
    Return who is in the room. In a room of thousands this is all that a join costs, so the parts are shared.

    Args:
        invisible: Whether those are named, too, who do not want to be seen by strangers (user mode `i`).
    """
    rules, members = room.rules, room.members
    if not invisible:
        members = tuple([member for member in members if "i" not in member.modes])
    if joined:  # whoever is told of no departure must not be told of the presence either
        members = tuple([member for member in members if not member.visits])
    infos = tuple([_with_roles(member, rules) for member in members] if rules.roles else [m.info for m in members])
    return Members(
        ref,
        room.name,
        room.topic,
        infos,
        joined,
        rules.topic_by,
        rules.topic_time,
        secret=rules.secret,
        topic_userhost=rules.topic_userhost,
    )


def _with_roles(member: Session, rules: RoomRules) -> MemberInfo:
    roles = rules.roles.get(member.identity)
    return member.info if roles is None else member.info._replace(roles=roles)
