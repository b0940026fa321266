"""Member lists of rooms, as replies contain them."""

from __future__ import annotations

from pychat.core.rooms.room import Room
from pychat.model.queries import Ref
from pychat.model.replies import Members


def members_of(room: Room, ref: Ref, *, joined: bool = False, invisible: bool = True) -> Members:
    """
    Return the list of the room's members. Its parts are shared, so a join stays cheap in a room of thousands.

    Args:
        joined: True if the list answers a join; it then leaves out visitors.
        invisible: True to include members who are hidden from strangers (user mode `i`).
    """
    state, people = room.state, [member.person for member in room.members]
    roles = state.roles
    if not invisible:
        people = [person for person in people if "i" not in person.modes]
    if joined:  # their leaves are not announced, so their presence must not be either
        people = [person for person in people if not person.visits]
    infos = [
        person.info if person.identity not in roles else person.info._replace(roles=roles[person.identity])
        for person in people
    ]
    return Members(
        ref,
        room.name,
        room.topic,
        tuple(infos),
        joined,
        state.topic_by,
        state.topic_time,
        secret=state.secret,
        topic_userhost=state.topic_userhost,
    )
