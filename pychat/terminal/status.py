"""The line below the one to type in: where one is, who else is there, and what is going on elsewhere."""

from __future__ import annotations

import math
from typing import NamedTuple

from pychat.terminal.rooms import Room, Rooms
from pychat.terminal.view import Line, visible_line

_BETWEEN = " | "


class Link(NamedTuple):
    """What is known of the connection."""

    server: str
    """What the server calls itself."""
    retry_in: float | None = None
    """Seconds until the client tries to come back; None: it is connected."""
    sending: int = 0
    """Messages that wait for their acknowledgement for longer than usual."""


def status_line(nickname: str, rooms: Rooms, link: Link) -> Line:
    """
    Return the line; what matters most comes first, because the terminal may be narrow.

        ann in ops, 5 members | 1:lobby(12) 3:dev(2!) | pychat: connected | next release: Friday
    """
    line: Line = [("status", f" {_place(nickname, rooms.current)}")]
    unread = [part for number, room in enumerate(rooms, 1) for part in _unread(number, room)]
    if unread:
        line += [("status", _BETWEEN.rstrip()), *unread]
    state = f"{visible_line(link.server)}: {_state(link)}"
    if link.retry_in is None:
        line += [("status", _BETWEEN), ("status", state)]
    else:  # more important than all the rest
        line = [("status", " "), ("status.alert", state), ("status", _BETWEEN.rstrip()), *line]
    if rooms.current and rooms.current.topic:
        line.append(("status", _BETWEEN + visible_line(rooms.current.topic)))
    return [*line, ("status", " ")]


def choices_line(texts: list[str], chosen: int | None) -> Line:
    """What stands there instead while the person chooses one of several completions."""
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


def _unread(number: int, room: Room) -> Line:
    if not room.unread:
        return []
    text = f"{number}:{visible_line(room.name)}({room.unread}{'!' if room.mentions else ''})"
    return [("status", " "), ("status.alert" if room.mentions else "status", text)]


def _state(link: Link) -> str:
    if link.retry_in is not None:
        seconds = math.ceil(link.retry_in)
        return f"reconnecting in {seconds} s" if seconds > 0 else "reconnecting"
    return f"sending {link.sending}" if link.sending else "connected"
