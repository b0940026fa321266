"""
What a session hears, as JSON: `encode_item` for the server, `read_item` for the client.

Some fields never go over the wire: the `rooms` of events that concern a person would tell a member in which other
rooms that person is, and `audience` who else can hear.
"""

from __future__ import annotations

from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any, Final, TypeAlias

from pychat.core.errors import RemoteProtocolError
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
from pychat.protocols.base import Item
from pychat.protocols.json_values import (
    BadField,
    Fields,
    dump_object,
    format_id,
    format_time,
    read_limits,
    write_limits,
)

PROTOCOL_VERSION: Final = 1


def encode_item(item: Item) -> str:
    """Return the item as one line, without its newline; empty if there is nothing to send."""
    return encode_message(item) if type(item) is Message else _ENCODERS[type(item)](item)


def encode_message(item: Message) -> str:
    """The same for a message. By hand, because a busy server encodes little else."""
    id, time, room, sender, text, action, to, _ = item
    where = f'"room":{encode_basestring(room)}' if room is not None else f'"to":{encode_basestring(to or "")}'
    return (
        f'{{"type":"message","id":"{id:016x}","time":"{format_time(time)}",{where},'
        f'"nick":{encode_basestring(sender)},"text":{encode_basestring(text)}{_ACTION[action]}}}'
    )


_ACTION: Final = ("", ',"action":true')


# Writing


def _event(kind: str, event: Event, **fields: Any) -> str:
    return dump_object({"type": kind, "id": format_id(event.id), "time": format_time(event.time), **fields})


def _reply(kind: str, reply: Any, **fields: Any) -> str:
    ref = {} if reply.ref is None else {"ref": reply.ref}
    return dump_object({"type": kind, **ref, **fields})


def _if(name: str, value: Any) -> dict[str, Any]:
    """The field, if there is something to say."""
    return {name: value} if value else {}


def _notice(item: Notice) -> str:
    id = {"id": format_id(item.id)} if item.id else {}
    room = {} if item.room is None else {"room": item.room}
    return dump_object({"type": "notice", **id, "time": format_time(item.time), **room, "text": item.text})


def _ok(item: Ok) -> str:
    if item.ref is None:
        return ""
    return _reply("ok", item, **({} if item.id is None else {"id": format_id(item.id)}))


def _welcome(item: Welcome) -> str:
    return _reply(
        "welcome",
        item,
        server=item.server,
        protocol=PROTOCOL_VERSION,
        nick=item.nickname,
        token=item.token,
        limits=write_limits(item.limits),
    )


def _members(item: Members) -> str:
    members = [
        {"nick": member.nickname, **({} if member.away is None else {"away": member.away})} for member in item.members
    ]
    return _reply("members", item, room=item.room, topic=item.topic, **_if("joined", item.joined), members=members)


def _rooms(item: Rooms) -> str:
    rooms = [{"room": room.name, "members": room.members, "topic": room.topic} for room in item.rooms]
    return _reply("rooms", item, rooms=rooms)


def _profile(item: Profile) -> str:
    return _reply(
        "profile", item, nick=item.nickname, rooms=list(item.rooms), away=item.away, idle=int(max(0.0, item.idle))
    )


def _history(item: HistoryPage) -> str:
    more = "true" if item.more else "false"
    # The events are JSON already, so they are put in place of an array.
    return f'{_reply("history", item, room=item.room)[:-1]},"events":[{_events(item.events)}],"more":{more}}}'


def _replay(item: Replay) -> str:
    return f'{{"type":"replay","room":{encode_basestring(item.room)},"events":[{_events(item.events)}]}}'


def _events(events: tuple[Event, ...]) -> str:
    return ",".join(map(encode_item, events))


_Encoder: TypeAlias = Callable[[Any], str]

_ENCODERS: Final[dict[type, _Encoder]] = {
    Joined: lambda item: _event("joined", item, room=item.room, nick=item.nickname),
    Left: lambda item: _event("left", item, room=item.room, nick=item.nickname, **_if("reason", item.reason)),
    Disconnected: lambda item: _event("disconnected", item, nick=item.nickname, reason=item.reason),
    Renamed: lambda item: _event("renamed", item, nick=item.old, new=item.new),
    AwayChanged: lambda item: _event("away", item, nick=item.nickname, text=item.text),
    TopicChanged: lambda item: _event("topic", item, room=item.room, nick=item.nickname, topic=item.topic),
    Notice: _notice,
    Ok: _ok,
    Failure: lambda item: _reply("error", item, code=item.code, text=item.text),
    Welcome: _welcome,
    Members: _members,
    Topic: lambda item: _reply("topic", item, room=item.room, topic=item.topic),
    Rooms: _rooms,
    Profile: _profile,
    HistoryPage: _history,
    Replay: _replay,
    Gap: lambda item: dump_object({"type": "gap", "room": item.room, "after": format_id(item.after)}),
    Lines: lambda item: _reply("lines", item, lines=list(item.lines)),
    PingRequest: lambda item: dump_object({"type": "ping"}),
    PongReply: lambda item: _reply("pong", item, token=item.token),
    Bye: lambda item: dump_object({"type": "bye", "reason": item.reason}),
}


