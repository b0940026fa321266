"""The client's requests: a client writes them, a server reads them, both by the same table."""

from __future__ import annotations

from typing import Any, Final

from pychat.model import modes
from pychat.model.codes import OtherCode
from pychat.model.errors import LimitExceeded, LocalProtocolError, RemoteProtocolError
from pychat.model.events import Event
from pychat.model.modes import ModeChange
from pychat.model.names import has_mark_of_irc
from pychat.model.queries import (
    GetModes,
    GetMotd,
    GetStats,
    GetTopic,
    GetUserModes,
    ListInvitations,
    ListMasks,
    ListMembers,
    ListRooms,
    Moment,
    Position,
    ReadAudit,
    ReadHistory,
    Ref,
    WhoIs,
)
from pychat.model.server_ban import AddServerBan, ListServerBans, RemoveServerBan
from pychat.model.verbs import (
    Announce,
    Ban,
    BecomeOperator,
    ChangePassword,
    Command,
    Direct,
    DropAccount,
    Hello,
    Help,
    Invalid,
    Invite,
    Join,
    Kick,
    Kill,
    Leave,
    ListIgnored,
    LogIn,
    LogOut,
    Ping,
    Pong,
    Quit,
    Regain,
    Register,
    Say,
    SendWallops,
    SetAway,
    SetIgnored,
    SetModes,
    SetNickname,
    SetTopic,
    SetUserModes,
    Unban,
    Verb,
)
from pychat.protocols.jsonl.fields import BadField, Fields, dump_object, format_id, load_object, to_bytes
from pychat.protocols.jsonl.items import EVENT_TYPES
from pychat.protocols.jsonl.shapes import FLAG, REF, TEXT, TEXTS, Field, Shape, Shapes

_TYPE_SHOWN: Final = 32
"""How many characters of an unknown type are repeated to the sender."""


def read_verb(line: str) -> Verb:
    """Return the verb of a line; `Invalid`, with the line's `ref` if it can be read, if it is not a request."""
    ref: Ref = None
    try:
        fields = Fields(load_object(line))
        ref = fields.ref()
        type = fields.text("type")
        shape = REQUESTS.reader(type, fields)
        if shape is None:
            return Invalid("unknown_type", f"unknown type {type[:_TYPE_SHOWN]!r}; use one of {_types()}", ref)
        verb: Verb = shape.read(fields)
        return verb
    except RemoteProtocolError as error:
        return Invalid("bad_request", str(error), ref)
    except LimitExceeded as error:
        return Invalid(OtherCode(error.code), str(error), ref)


def encode_verb(verb: Verb) -> bytes:
    """
    Return the line that requests the verb.

    Raises:
        LocalProtocolError: If clients cannot send it (`Invalid`, `Abort`), or it has fields that do not exist in JSON.
    """
    shapes = REQUESTS.writers(type(verb))
    if not shapes:
        raise LocalProtocolError(f"{type(verb).__name__} cannot be sent")
    for shape in shapes:
        if not shape.lost(verb):
            return to_bytes(dump_object(shape.write(verb)) + "\n")
    # Leaving it out would change the verb: a message to operators would be sent to everybody.
    raise LocalProtocolError(f"{shape.lost(verb)[0]!r} of {type(verb).__name__} cannot be sent")


def _types() -> str:
    return ", ".join(REQUESTS.types)


# Kinds of fields that only requests have


def _write_position(fields: dict[str, Any], name: str, value: Position) -> None:
    if isinstance(value, Moment):
        raise LocalProtocolError("a position in history must be an event id here, not a time")
    fields[name] = format_id(value)


def _write_recipient(fields: dict[str, Any], name: str, value: str | None) -> None:
    if value is None:
        raise LocalProtocolError("a direct message in JSON names its recipient: give Direct a 'to'")
    fields[name] = value


def _read_mask(fields: Fields, name: str) -> tuple[str, ...]:
    return (fields.text(name),)


def _write_mask(fields: dict[str, Any], name: str, value: tuple[str, ...]) -> None:
    if len(value) != 1:
        raise LocalProtocolError("in JSON, one request can change only one ignored mask")
    fields[name] = value[0]


def _read_changes(fields: Fields, name: str) -> tuple[ModeChange, ...]:
    return tuple(modes.parse(fields.text(name), fields.texts("args")))


def _write_changes(fields: dict[str, Any], name: str, value: tuple[ModeChange, ...]) -> None:
    fields[name], arguments = modes.write(value)
    if arguments:
        fields["args"] = arguments


def _read_own_changes(fields: Fields, name: str) -> tuple[ModeChange, ...]:
    return tuple(modes.parse(fields.text(name), ()))


def _write_own_changes(fields: dict[str, Any], name: str, value: tuple[ModeChange, ...]) -> None:
    fields[name], _ = modes.write(value)


def _read_event_types(fields: Fields, name: str) -> tuple[type[Event], ...]:
    names = fields.texts(name)
    if not EVENT_TYPES.keys() >= set(names):
        raise BadField(name, f"an array of types of events: {', '.join(EVENT_TYPES)}")
    return tuple(EVENT_TYPES[name] for name in names)


def _write_event_types(fields: dict[str, Any], name: str, value: tuple[type[Event], ...]) -> None:
    written = [name for name, kind in EVENT_TYPES.items() if kind in value]
    if written:
        fields[name] = written


def _read_count(fields: Fields, name: str) -> int:
    return fields.count(name, least=1)


_NICK: Final = TEXT.named("nick")
_COUNT: Final = Field(_read_count)
_POSITION: Final = Field(Fields.id, _write_position)
_KEYS: Final = Field(Fields.words)
_MASK: Final = Field(_read_mask, _write_mask, "mask").required()


