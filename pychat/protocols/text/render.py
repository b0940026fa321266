"""
Render items as lines of text for people, for the line languages and for the command-line client.

The first characters of a line show its kind and cannot be faked: nicknames have no blanks, and every line of a
multi-line message begins with its sender.

    ann: hello                        said in the default room
    [ops] ann: hello                  said in another room
    * ann waves                       an action
    [ann -> bob] hello                to one person
    [ops for operators] ann: hello    only to those with this role
    --> ann joined lobby              came in
    <-- ann left ops (lunch)          went out
    -- ann is now anna                anything else
    ! nickname 'ann' is in use; ...   refused
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import zip_longest
from typing import Any, Final, TypeAlias, get_args

from pychat.model import events, replies
from pychat.model.durations import until_when
from pychat.model.events import Event
from pychat.model.masks import MUTE
from pychat.model.modes import MaskEntry
from pychat.model.names import AUDIT
from pychat.model.text import because, clean_line
from pychat.protocols.base import Item
from pychat.protocols.text import render_server as plain_server
from pychat.protocols.text.mode_words import changes_in_words, rules_in_words
from pychat.protocols.text.wording import (
    DEFAULT_ROOM,
    Style,
    away,
    duration,
    in_room,
    listeners,
    note,
    record_title,
    say,
    sign,
    with_local_times,
    zone,
)

__all__ = ["DEFAULT_ROOM", "Style", "in_room", "render", "render_all"]

_NAMES_ON_JOIN: Final = 20
"""How many members are listed to a joining member; `/who` lists all."""


def render(item: Item, style: Style = Style()) -> list[str]:  # noqa: B008 -- immutable
    """Return the lines that describe the item, without newlines; none if it is not for people."""
    return _RENDERERS[type(item)](item, style)


def render_all(items: Iterable[Item], style: Style) -> list[str]:
    """Return the lines of several items."""
    return [line for item in items for line in render(item, style)]


# Events


def _message(item: events.Message, style: Style) -> list[str]:
    if item.role:
        before = f"[{item.room} for {listeners(item.role)}] "
    elif item.room is not None:
        before = in_room(item.room, style)
    else:
        before = f"[{item.sender} -> {item.to}] "
    if item.action:
        before += f"* {item.sender} "
    elif item.room is not None:
        before += f"{item.sender}: "
    return say(clean_line(before), item.text)


def _joined(item: events.Joined, style: Style) -> list[str]:
    return [clean_line(f"--> {item.nickname} joined {item.room}")]


def _left(item: events.Left, style: Style) -> list[str]:
    return [clean_line(f"<-- {item.nickname} left {item.room}{because(item.reason)}")]


def _kicked(item: events.Kicked, style: Style) -> list[str]:
    return [clean_line(f"<-- {item.nickname} was removed from {item.room} by {item.by}{because(item.reason)}")]


def _disconnected(item: events.Disconnected, style: Style) -> list[str]:
    return [clean_line(f"<-- {item.nickname} left{because(item.reason)}")]


def _renamed(item: events.Renamed, style: Style) -> list[str]:
    return note(f"{item.old} is now {item.new}")


def _away_changed(item: events.AwayChanged, style: Style) -> list[str]:
    return note(f"{item.nickname} is back" if item.text is None else f"{item.nickname} is {away(item.text)}")


def _topic_changed(item: events.TopicChanged, style: Style) -> list[str]:
    if not item.topic:
        return note(f"{item.nickname} removed the topic of {item.room}")
    return note(f"{item.nickname} set the topic of {item.room}: {item.topic}")


def _modes_changed(item: events.ModesChanged, style: Style) -> list[str]:
    return [line for text in changes_in_words(item) for line in note(text)]


def _invited(item: events.Invited, style: Style) -> list[str]:
    return note(f"{item.nickname} invited {item.invited} to {item.room} (/join {item.room})")


def _notice(item: events.Notice, style: Style) -> list[str]:
    before = "" if item.room is None else in_room(item.room, style)
    return say(clean_line(before) + "-- ", with_local_times(item.text, style))


# Replies


def _nothing(item: Item, style: Style) -> list[str]:
    """Return no lines: the item is implied by others, or only clients of other languages can ask for it."""
    return []


def _failure(item: replies.Failure, style: Style) -> list[str]:
    # A request for a password is not a refusal, because the user could not know about it.
    text = with_local_times(item.text, style)
    return note(text) if item.code == "password_required" else say("! ", text)


def _welcome(item: replies.Welcome, style: Style) -> list[str]:
    return note(f"welcome to {item.server}, {item.nickname}; /help lists the commands")


def _members(item: replies.Members, style: Style) -> list[str]:
    shown = item.members[:_NAMES_ON_JOIN] if item.joined else item.members
    names = ", ".join(map(_member, shown)) or "nobody"
    if len(shown) < len(item.members):
        names += f" and {len(item.members) - len(shown)} more"
    lines = note(f"{'you are in' if item.joined else 'in'} {item.room}: {names}")
    if item.joined and item.topic:
        lines += note(f"topic of {item.room}: {item.topic}")
    return lines


def _member(member: replies.MemberInfo) -> str:
    name = sign(member.roles) + member.nickname
    remarks = [] if member.away is None else [away(member.away)]
    remarks += ["visiting program"] * member.visits
    return f"{name} ({'; '.join(remarks)})" if remarks else name


def _topic(item: replies.Topic, style: Style) -> list[str]:
    return note(f"topic of {item.room}: {item.topic}" if item.topic else f"{item.room} has no topic")


def _rooms(item: replies.Rooms, style: Style) -> list[str]:
    lines = [line for room in item.rooms for line in _room(room)] or note("there are no rooms")
    return lines + note("there are more rooms; one request cannot list all of them") * item.more


def _room(room: replies.RoomInfo) -> list[str]:
    members = "1 member" if room.members == 1 else f"{room.members} members"
    return note(f"{room.name}: {members}; topic: {room.topic}" if room.topic else f"{room.name}: {members}")


def _profile(item: replies.Profile, style: Style) -> list[str]:
    rooms = [sign(roles) + room for room, roles in zip_longest(item.rooms, item.roles, fillvalue="")]
    facts = [f"in {', '.join(rooms)}" if rooms else "in none of your rooms"]
    if item.away is not None:
        facts.append(away(item.away))
    facts.append(f"silent for {duration(item.idle)}")
    facts += [_PERSON_MODES[letter] for letter in item.modes if letter in _PERSON_MODES]
    if item.account is not None:
        facts.append(f"logged in as {item.account}")
    if item.secure:
        facts.append("connected over TLS")
    if item.address:
        facts.append(f"connected from {item.address}")
    who = f"{item.nickname} ({item.userhost})" if item.userhost else item.nickname
    return note(f"{who} is {'; '.join(facts)}")


_PERSON_MODES: Final = {"o": "a server operator", "B": "a bot"}


def _modes(item: replies.Modes, style: Style) -> list[str]:
    if not item.letters:
        return note(f"{item.room} has no rules")
    return note(f"rules of {item.room}: {rules_in_words(item)}")


def _masks(item: replies.Masks, style: Style) -> list[str]:
    what = _LISTS.get(item.mode, item.mode)
    lines = [line for entry in item.masks for line in _mask(what, item.room, entry, style)]
    return lines or note(f"{what} {item.room}: nobody")


def _mask(what: str, room: str, entry: MaskEntry, style: Style) -> list[str]:
    if entry.mask.startswith(MUTE):
        what = "muted in"
    by = f"(by {entry.by})"
    return note(f"{what} {room}: {entry.mask.removeprefix(MUTE)}{with_local_times(until_when(entry), style)} {by}")


_LISTS: Final = {"b": "banned from", "e": "ban exceptions of", "I": "invite exceptions of"}


def _user_modes(item: replies.UserModes, style: Style) -> list[str]:
    if "o" in item.letters:
        return note("you are a server operator")
    return note(f"your modes: +{item.letters}" if item.letters else "you have no modes")


def _invitations(item: replies.Invitations, style: Style) -> list[str]:
    return note(f"you are invited to {', '.join(item.rooms)}" if item.rooms else "you are not invited to any room")


def _person_away(item: replies.PersonAway, style: Style) -> list[str]:
    return note(f"{item.nickname} is {away(item.text)}")


def _wallops(item: replies.Wallops, style: Style) -> list[str]:
    return note(f"server operator {item.nickname}: {item.text}")


def _history(item: replies.HistoryPage, style: Style) -> list[str]:
    if item.room == AUDIT:
        style = style._replace(default_room=AUDIT)
    return _record(item.room, item.events, style, item.search, more=item.more)


def _replay(item: replies.Replay, style: Style) -> list[str]:
    return _record(item.room, item.events, style) if item.events else []


def _record(room: str, said: tuple[Event, ...], style: Style, search: str = "", *, more: bool = False) -> list[str]:
    """Return a heading with the date, then the events, each line with its time; a change of date gets its own line."""
    shown = tuple(event for event in said if not isinstance(event, NOT_SHOWN))
    only_messages = all(isinstance(event, events.Message) for event in shown)
    title = record_title(room, len(shown), only_messages=only_messages, search=search, more=more)
    if not shown:
        return note(title)
    day, _ = _when(shown[0])
    lines = note(f"{title}, {day}" + zone(style, shown[0].time))
    for event in shown:
        today, minute = _when(event)
        if today != day:
            lines += note(today)
            day = today
        lines += [f"[{minute}] {line}" for line in render(event, style)]
    return lines


def _when(event: Event) -> tuple[str, str]:
    """Return the date and the minute of an event."""
    moment = time.localtime(event.time)
    return time.strftime("%Y-%m-%d", moment), time.strftime("%H:%M", moment)


def _gap(item: replies.Gap, style: Style) -> list[str]:
    return note(f"some messages of {item.room} are missing")


def _lines(item: replies.Lines | replies.Motd, style: Style) -> list[str]:
    return [line for text in item.lines for line in say("-- ", text)]


def _motd(item: replies.Motd, style: Style) -> list[str]:
    # Someone who did not ask for it need not be told that there is none.
    return note("there is no message of the day") if item.ref is not None and not item.lines else _lines(item, style)


def _pong(item: replies.PongReply, style: Style) -> list[str]:
    return note("pong")


def _bye(item: replies.Bye, style: Style) -> list[str]:
    return note(f"goodbye: {with_local_times(item.reason, style)}" if item.reason else "goodbye")


_Renderer: TypeAlias = Callable[[Any, Style], list[str]]

_RENDERERS: Final[dict[type, _Renderer]] = {
    events.Message: _message,
    events.Joined: _joined,
    events.Left: _left,
    events.Kicked: _kicked,
    events.Disconnected: _disconnected,
    events.Renamed: _renamed,
    events.AwayChanged: _away_changed,
    events.ProfileChanged: _nothing,
    events.AccountChanged: _nothing,
    events.TopicChanged: _topic_changed,
    events.ModesChanged: _modes_changed,
    events.Invited: _invited,
    events.Notice: _notice,
    replies.Ok: _nothing,
    replies.Failure: _failure,
    replies.Welcome: _welcome,
    replies.Members: _members,
    replies.Topic: _topic,
    replies.Rooms: _rooms,
    replies.Profile: _profile,
    replies.Motd: _motd,
    replies.Modes: _modes,
    replies.Masks: _masks,
    replies.Inviting: _nothing,  # the room's event shows it
    replies.Invitations: _invitations,
    replies.UserModes: _user_modes,
    **plain_server.RENDERERS,
    **dict.fromkeys(replies.IRC_ONLY, _nothing),
    replies.Wallops: _wallops,
    replies.PersonAway: _person_away,
    replies.HistoryPage: _history,
    replies.Replay: _replay,
    replies.Gap: _gap,
    replies.Lines: _lines,
    replies.PingRequest: _nothing,
    replies.PongReply: _pong,
    replies.Bye: _bye,
}

NOT_SHOWN: Final = tuple(kind for kind in get_args(Event) if _RENDERERS[kind] is _nothing)
"""Events that are not shown to people."""
