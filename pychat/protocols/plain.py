"""
What people read: items as lines of text, for the line languages and for the command-line client.

The first characters of a line say what it is, and nobody can fake them: nicknames have no blanks, and every line of a
message that has several begins with its sender.

    ann: hello                        said in the default room
    [ops] ann: hello                  said in another room
    * ann waves                       an action
    [ann -> bob] hello                to one person
    --> ann joined lobby              came in
    <-- ann left ops (lunch)          went out
    -- ann is now anna                anything else
    ! nickname 'ann' is in use; ...   refused
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, TypeAlias

from pychat.core.events import (
    AwayChanged,
    Disconnected,
    Event,
    Joined,
    Left,
    Message,
    Notice,
    Renamed,
    TopicChanged,
)
from pychat.core.replies import (
    Bye,
    Failure,
    Gap,
    HistoryPage,
    Lines,
    MemberInfo,
    Members,
    Ok,
    PingRequest,
    PongReply,
    Profile,
    Replay,
    RoomInfo,
    Rooms,
    Topic,
    Welcome,
)
from pychat.core.text import clean, clean_line
from pychat.protocols.base import Item

DEFAULT_ROOM: Final = "lobby"
_NAMES_ON_JOIN: Final = 20
"""How many members one who joins is told unasked; `/who` tells all."""


class Style(NamedTuple):
    """How lines are written."""

    default_room: str = DEFAULT_ROOM
    """The room that is not named before each of its messages."""
    local_time: bool = False
    """Whether times are those of this computer, for a reader in front of it, or UTC."""


def render(item: Item, style: Style = Style()) -> list[str]:  # noqa: B008 -- immutable
    """Return the lines that tell a person of the item, without newlines; none if it is not for people."""
    return _RENDERERS[type(item)](item, style)


def render_all(items: Iterable[Item], style: Style) -> list[str]:
    """The lines of several items."""
    return [line for item in items for line in render(item, style)]


def in_room(room: str, style: Style) -> str:
    """What comes before a line about a room."""
    return "" if room == style.default_room else f"[{room}] "


def _say(before: str, text: str) -> list[str]:
    """All lines of a text, each with what comes before it."""
    return [before + line if line else before.rstrip() for line in clean(text).split("\n")]


def _note(text: str) -> list[str]:
    return ["-- " + clean_line(text)]


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""


# Events


def _message(item: Message, style: Style) -> list[str]:
    before = in_room(item.room, style) if item.room is not None else f"[{item.sender} -> {item.to}] "
    if item.action:
        before += f"* {item.sender} "
    elif item.room is not None:
        before += f"{item.sender}: "
    return _say(clean_line(before), item.text)


def _joined(item: Joined, style: Style) -> list[str]:
    return [clean_line(f"--> {item.nickname} joined {item.room}")]


def _left(item: Left, style: Style) -> list[str]:
    return [clean_line(f"<-- {item.nickname} left {item.room}{_because(item.reason)}")]


def _disconnected(item: Disconnected, style: Style) -> list[str]:
    return [clean_line(f"<-- {item.nickname} left{_because(item.reason)}")]


def _renamed(item: Renamed, style: Style) -> list[str]:
    return _note(f"{item.old} is now {item.new}")


def _away_changed(item: AwayChanged, style: Style) -> list[str]:
    return _note(f"{item.nickname} is back" if item.text is None else f"{item.nickname} is {_away(item.text)}")


def _away(text: str) -> str:
    """An away text in words; `/away` alone has the text "away"."""
    return "away" if text in ("", "away") else f"away: {text}"


def _topic_changed(item: TopicChanged, style: Style) -> list[str]:
    if not item.topic:
        return _note(f"{item.nickname} removed the topic of {item.room}")
    return _note(f"{item.nickname} set the topic of {item.room}: {item.topic}")


def _notice(item: Notice, style: Style) -> list[str]:
    before = "" if item.room is None else in_room(item.room, style)
    return _say(clean_line(before) + "-- ", item.text)


# Replies


def _nothing(item: Ok | PingRequest, style: Style) -> list[str]:
    return []


def _failure(item: Failure, style: Style) -> list[str]:
    return _say("! ", item.text)


def _welcome(item: Welcome, style: Style) -> list[str]:
    return _note(f"welcome to {item.server}, {item.nickname}; /help lists the commands")


def _members(item: Members, style: Style) -> list[str]:
    shown = item.members[:_NAMES_ON_JOIN] if item.joined else item.members
    names = ", ".join(map(_member, shown)) or "nobody"
    if len(shown) < len(item.members):
        names += f" and {len(item.members) - len(shown)} more"
    lines = _note(f"{'you are in' if item.joined else 'in'} {item.room}: {names}")
    if item.joined and item.topic:
        lines += _note(f"topic of {item.room}: {item.topic}")
    return lines


def _member(member: MemberInfo) -> str:
    return member.nickname if member.away is None else f"{member.nickname} ({_away(member.away)})"


def _topic(item: Topic, style: Style) -> list[str]:
    return _note(f"topic of {item.room}: {item.topic}" if item.topic else f"{item.room} has no topic")


def _rooms(item: Rooms, style: Style) -> list[str]:
    return [line for room in item.rooms for line in _room(room)] or _note("there are no rooms")


def _room(room: RoomInfo) -> list[str]:
    members = "1 member" if room.members == 1 else f"{room.members} members"
    return _note(f"{room.name}: {members}; topic: {room.topic}" if room.topic else f"{room.name}: {members}")


def _profile(item: Profile, style: Style) -> list[str]:
    facts = [f"in {', '.join(item.rooms)}" if item.rooms else "in no room of yours"]
    if item.away is not None:
        facts.append(_away(item.away))
    facts.append(f"silent for {_duration(item.idle)}")
    return _note(f"{item.nickname} is {'; '.join(facts)}")


def _duration(seconds: float) -> str:
    """About how long, in one unit."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def _history(item: HistoryPage, style: Style) -> list[str]:
    return _record(item.room, item.events, style) if item.events else _note(f"no history of {item.room}")