# Reading


def read_item(fields: Fields) -> Item | None:
    """
    Return what a server sent; None if it is of a type that this version does not know.

    Raises:
        RemoteProtocolError: If a field is missing or wrong.
    """
    reader = _READERS.get(fields.text("type"))
    return None if reader is None else reader(fields)


def _read_message(fields: Fields) -> Message:
    room = fields.optional_text("room")
    return Message(
        fields.id("id"),
        fields.time("time"),
        room,
        fields.text("nick"),
        fields.text("text"),
        fields.flag("action"),
        fields.text("to") if room is None else None,
    )


def _read_disconnected(fields: Fields) -> Disconnected:
    return Disconnected(*_place(fields), (), fields.text("nick"), fields.text("reason", ""))


def _read_topic(fields: Fields) -> TopicChanged | Topic:
    """An event has an id; without one it is the answer to a question."""
    room, topic = fields.text("room"), fields.text("topic")
    if fields.has("id"):
        return TopicChanged(*_place(fields), room, fields.text("nick"), topic)
    return Topic(fields.ref(), room, topic)


def _read_notice(fields: Fields) -> Notice:
    return Notice(fields.optional_id("id") or 0, fields.time("time"), fields.optional_text("room"), fields.text("text"))


def _place(fields: Fields) -> tuple[int, float]:
    return fields.id("id"), fields.time("time")


def _read_welcome(fields: Fields) -> Welcome:
    if fields.count("protocol") != PROTOCOL_VERSION:
        raise BadField("protocol", str(PROTOCOL_VERSION))
    return Welcome(fields.ref(), fields.text("server"), fields.text("nick"), fields.text("token"), read_limits(fields))


def _read_members(fields: Fields) -> Members:
    members = [MemberInfo(member.text("nick"), member.optional_text("away")) for member in fields.objects("members")]
    return Members(fields.ref(), fields.text("room"), fields.text("topic"), tuple(members), fields.flag("joined"))


def _read_rooms(fields: Fields) -> Rooms:
    rooms = [RoomInfo(room.text("room"), room.count("members"), room.text("topic")) for room in fields.objects("rooms")]
    return Rooms(fields.ref(), tuple(rooms))


def _read_profile(fields: Fields) -> Profile:
    return Profile(
        fields.ref(),
        fields.text("nick"),
        fields.texts("rooms"),
        fields.optional_text("away"),
        fields.number("idle"),
    )


def _read_history(fields: Fields) -> HistoryPage:
    return HistoryPage(fields.ref(), fields.text("room"), _read_events(fields), fields.flag("more"))


def _read_events(fields: Fields) -> tuple[Event, ...]:
    events: list[Event] = []
    for part in fields.objects("events"):
        item = read_item(part)
        if isinstance(item, Event):
            events.append(item)
        elif item is not None:
            raise RemoteProtocolError(f"{part.text('type')!r} is no event")
    return tuple(events)


_Reader: TypeAlias = Callable[[Fields], Item]

_READERS: Final[dict[str, _Reader]] = {
    "message": _read_message,
    "joined": lambda fields: Joined(*_place(fields), fields.text("room"), fields.text("nick")),
    "left": lambda fields: Left(*_place(fields), fields.text("room"), fields.text("nick"), fields.text("reason", "")),
    "disconnected": _read_disconnected,
    "renamed": lambda fields: Renamed(*_place(fields), (), fields.text("nick"), fields.text("new")),
    "away": lambda fields: AwayChanged(*_place(fields), (), fields.text("nick"), fields.optional_text("text")),
    "topic": _read_topic,
    "notice": _read_notice,
    "ok": lambda fields: Ok(fields.ref(), fields.optional_id("id")),
    "error": lambda fields: Failure(fields.ref(), fields.text("code"), fields.text("text")),
    "welcome": _read_welcome,
    "members": _read_members,
    "rooms": _read_rooms,
    "profile": _read_profile,
    "history": _read_history,
    "replay": lambda fields: Replay(fields.text("room"), _read_events(fields)),
    "gap": lambda fields: Gap(fields.text("room"), fields.id("after")),
    "lines": lambda fields: Lines(fields.ref(), fields.texts("lines")),
    "ping": lambda fields: PingRequest(),
    "pong": lambda fields: PongReply(fields.ref(), fields.text("token")),
    "bye": lambda fields: Bye(fields.text("reason")),
}
