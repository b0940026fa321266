"""The client's input: reads the JSON that `items.py` writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

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
from pychat.model.modes import MaskEntry
from pychat.model.replies import (
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
from pychat.protocols.jsonl.fields import PROTOCOL_VERSION, BadField, Fields, read_limits


def read_item(fields: Fields) -> Item | None:
    """
    Return the item that a server sent; None if this version does not know its type.

    Raises:
        RemoteProtocolError: If a field is missing or wrong.
    """
    reader = _READERS.get(fields.text("type"))
    return None if reader is None else reader(fields)


def _read_message(fields: Fields) -> Message:
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


def _read_joined(fields: Fields) -> Joined:
    away, account = fields.optional_text("away"), fields.optional_text("account")
    return Joined(*_place(fields), fields.name("room"), fields.name("nick"), away=away, account=account)


def _read_kicked(fields: Fields) -> Kicked:
    room, nickname, by = fields.name("room"), fields.name("nick"), fields.name("by")
    return Kicked(*_place(fields), room, nickname, by, fields.text("reason", ""))


def _read_changed(fields: Fields) -> ProfileChanged:
    nickname, userhost = fields.name("nick"), fields.text("userhost")
    return ProfileChanged(*_place(fields), (), nickname, "", userhost, fields.optional_text("realname"))


def _read_modes(fields: Fields) -> ModesChanged | Modes:
    """Return an event, or, without an id, the reply to a query."""
    room, letters, arguments = fields.name("room"), fields.text("modes"), fields.texts("args")
    if not fields.has("id"):
        return Modes(fields.ref(), room, letters.removeprefix("+"), arguments, 0.0)
    changes = modes.parse(letters, arguments, bounded=False)  # a program may make more than a request may
    return ModesChanged(*_place(fields), room, fields.name("nick"), tuple(changes))


def _read_invited(fields: Fields) -> Invited:
    return Invited(*_place(fields), fields.name("room"), fields.name("nick"), fields.name("invited"))


def _read_masks(fields: Fields) -> Masks:
    entries = [_mask(part) for part in fields.objects("masks")]
    return Masks(fields.ref(), fields.name("room"), fields.text("mode"), tuple(entries))


def _mask(part: Fields) -> MaskEntry:
    until = part.time("until") if part.has("until") else None
    return MaskEntry(part.text("mask"), part.text("by"), part.time("time"), "", until, part.text("reason", ""))


def _read_server_bans(fields: Fields) -> ServerBanList:
    bans = [
        ServerBan(
            part.text("target"),
            part.text("reason", ""),
            part.text("by"),
            part.time("time"),
            part.time("until") if part.has("until") else None,
        )
        for part in fields.objects("bans")
    ]
    return ServerBanList(fields.ref(), tuple(bans))


def _read_failure(fields: Fields) -> Failure:
    code, text, room = fields.text("code"), fields.text("text"), fields.optional_text("room")
    retry_after = fields.count("retry_after") if fields.has("retry_after") else None
    return Failure(fields.ref(), code, text, room, fields.texts("subject"), retry_after)


def _read_disconnected(fields: Fields) -> Disconnected:
    return Disconnected(*_place(fields), (), fields.name("nick"), fields.text("reason", ""))


def _read_topic(fields: Fields) -> TopicChanged | Topic:
    """Return an event, or, without an id, the reply to a query."""
    room, topic = fields.name("room"), fields.text("topic")
    if fields.has("id"):
        return TopicChanged(*_place(fields), room, fields.name("nick"), topic)
    return Topic(fields.ref(), room, topic)


def _read_notice(fields: Fields) -> Notice:
    return Notice(fields.optional_id("id") or 0, fields.time("time"), fields.optional_text("room"), fields.text("text"))


def _place(fields: Fields) -> tuple[int, float]:
    return fields.id("id"), fields.time("time")


def _read_welcome(fields: Fields) -> Welcome:
    if fields.count("protocol") != PROTOCOL_VERSION:
        raise BadField("protocol", str(PROTOCOL_VERSION))
    return Welcome(fields.ref(), fields.text("server"), fields.name("nick"), fields.text("token"), read_limits(fields))


def _read_members(fields: Fields) -> Members:
    members = [
        MemberInfo(
            member.name("nick"),
            member.optional_text("away"),
            roles=member.text("roles", ""),
            account=member.optional_text("account"),
            visits=member.flag("visit"),
        )
        for member in fields.objects("members")
    ]
    room, topic, joined = fields.name("room"), fields.text("topic"), fields.flag("joined")
    return Members(fields.ref(), room, topic, tuple(members), joined, place=fields.optional_id("id"))


def _read_rooms(fields: Fields) -> Rooms:
    rooms = [RoomInfo(room.name("room"), room.count("members"), room.text("topic")) for room in fields.objects("rooms")]
    return Rooms(fields.ref(), tuple(rooms), fields.flag("more"))


def _read_profile(fields: Fields) -> Profile:
    return Profile(
        fields.ref(),
        fields.name("nick"),
        fields.texts("rooms"),
        fields.optional_text("away"),
        fields.number("idle"),
        fields.text("userhost", ""),
        modes=fields.text("modes", ""),
        secure=fields.flag("secure"),
        account=fields.optional_text("account"),
        address=fields.text("address", ""),
    )


def _read_history(fields: Fields) -> HistoryPage:
    return HistoryPage(
        fields.ref(),
        fields.name("room"),
        _read_events(fields),
        fields.flag("more"),
        fields.text("search", ""),
        fields.optional_id("next"),
    )


def _read_events(fields: Fields) -> tuple[Event, ...]:
    events: list[Event] = []
    for part in fields.objects("events"):
        item = read_item(part)
        if isinstance(item, Event):
            events.append(item)
        elif item is not None:
            raise RemoteProtocolError(f"{part.text('type')!r} is not an event")
    return tuple(events)


_Reader: TypeAlias = Callable[[Fields], Item]

_READERS: Final[dict[str, _Reader]] = {
    "message": _read_message,
    "joined": _read_joined,
    "left": lambda fields: Left(*_place(fields), fields.name("room"), fields.name("nick"), fields.text("reason", "")),
    "kicked": _read_kicked,
    "disconnected": _read_disconnected,
    "renamed": lambda fields: Renamed(*_place(fields), (), fields.name("nick"), fields.name("new")),
    "away": lambda fields: AwayChanged(*_place(fields), (), fields.name("nick"), fields.optional_text("text")),
    "account": lambda fields: AccountChanged(*_place(fields), (), fields.name("nick"), fields.optional_text("account")),
    "profile_changed": _read_changed,
    "topic": _read_topic,
    "modes": _read_modes,
    "invited": _read_invited,
    "notice": _read_notice,
    "ok": lambda fields: Ok(fields.ref(), fields.optional_id("id")),
    "error": _read_failure,
    "welcome": _read_welcome,
    "members": _read_members,
    "rooms": _read_rooms,
    "profile": _read_profile,
    "masks": _read_masks,
    "inviting": lambda fields: Inviting(fields.ref(), fields.name("room"), fields.name("nick")),
    "invitations": lambda fields: Invitations(fields.ref(), fields.texts("rooms")),
    "user_modes": lambda fields: UserModes(fields.ref(), fields.text("modes").removeprefix("+")),
    "logged_in": lambda fields: LoggedIn(fields.ref(), fields.text("account"), fields.flag("registered")),
    "logged_out": lambda fields: LoggedOut(fields.ref()),
    "person_away": lambda fields: PersonAway(None, fields.name("nick"), fields.text("text")),
    "ignored": lambda fields: Ignored(fields.ref(), fields.texts("masks")),
    "server_bans": _read_server_bans,
    "wallops": lambda fields: Wallops(fields.name("nick"), "", fields.text("text")),
    "history": _read_history,
    "replay": lambda fields: Replay(fields.name("room"), _read_events(fields)),
    "gap": lambda fields: Gap(fields.name("room"), fields.id("after")),
    "lines": lambda fields: Lines(fields.ref(), fields.texts("lines")),
    "ping": lambda fields: PingRequest(),
    "pong": lambda fields: PongReply(fields.ref(), fields.text("token")),
    "bye": lambda fields: Bye(fields.text("reason"), fields.flag("final")),
}