def _replay(item: Replay, style: Style) -> list[str]:
    return _record(item.room, item.events, style) if item.events else []


def _record(room: str, events: tuple[Event, ...], style: Style) -> list[str]:
    """A heading that tells the day, then the events, each line with its time; another day is announced."""
    what = "message" if all(isinstance(event, Message) for event in events) else "event"
    how_many = f"last {len(events)} {what}s" if len(events) > 1 else f"last {what}"
    day, _ = _when(events[0], style)
    lines = _note(f"{how_many} of {room}, {day}" + ("" if style.local_time else " UTC"))
    for event in events:
        today, minute = _when(event, style)
        if today != day:
            lines += _note(today)
            day = today
        lines += [f"[{minute}] {line}" for line in render(event, style)]
    return lines


def _when(event: Event, style: Style) -> tuple[str, str]:
    """The day and the minute of an event."""
    moment = time.localtime(event.time) if style.local_time else time.gmtime(event.time)
    return time.strftime("%Y-%m-%d", moment), time.strftime("%H:%M", moment)


def _gap(item: Gap, style: Style) -> list[str]:
    return _note(f"some messages of {item.room} are missing")


def _lines(item: Lines, style: Style) -> list[str]:
    return [line for text in item.lines for line in _say("-- ", text)]


def _pong(item: PongReply, style: Style) -> list[str]:
    return _note("pong")


def _bye(item: Bye, style: Style) -> list[str]:
    return _note(f"goodbye: {item.reason}" if item.reason else "goodbye")


_Renderer: TypeAlias = Callable[[Any, Style], list[str]]

_RENDERERS: Final[dict[type, _Renderer]] = {
    Message: _message,
    Joined: _joined,
    Left: _left,
    Disconnected: _disconnected,
    Renamed: _renamed,
    AwayChanged: _away_changed,
    TopicChanged: _topic_changed,
    Notice: _notice,
    Ok: _nothing,
    Failure: _failure,
    Welcome: _welcome,
    Members: _members,
    Topic: _topic,
    Rooms: _rooms,
    Profile: _profile,
    HistoryPage: _history,
    Replay: _replay,
    Gap: _gap,
    Lines: _lines,
    PingRequest: _nothing,
    PongReply: _pong,
    Bye: _bye,
}
