"""What a client hears, as JSON: how it reads what `json_items.py` wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from pychat.core import modes
from pychat.core.account_replies import LoggedIn, LoggedOut
from pychat.core.errors import RemoteProtocolError
from pychat.core.events import (
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
from pychat.core.ignored import Ignored
from pychat.core.modes import MaskEntry
from pychat.core.replies import (
    Bye,
    Failure,
    Gap,
    HistoryPage,
    Invitations,
    Inviting,
    Lines,
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
from pychat.core.server_ban import ServerBan, ServerBanList
from pychat.protocols.base import Item
from pychat.protocols.json_values import PROTOCOL_VERSION, BadField, Fields, read_limits


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
        notice=fields.flag("notice"),
        tags="bot" if fields.flag("bot") else "",
        role=fields.text("role", ""),
        account=fields.optional_text("account"),
    )


def _read_joined(fields: Fields) -> Joined:
    away, account = fields.optional_text("away"), fields.optional_text("account")
    return Joined(*_place(fields), fields.text("room"), fields.text("nick"), away=away, account=account)


def _read_kicked(fields: Fields) -> Kicked:
    room, nickname, by = fields.text("room"), fields.text("nick"), fields.text("by")
    return Kicked(*_place(fields), room, nickname, by, fields.text("reason", ""))


def _read_changed(fields: Fields) -> ProfileChanged:
    nickname, userhost = fields.text("nick"), fields.text("userhost")
    return ProfileChanged(*_place(fields), (), nickname, "", userhost, fields.optional_text("realname"))


def _read_modes(fields: Fields) -> ModesChanged | Modes:
    """An event has an id; without one it is the answer to a question."""
    room, letters, arguments = fields.text("room"), fields.text("modes"), fields.texts("args")
    if not fields.has("id"):
        return Modes(fields.ref(), room, letters.removeprefix("+"), arguments, 0.0)
    changes = modes.parse(letters, arguments, bounded=False)  # a program may have made more than one may ask for
    return ModesChanged(*_place(fields), room, fields.text("nick"), tuple(changes))


def _read_invited(fields: Fields) -> Invited:
    return Invited(*_place(fields), fields.text("room"), fields.text("nick"), fields.text("invited"))


def _read_masks(fields: Fields) -> Masks:
    entries = [_mask(part) for part in fields.objects("masks")]
    return Masks(fields.ref(), fields.text("room"), fields.text("mode"), tuple(entries))


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
    return Failure(fields.ref(), code, text, room, fields.texts("subject"))


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
    members = [
        MemberInfo(
            member.text("nick"),
            member.optional_text("away"),
            roles=member.text("roles", ""),
            account=member.optional_text("account"),
        )
        for member in fields.objects("members")
    ]
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
        fields.text("userhost", ""),
        modes=fields.text("modes", ""),
        secure=fields.flag("secure"),
        account=fields.optional_text("account"),
    )


def _read_history(fields: Fields) -> HistoryPage:
    return HistoryPage(
        fields.ref(), fields.text("room"), _read_events(fields), fields.flag("more"), fields.text("search", "")
    )


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
    "joined": _read_joined,
    "left": lambda fields: Left(*_place(fields), fields.text("room"), fields.text("nick"), fields.text("reason", "")),
    "kicked": _read_kicked,
    "disconnected": _read_disconnected,
    "renamed": lambda fields: Renamed(*_place(fields), (), fields.text("nick"), fields.text("new")),
    "away": lambda fields: AwayChanged(*_place(fields), (), fields.text("nick"), fields.optional_text("text")),
    "account": lambda fields: AccountChanged(*_place(fields), (), fields.text("nick"), fields.optional_text("account")),
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
    "inviting": lambda fields: Inviting(fields.ref(), fields.text("room"), fields.text("nick")),
    "invitations": lambda fields: Invitations(fields.ref(), fields.texts("rooms")),
    "user_modes": lambda fields: UserModes(fields.ref(), fields.text("modes").removeprefix("+")),
    "logged_in": lambda fields: LoggedIn(fields.ref(), fields.text("account"), fields.flag("registered")),
    "logged_out": lambda fields: LoggedOut(fields.ref()),
    "person_away": lambda fields: PersonAway(None, fields.text("nick"), fields.text("text")),
    "ignored": lambda fields: Ignored(fields.ref(), fields.texts("masks")),
    "server_bans": _read_server_bans,
    "wallops": lambda fields: Wallops(fields.text("nick"), "", fields.text("text")),
    "history": _read_history,
    "replay": lambda fields: Replay(fields.text("room"), _read_events(fields)),
    "gap": lambda fields: Gap(fields.text("room"), fields.id("after")),
    "lines": lambda fields: Lines(fields.ref(), fields.texts("lines")),
    "ping": lambda fields: PingRequest(),
    "pong": lambda fields: PongReply(fields.ref(), fields.text("token")),
    "bye": lambda fields: Bye(fields.text("reason"), fields.flag("final")),
}
