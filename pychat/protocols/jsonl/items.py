"""
The server's output as JSON; `heard.py` reads it in a client.

Some fields are never sent: the `rooms` of events about a person would reveal that person's other rooms to a member, and
`audience` the other recipients. Fields that exist only in IRC are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any, Final, TypeAlias

from pychat.model import modes
from pychat.model.events import (
    AccountChanged,
    AwayChanged,
    Disconnected,
    Event,
    Invited,
    Joined,
    Kicked,
    Left,
    Message,
    ModesChanged,
    Notice,
    ProfileChanged,
    Renamed,
    Tagged,
    TopicChanged,
)
from pychat.model.modes import MaskEntry
from pychat.model.replies import (
    Bye,
    Counts,
    Failure,
    Gap,
    HistoryPage,
    HistoryTargets,
    Ignored,
    Invitations,
    Inviting,
    Killed,
    Lines,
    LoggedIn,
    LoggedOut,
    Masks,
    Members,
    Modes,
    Motd,
    Ok,
    PastPeople,
    People,
    PersonAway,
    PingRequest,
    PongReply,
    Profile,
    Replay,
    ResponseEnd,
    ResponseStart,
    Rooms,
    SaslChallenge,
    Topic,
    UserModes,
    Wallops,
    Watched,
    Welcome,
    Words,
)
from pychat.model.server_ban import ServerBanList
from pychat.protocols.base import Item
from pychat.protocols.jsonl.fields import PROTOCOL_VERSION, dump_object, format_id, format_time, write_limits


def encode_item(item: Item) -> str:
    """Return the item as one line, without its newline; empty if there is nothing to send."""
    return encode_message(item) if type(item) is Message else _ENCODERS[type(item)](item)


def encode_message(item: Message) -> str:
    """Return a message as one line. Hand-written, because a busy server encodes little else."""
    id, time, room, sender, text, action, to, _, notice, _, _, tags, role, account = item
    where = f'"room":{encode_basestring(room)}' if room is not None else f'"to":{encode_basestring(to or "")}'
    return (
        f'{{"type":"message","id":"{id:016x}","time":"{format_time(time)}",{where},'
        f'"nick":{encode_basestring(sender)},"text":{encode_basestring(text)}'
        f"{_ACTION[action]}{_NOTICE[notice]}{(role or tags or account or '') and _rare(item)}}}"
    )


_ACTION: Final = ("", ',"action":true')
_NOTICE: Final = ("", ',"notice":true')
_BOT: Final = ("", ',"bot":true')


def _rare(item: Message) -> str:
    """Return the fields that few messages have."""
    role = f',"role":{encode_basestring(item.role)}' if item.role else ""
    account = f',"account":{encode_basestring(item.account)}' if item.account else ""
    return role + _BOT[item.by_bot] + account


# Writing


def _event(kind: str, event: Event, **fields: Any) -> str:
    return dump_object({"type": kind, "id": format_id(event.id), "time": format_time(event.time), **fields})


def _reply(kind: str, reply: Any, **fields: Any) -> str:
    ref = {} if reply.ref is None else {"ref": reply.ref}
    return dump_object({"type": kind, **ref, **fields})


def _if(name: str, value: Any) -> dict[str, Any]:
    """Return the field, if its value is not empty."""
    return {name: value} if value else {}


def _joined(item: Joined) -> str:
    more = {**_if("away", item.away), **_if("account", item.account)}
    return _event("joined", item, room=item.room, nick=item.nickname, **more)


def _modes_changed(item: ModesChanged) -> str:
    letters, arguments = modes.write(item.changes)
    return _event("modes", item, room=item.room, nick=item.nickname, modes=letters, args=arguments)


def _profile_changed(item: ProfileChanged) -> str:
    realname = {} if item.realname is None else {"realname": item.realname}
    return _event("profile_changed", item, nick=item.nickname, userhost=item.new_userhost, **realname)


def _nothing(item: Item) -> str:
    """Return nothing: only an IRC client can request or understand this item."""
    return ""


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
        {
            "nick": member.nickname,
            **({} if member.away is None else {"away": member.away}),
            **_if("roles", member.roles),
            **_if("account", member.account),
            **_if("visit", member.visits),
        }
        for member in item.members
    ]
    place = {} if item.place is None else {"id": format_id(item.place)}
    joined = {**_if("joined", item.joined), **place}
    return _reply("members", item, room=item.room, topic=item.topic, **joined, members=members)


def _rooms(item: Rooms) -> str:
    rooms = [{"room": room.name, "members": room.members, "topic": room.topic} for room in item.rooms]
    return _reply("rooms", item, rooms=rooms, **_if("more", item.more))


def _failure(item: Failure) -> str:
    about = {**_if("room", item.room), **_if("subject", list(item.subject)), **_if("retry_after", item.retry_after)}
    return _reply("error", item, code=item.code, text=item.text, **about)


def _profile(item: Profile) -> str:
    return _reply(
        "profile",
        item,
        nick=item.nickname,
        rooms=list(item.rooms),
        away=item.away,
        idle=int(max(0.0, item.idle)),
        **_if("userhost", item.userhost),
        **_if("modes", item.modes),
        **_if("secure", item.secure),
        **_if("account", item.account),
        **_if("address", item.address),
    )


def _modes(item: Modes) -> str:
    return _reply("modes", item, room=item.room, modes=f"+{item.letters}", args=list(item.arguments))


def _masks(item: Masks) -> str:
    return _reply("masks", item, room=item.room, mode=item.mode, masks=[_mask(entry) for entry in item.masks])


def _mask(entry: MaskEntry) -> dict[str, Any]:
    until = None if entry.until is None else format_time(entry.until)
    fields = {"mask": entry.mask, "by": entry.by, "time": format_time(entry.time)}
    return {**fields, **_if("until", until), **_if("reason", entry.reason)}


def _server_bans(item: ServerBanList) -> str:
    bans = [
        {
            "target": ban.target,
            "by": ban.by,
            "time": format_time(ban.time),
            **({} if ban.until is None else {"until": format_time(ban.until)}),
            **_if("reason", ban.reason),
        }
        for ban in item.bans
    ]
    return _reply("server_bans", item, bans=bans)


def _motd(item: Motd) -> str:
    """Return the message of the day; a missing one is reported only if it was requested."""
    return _reply("lines", item, lines=list(item.lines)) if item.lines or item.ref is not None else ""


def _person_away(item: PersonAway) -> str:
    """Return the away message without the `ref`, because it is not the reply itself."""
    return dump_object({"type": "person_away", "nick": item.nickname, "text": item.text})


def _wallops(item: Wallops) -> str:
    return dump_object({"type": "wallops", "nick": item.nickname, "text": item.text})


def _history(item: HistoryPage) -> str:
    head = _reply("history", item, room=item.room, **_if("search", item.search))[:-1]
    more = "true" if item.more else "false"
    # The events are already JSON, so they replace an array.
    then = "" if item.next is None else f',"next":"{format_id(item.next)}"'
    return f'{head},"events":[{_events(item.events)}],"more":{more}{then}}}'


def _replay(item: Replay) -> str:
    return f'{{"type":"replay","room":{encode_basestring(item.room)},"events":[{_events(item.events)}]}}'


def _events(events: tuple[Event, ...]) -> str:
    return ",".join(filter(None, map(encode_item, events)))


_Encoder: TypeAlias = Callable[[Any], str]

_ENCODERS: Final[dict[type, _Encoder]] = {
    Joined: _joined,
    Left: lambda item: _event("left", item, room=item.room, nick=item.nickname, **_if("reason", item.reason)),
    Kicked: lambda item: _event(
        "kicked", item, room=item.room, nick=item.nickname, by=item.by, **_if("reason", item.reason)
    ),
    Disconnected: lambda item: _event("disconnected", item, nick=item.nickname, reason=item.reason),
    Renamed: lambda item: _event("renamed", item, nick=item.old, new=item.new),
    AwayChanged: lambda item: _event("away", item, nick=item.nickname, text=item.text),
    AccountChanged: lambda item: _event("account", item, nick=item.nickname, account=item.account),
    TopicChanged: lambda item: _event("topic", item, room=item.room, nick=item.nickname, topic=item.topic),
    ProfileChanged: _profile_changed,
    ModesChanged: _modes_changed,
    Invited: lambda item: _event("invited", item, room=item.room, nick=item.nickname, invited=item.invited),
    Tagged: _nothing,
    Notice: _notice,
    Ok: _ok,
    Failure: _failure,
    Welcome: _welcome,
    Members: _members,
    Topic: lambda item: _reply("topic", item, room=item.room, topic=item.topic),
    Rooms: _rooms,
    Profile: _profile,
    People: _nothing,
    PastPeople: _nothing,
    Watched: _nothing,
    Counts: _nothing,
    Motd: _motd,
    Modes: _modes,
    Masks: _masks,
    Inviting: lambda item: _reply("inviting", item, room=item.room, nick=item.nickname),
    Invitations: lambda item: _reply("invitations", item, rooms=list(item.rooms)),
    UserModes: lambda item: _reply("user_modes", item, modes=f"+{item.letters}"),
    LoggedIn: lambda item: _reply("logged_in", item, account=item.account, **_if("registered", item.registered)),
    LoggedOut: lambda item: _reply("logged_out", item),
    SaslChallenge: _nothing,
    ServerBanList: _server_bans,
    Ignored: lambda item: _reply("ignored", item, masks=list(item.masks)),
    Wallops: _wallops,
    Killed: _nothing,
    PersonAway: _person_away,
    HistoryTargets: _nothing,
    Words: _nothing,
    ResponseStart: _nothing,
    ResponseEnd: _nothing,
    HistoryPage: _history,
    Replay: _replay,
    Gap: lambda item: dump_object({"type": "gap", "room": item.room, "after": format_id(item.after)}),
    Lines: lambda item: _reply("lines", item, lines=list(item.lines)),
    PingRequest: lambda item: dump_object({"type": "ping"}),
    PongReply: lambda item: _reply("pong", item, token=item.token),
    Bye: lambda item: dump_object({"type": "bye", "reason": item.reason, **_if("final", item.final)}),
}
