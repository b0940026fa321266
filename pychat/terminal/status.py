"""The status line: the current room, its members, and unread messages in other rooms."""

from __future__ import annotations

import math
from typing import NamedTuple

from pychat.terminal.rooms import Room, Rooms
from pychat.terminal.view import Line, visible_line, width_of

_BETWEEN = " | "
_NARROW = 60
"""Columns up to which a problem is shown without the name of the server."""
_SHORTEST_TOPIC = 12
"""The shortest part of a topic worth showing, in columns."""


class Link(NamedTuple):
    """The state of the connection."""

    server: str
    """The name of the server."""
    retry_in: float | None = None
    """Seconds until the client tries to reconnect; None if it is connected."""
    sending: int = 0
    """Messages that have waited for their acknowledgement for longer than usual."""


def status_line(nickname: str, rooms: Rooms, link: Link, columns: int = 1000) -> Line:
    """
    Return the line. On a narrow terminal less important parts are left out, and nothing is truncated.

        ann in ops, 5 members | 1:lobby(12) 2:ops 3:dev(2!) | pychat: connected | next release: Friday
    """
    trouble: Line = [] if link.retry_in is None else [("status.alert", _state(link))]
    server: Line = [("status", f"{visible_line(link.server)}: {_state(link)}")]
    if trouble:
        trouble = [("status.alert", server[0][1])] if columns > _NARROW else trouble
        server = []
    everywhere = _rooms(rooms, [*rooms]) if len([*rooms]) > 1 else []
    unread = _rooms(rooms, [room for room in rooms if room.unread])
    room = visible_line(rooms.current.name) if rooms.current else "no room"
    me, place = _place(nickname, rooms.current), [("status", room)]
    line: Line = []
    for parts in (
        [trouble, [("status", me)], everywhere, server],
        [trouble, [("status", me)], unread, server],
        [trouble, [("status", me)], unread],
        [trouble, unread, [("status", me.partition(" in ")[2])]],
        [trouble, unread, place],
        [trouble, unread],
        [unread or trouble or place],
    ):
        line = _joined(parts)
        if sum(width_of(text) for _, text in line) < columns:
            break
    topic = visible_line(rooms.current.topic) if rooms.current else ""
    left = columns - sum(width_of(text) for _, text in line) - len(_BETWEEN) - 1
    if topic and left >= min(_SHORTEST_TOPIC, width_of(topic)):
        shown = topic if width_of(topic) <= left else f"{topic[: max(0, left - 3)]}..."
        line.append(("status", _BETWEEN + shown))
    return [*line, ("status", " ")]


def _joined(parts: list[Line]) -> Line:
    line: Line = [("status", " ")]
    for part in filter(None, parts):
        line += [("status", _BETWEEN)] * (len(line) > 1)
        line += part
    return line


def _rooms(rooms: Rooms, shown: list[Room]) -> Line:
    """Return the numbers and names of rooms, with their unread messages."""
    line: Line = []
    for number, room in enumerate(rooms, 1):
        if room in shown:
            count = f"({room.unread}{'!' if room.mentions else ''})" if room.unread else ""
            text = f"{number}:{visible_line(room.name)}{count}"
            line += [("status", " ")] * bool(line)
            line.append(("status.alert" if room.mentions else "status", text))
    return line


def choices_line(texts: list[str], chosen: int | None) -> Line:
    """Return the line shown instead while the person chooses from completions."""
    line: Line = []
    for number, text in enumerate(texts):
        line += [("status", " "), ("question" if number == chosen else "status", text.rstrip(": "))]
    return line


def _place(nickname: str, room: Room | None) -> str:
    if room is None:
        return f"{visible_line(nickname)} in no room"
    number = len(room.nicknames)
    members = "1 member" if number == 1 else f"{number} members"
    return f"{visible_line(nickname)} in {visible_line(room.name)}, {members}"


def _state(link: Link) -> str:
    if link.retry_in is not None:
        seconds = math.ceil(link.retry_in)
        return f"reconnecting in {seconds} s" if seconds > 0 else "reconnecting"
    return f"sending {link.sending}" if link.sending else "connected"