class _Say(Shape):
    """Read by hand, because a busy server reads little else."""

    def read(self, fields: Fields) -> Say:
        text, room, action = fields.text("text"), fields.optional_text("room"), fields.flag("action")
        return Say(text, room, action, fields.ref(), notice=fields.flag("notice"))


class _Join(Shape):
    """A room whose name has the mark of IRC is one that exists, or a mistake."""

    def read(self, fields: Fields) -> Join:
        verb: Join = super().read(fields)
        return verb._replace(create=verb.create and not has_mark_of_irc(verb.room))


class _Help(Shape):
    """The server's text is of the types that it reads; a client does not send one."""

    def read(self, fields: Fields) -> Help:
        return Help(f"types of requests: {_types()}", fields.ref())


REQUESTS: Final = Shapes(
    Shape(
        "hello",
        Hello,
        nickname=_NICK,
        rooms=TEXTS,
        keys=_KEYS,
        replay=FLAG,
        password=TEXT,
        bot=FLAG,
        account=TEXT,
        account_password=TEXT,
        regain=FLAG,
        visit=FLAG,
        create=FLAG,
        token=TEXT.named("token", inside="resume"),
        after=_POSITION.named("after", inside="resume"),
        ref=REF,
    ),
    _Say("say", Say, room=TEXT, text=TEXT, action=FLAG, notice=FLAG, ref=REF),
    Shape(
        "direct",
        Direct,
        to=Field(Fields.text, _write_recipient).required(),
        reply_to=_POSITION,
        text=TEXT,
        action=FLAG,
        notice=FLAG,
        ref=REF,
    ),
    _Join("join", Join, room=TEXT, key=TEXT, create=FLAG, ref=REF),
    Shape("leave", Leave, room=TEXT, reason=TEXT, ref=REF),
    Shape("nick", SetNickname, nickname=_NICK, ref=REF),
    Shape("topic", SetTopic, when="topic", room=TEXT, topic=TEXT, ref=REF),
    Shape("topic", GetTopic, room=TEXT, ref=REF),
    Shape("away", SetAway, text=TEXT, ref=REF),
    Shape("who", ListMembers, room=TEXT, ref=REF),
    Shape("rooms", ListRooms, ref=REF),
    Shape("whois", WhoIs, nickname=_NICK, ref=REF),
    Shape(
        "history",
        ReadHistory,
        room=TEXT,
        before=_POSITION,
        after=_POSITION,
        around=_POSITION,
        limit=_COUNT,
        search=TEXT,
        without=Field(_read_event_types, _write_event_types),
        ref=REF,
    ),
    Shape("kick", Kick, room=TEXT, nickname=_NICK, reason=TEXT, ref=REF),
    Shape("ban", Ban, room=TEXT, target=TEXT, seconds=_COUNT, reason=TEXT, mute=FLAG, kick=FLAG, ref=REF),
    Shape("unban", Unban, room=TEXT, target=TEXT, mute=FLAG, ref=REF),
    Shape("ignore", SetIgnored, when="mask", add=_MASK, ref=REF),
    Shape("ignore", ListIgnored, ref=REF),
    Shape("unignore", SetIgnored, remove=_MASK, ref=REF),
    Shape("invite", Invite, when="nick", room=TEXT, nickname=_NICK, ref=REF),
    Shape("invite", ListInvitations, ref=REF),
    Shape("mode", SetModes, when="modes", room=TEXT, changes=Field(_read_changes, _write_changes, "modes"), ref=REF),
    Shape("mode", GetModes, room=TEXT, ref=REF),
    Shape("masks", ListMasks, room=TEXT, mode=TEXT, ref=REF),
    Shape(
        "user_mode", SetUserModes, when="modes", changes=Field(_read_own_changes, _write_own_changes, "modes"), ref=REF
    ),
    Shape("user_mode", GetUserModes, ref=REF),
    Shape("oper", BecomeOperator, name=TEXT, password=TEXT, ref=REF),
    Shape("register", Register, account=TEXT, password=TEXT, ref=REF),
    Shape("login", LogIn, account=TEXT, password=TEXT, typed=FLAG, ref=REF),
    Shape("logout", LogOut, ref=REF),
    Shape("change_password", ChangePassword, password=TEXT, new_password=TEXT, ref=REF),
    Shape("drop_account", DropAccount, password=TEXT, ref=REF),
    Shape("regain", Regain, nickname=_NICK, password=TEXT, ref=REF),
    Shape("kill", Kill, nickname=_NICK, reason=TEXT, ref=REF),
    Shape("server_ban", AddServerBan, when="target", target=TEXT, seconds=_COUNT, reason=TEXT, ref=REF),
    Shape("server_ban", ListServerBans, ref=REF),
    Shape("server_unban", RemoveServerBan, target=TEXT, ref=REF),
    Shape("audit", ReadAudit, limit=_COUNT, before=_POSITION, ref=REF),
    Shape("stats", GetStats, ref=REF),
    Shape("announce", Announce, text=TEXT, ref=REF),
    Shape("wallops", SendWallops, text=TEXT, ref=REF),
    Shape("motd", GetMotd, ref=REF),
    Shape("command", Command, name=TEXT, args=TEXTS, room=TEXT, ref=REF),
    _Help("help", Help, given={"text": ""}, ref=REF),
    Shape("ping", Ping, token=TEXT, ref=REF),
    Shape("pong", Pong, ref=REF),
    Shape("quit", Quit, reason=TEXT, ref=REF),
)
"""In the order of docs/protocol.md."""
