"""
The server's output, events and replies: a server writes them, a client reads them, both by the same table.

Some fields are never sent: the `rooms` of events about a person would reveal that person's other rooms to a member, and
`audience` the other recipients. Fields that exist only in IRC are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any, Final, get_args

from pychat.model import modes
from pychat.model.errors import RemoteProtocolError
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
    TopicChanged,
)
from pychat.model.limits import Limits
from pychat.model.modes import MaskEntry, ModeChange
from pychat.model.replies import (
    IRC_ONLY,
    Bye,
    Failure,
    Gap,
    HistoryPage,
    Ignored,
    Invitations,
    Inviting,
    Lines,
    LoggedIn,
    LoggedOut,
    Masks,
    MemberInfo,
    Members,
    Modes,
    Motd,
    Ok,
    PersonAway,
    PingRequest,
    PongReply,
    Profile,
    Replay,
    RoomInfo,
    Rooms,
    Topic,
    UserModes,
    Wallops,
    Welcome,
)
from pychat.model.server_ban import ServerBan, ServerBanList
from pychat.protocols.base import Item
from pychat.protocols.jsonl.fields import (
    PROTOCOL_VERSION,
    BadField,
    Fields,
    format_id,
    format_time,
    read_limits,
    write_limits,
)
from pychat.protocols.jsonl.shapes import (
    COUNT,
    FLAG,
    ID,
    NAME,
    REF,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    TIME,
    Field,
    Shape,
    Shapes,
    objects,
)


def encode_item(item: Item) -> str:
    """Return the item as one line, without its newline; empty if there is nothing to send."""
    return _ENCODERS[type(item)](item)


def read_item(fields: Fields) -> Item | None:
    """
    Return the item that a server sent; None if this version does not know its type.

    Raises:
        RemoteProtocolError: If a field is missing or wrong.
    """
    shape = ITEMS.reader(fields.text("type"), fields)
    if shape is None:
        return None
    item: Item = shape.read(fields)
    return item


# By hand


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


class _Message(Shape):
    """To a room or to a person; written by `encode_message`."""

    def read(self, fields: Fields) -> Message:
        room = fields.name("room") if fields.has("room") else None
        return Message(
            fields.id("id"),
            fields.time("time"),
            room,
            fields.name("nick"),
            fields.text("text"),
            fields.flag("action"),
            fields.name("to") if room is None else None,
            notice=fields.flag("notice"),
            tags="bot" if fields.flag("bot") else "",
            role=fields.text("role", ""),
            account=fields.optional_text("account"),
        )


class _Ok(Shape):
    """Not sent to those who did not ask."""

    def encode(self, value: Ok) -> str:
        return "" if value.ref is None else super().encode(value)


class _Motd(Shape):
    """A client reads it as `Lines`; a missing one is reported only if it was requested."""

    def encode(self, value: Motd) -> str:
        return super().encode(value) if value.lines or value.ref is not None else ""


class _Members(Shape):
    """With members, who may be thousands: they are encoded by hand, and are the last field."""

    def encode(self, value: Members) -> str:
        head = super().encode(value._replace(members=())).removesuffix("]}")
        return f"{head}{','.join(map(_encode_member, value.members))}]}}"


def _encode_member(member: MemberInfo) -> str:
    nickname, away, _, roles, account, visits = member
    fields = f'"nick":{encode_basestring(nickname)}'
    if away is not None:
        fields += f',"away":{encode_basestring(away)}'
    if roles:
        fields += f',"roles":{encode_basestring(roles)}'
    if account is not None:
        fields += f',"account":{encode_basestring(account)}'
    return f"{{{fields}{_VISIT[visits]}}}"


_VISIT: Final = ("", ',"visit":true')


class _Page(Shape):
    """With events, which are encoded already: they replace an array."""

    def read(self, fields: Fields) -> HistoryPage:
        return HistoryPage(
            fields.ref(),
            fields.name("room"),
            _read_events(fields),
            fields.flag("more"),
            fields.text("search", ""),
            fields.optional_id("next"),
        )

    def encode(self, value: HistoryPage) -> str:
        head = super().encode(value)[:-1]
        more = "true" if value.more else "false"
        then = "" if value.next is None else f',"next":"{format_id(value.next)}"'
        return f'{head},"events":[{_write_events(value.events)}],"more":{more}{then}}}'


class _Replay(Shape):
    """With events."""

    def read(self, fields: Fields) -> Replay:
        return Replay(fields.name("room"), _read_events(fields))

    def encode(self, value: Replay) -> str:
        return f'{super().encode(value)[:-1]},"events":[{_write_events(value.events)}]}}'


def _read_events(fields: Fields) -> tuple[Event, ...]:
    events: list[Event] = []
    for part in fields.objects("events"):
        item = read_item(part)
        if isinstance(item, Event):
            events.append(item)
        elif item is not None:
            raise RemoteProtocolError(f"{part.text('type')!r} is not an event")
    return tuple(events)


def _write_events(events: tuple[Event, ...]) -> str:
    return ",".join(filter(None, map(encode_item, events)))


# Kinds of fields that only items have


def _read_changes(fields: Fields, name: str) -> tuple[ModeChange, ...]:
    # A program may make more than a request may.
    return tuple(modes.parse(fields.text(name), fields.texts("args"), bounded=False))


def _write_changes(fields: dict[str, Any], name: str, value: tuple[ModeChange, ...]) -> None:
    fields[name], fields["args"] = modes.write(value)


def _read_text_or_empty(fields: Fields, name: str) -> str:
    return fields.text(name, "")


def _read_letters(fields: Fields, name: str) -> str:
    return fields.text(name).removeprefix("+")


def _write_letters(fields: dict[str, Any], name: str, value: str) -> None:
    fields[name] = f"+{value}"


def _write_seconds(fields: dict[str, Any], name: str, value: float) -> None:
    fields[name] = int(max(0.0, value))


def _read_server(fields: Fields, name: str) -> str:
    if fields.count("protocol") != PROTOCOL_VERSION:
        raise BadField("protocol", str(PROTOCOL_VERSION))
    return fields.text(name)


def _write_server(fields: dict[str, Any], name: str, value: str) -> None:
    fields[name], fields["protocol"] = value, PROTOCOL_VERSION


def _read_limits(fields: Fields, name: str) -> Limits:
    return read_limits(fields)


def _write_limits(fields: dict[str, Any], name: str, value: Limits) -> None:
    fields[name] = write_limits(value)


_NICK: Final = NAME.named("nick")
_TEXT_OR_EMPTY: Final = Field(_read_text_or_empty).required()
"""An empty text is written, too."""
_CHANGES: Final = Field(_read_changes, _write_changes, "modes")
_LETTERS: Final = Field(_read_letters, _write_letters, "modes")
_SECONDS: Final = Field(Fields.number, _write_seconds)
_SERVER: Final = Field(_read_server, _write_server)
_LIMITS: Final = Field(_read_limits, _write_limits)

_EVENT: Final[dict[str, Any]] = {"id": ID, "time": TIME}
_IN_ROOM: Final[dict[str, Any]] = {**_EVENT, "room": NAME}
_OF_PERSON: Final = {"rooms": ()}
"""Not told."""

_MEMBER: Final = Shape("", MemberInfo, nickname=_NICK, away=TEXT, roles=TEXT, account=TEXT, visits=FLAG.named("visit"))
_ROOM: Final = Shape("", RoomInfo, name=NAME.named("room"), members=COUNT, topic=TEXT)
_ENTRY: Final = Shape("", MaskEntry, mask=TEXT, by=TEXT, time=TIME, until=TIME, reason=TEXT)
_BAN: Final = Shape("", ServerBan, target=TEXT, by=TEXT, time=TIME, until=TIME, reason=TEXT.or_else(""))

ITEMS: Final = Shapes(
    _Message("message", Message),
    Shape("joined", Joined, **_IN_ROOM, nickname=_NICK, away=TEXT, account=TEXT),
    Shape("left", Left, **_IN_ROOM, nickname=_NICK, reason=TEXT),
    Shape("kicked", Kicked, **_IN_ROOM, nickname=_NICK, by=NAME, reason=TEXT),
    Shape("disconnected", Disconnected, given=_OF_PERSON, **_EVENT, nickname=_NICK, reason=_TEXT_OR_EMPTY),
    Shape("renamed", Renamed, given=_OF_PERSON, **_EVENT, old=_NICK, new=NAME),
    Shape("away", AwayChanged, given=_OF_PERSON, **_EVENT, nickname=_NICK, text=TEXT_OR_NULL),
    Shape("account", AccountChanged, given=_OF_PERSON, **_EVENT, nickname=_NICK, account=TEXT_OR_NULL),
    Shape(
        "profile_changed",
        ProfileChanged,
        given={**_OF_PERSON, "userhost": ""},
        **_EVENT,
        nickname=_NICK,
        new_userhost=TEXT.named("userhost"),
        realname=TEXT,
    ),
    Shape("topic", TopicChanged, when="id", **_IN_ROOM, nickname=_NICK, topic=TEXT),
    Shape("topic", Topic, ref=REF, room=NAME, topic=TEXT),
    Shape("modes", ModesChanged, when="id", **_IN_ROOM, nickname=_NICK, changes=_CHANGES),
    Shape("modes", Modes, given={"created": 0.0}, ref=REF, room=NAME, letters=_LETTERS, arguments=TEXTS.named("args")),
    Shape("invited", Invited, **_IN_ROOM, nickname=_NICK, invited=NAME),
    Shape("notice", Notice, id=ID.or_else(0), time=TIME, room=TEXT.or_else(None), text=TEXT),
    _Ok("ok", Ok, ref=REF, id=ID),
    Shape("error", Failure, ref=REF, code=TEXT, text=TEXT, room=TEXT, subject=TEXTS, retry_after=COUNT),
    Shape("welcome", Welcome, ref=REF, server=_SERVER, nickname=_NICK, token=TEXT, limits=_LIMITS),
    _Members(
        "members",
        Members,
        ref=REF,
        room=NAME,
        topic=TEXT,
        joined=FLAG,
        place=ID.named("id"),
        members=objects(_MEMBER),
    ),
    Shape("rooms", Rooms, ref=REF, rooms=objects(_ROOM), more=FLAG),
    Shape(
        "profile",
        Profile,
        ref=REF,
        nickname=_NICK,
        rooms=TEXTS,
        away=TEXT_OR_NULL,
        idle=_SECONDS,
        userhost=TEXT,
        modes=TEXT,
        secure=FLAG,
        account=TEXT,
        address=TEXT,
    ),
    Shape("masks", Masks, ref=REF, room=NAME, mode=TEXT, masks=objects(_ENTRY)),
    Shape("inviting", Inviting, ref=REF, room=NAME, nickname=_NICK),
    Shape("invitations", Invitations, ref=REF, rooms=TEXTS),
    Shape("user_modes", UserModes, ref=REF, letters=_LETTERS),
    Shape("logged_in", LoggedIn, ref=REF, account=TEXT, registered=FLAG),
    Shape("logged_out", LoggedOut, ref=REF),
    Shape("person_away", PersonAway, given={"ref": None}, nickname=_NICK, text=TEXT),  # it answers nothing
    Shape("ignored", Ignored, ref=REF, masks=TEXTS),
    Shape("server_bans", ServerBanList, ref=REF, bans=objects(_BAN)),
    Shape("wallops", Wallops, given={"userhost": ""}, nickname=_NICK, text=TEXT),
    _Page("history", HistoryPage, ref=REF, room=NAME, search=TEXT),
    _Replay("replay", Replay, room=NAME),
    Shape("gap", Gap, room=NAME, after=ID),
    Shape("lines", Lines, ref=REF, lines=TEXTS),
    _Motd("lines", Motd, ref=REF, lines=TEXTS),
    Shape("ping", PingRequest),
    Shape("pong", PongReply, ref=REF, token=TEXT),
    Shape("bye", Bye, reason=TEXT, final=FLAG),
)

EVENT_TYPES: Final[dict[str, type[Event]]] = {
    shape.type: shape.value for shape in ITEMS if shape.value in get_args(Event)
}
"""The events that a history may contain, by type."""


def _nothing(item: Item) -> str:
    """Return nothing: only an IRC client can request or understand this item."""
    return ""


_ENCODERS: Final[dict[type, Callable[[Any], str]]] = {
    **{shape.value: shape.encode for shape in ITEMS},
    Message: encode_message,
    **dict.fromkeys(IRC_ONLY, _nothing),
}
