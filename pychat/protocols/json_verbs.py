"""What a client asks for, as JSON: `read_verb` for the server, `encode_verb` for the client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from pychat.core import modes
from pychat.core.errors import LimitExceeded, LocalProtocolError, RemoteProtocolError
from pychat.core.queries import (
    GetModes,
    GetMotd,
    GetTopic,
    GetUserModes,
    ListInvitations,
    ListMasks,
    ListMembers,
    ListRooms,
    Moment,
    Position,
    ReadHistory,
    Ref,
    WhoIs,
)
from pychat.core.verbs import (
    BecomeOperator,
    Command,
    Direct,
    Hello,
    Help,
    Invalid,
    Invite,
    Join,
    Kick,
    Kill,
    Leave,
    Ping,
    Pong,
    Quit,
    Say,
    SendWallops,
    SetAway,
    SetModes,
    SetNickname,
    SetTopic,
    SetUserModes,
    Verb,
)
from pychat.protocols.json_values import Fields, dump_object, format_id, load_object, to_bytes

_TYPE_SHOWN: Final = 32
"""Characters of an unknown type that are repeated to the one who sent it."""


class _Unsupported(RemoteProtocolError):
    """The protocol has a place for it, this server does nothing with it."""


def read_verb(line: str) -> Verb:
    """Return what a line asks for; `Invalid`, with the line's `ref` if it can be read, when it is no request."""
    ref: Ref = None
    try:
        fields = Fields(load_object(line))
        ref = fields.ref()
        kind = fields.text("type")
        reader = _READERS.get(kind)
        if reader is None:
            return _unknown(kind, ref)
        return reader(fields, ref)
    except _Unsupported as error:
        return Invalid("unsupported", str(error), ref)
    except RemoteProtocolError as error:
        return Invalid("bad_request", str(error), ref)
    except LimitExceeded as error:
        return Invalid(error.code, str(error), ref)


def encode_verb(verb: Verb) -> bytes:
    """
    Return the line that asks for the verb.

    Raises:
        LocalProtocolError: If it is not for clients to send (`Invalid`, `Abort`), or has what JSON has no word for.
    """
    writer = _WRITERS.get(type(verb))
    if writer is None:
        raise LocalProtocolError(f"{type(verb).__name__} cannot be sent")
    for field in _NEVER_SENT.get(type(verb), ()):
        # To leave it out would make it another verb: what is said to the operators would be said to all.
        if getattr(verb, field) != type(verb)._field_defaults[field]:
            raise LocalProtocolError(f"{field!r} of {type(verb).__name__} cannot be sent")
    values = {name: value for name, value in writer(verb).items() if value is not None}
    if verb.ref is not None:
        values["ref"] = verb.ref
    return to_bytes(dump_object(values) + "\n")


def _unknown(kind: str, ref: Ref) -> Invalid:
    if kind == "account":
        return Invalid("unsupported", "type 'account' is not supported: this server has no accounts", ref)
    return Invalid("unknown_type", f"unknown type {kind[:_TYPE_SHOWN]!r}; use one of {', '.join(_READERS)}", ref)


def _refuse(fields: Fields, name: str, why: str) -> None:
    if fields.has(name):
        raise _Unsupported(f"{name!r} is not supported: {why}")


# Reading


def _hello(fields: Fields, ref: Ref) -> Verb:
    _refuse(fields, "account", "this server has no accounts")
    resume = fields.object("resume") or Fields({})
    return Hello(
        fields.text("nick"),
        fields.texts("rooms") or None,
        fields.flag("replay"),
        resume.optional_text("token"),
        resume.optional_id("after"),
        ref,
        password=fields.optional_text("password"),
        bot=fields.flag("bot"),
    )


def _say(fields: Fields, ref: Ref) -> Verb:
    return Say(
        fields.text("text"), fields.optional_text("room"), fields.flag("action"), ref, notice=fields.flag("notice")
    )


def _direct(fields: Fields, ref: Ref) -> Verb:
    return Direct(fields.text("text"), fields.text("to"), fields.flag("action"), ref, notice=fields.flag("notice"))


def _join(fields: Fields, ref: Ref) -> Verb:
    return Join(fields.text("room"), ref, fields.optional_text("key"))


def _leave(fields: Fields, ref: Ref) -> Verb:
    return Leave(fields.optional_text("room"), fields.text("reason", ""), ref)


def _nick(fields: Fields, ref: Ref) -> Verb:
    return SetNickname(fields.text("nick"), ref)


def _topic(fields: Fields, ref: Ref) -> Verb:
    topic, room = fields.optional_text("topic"), fields.optional_text("room")
    return GetTopic(room, ref) if topic is None else SetTopic(topic, room, ref)


def _away(fields: Fields, ref: Ref) -> Verb:
    return SetAway(fields.optional_text("text"), ref)


def _who(fields: Fields, ref: Ref) -> Verb:
    return ListMembers(fields.optional_text("room"), ref)


def _rooms(fields: Fields, ref: Ref) -> Verb:
    return ListRooms(ref)


def _whois(fields: Fields, ref: Ref) -> Verb:
    return WhoIs(fields.text("nick"), ref)


def _history(fields: Fields, ref: Ref) -> Verb:
    return ReadHistory(
        fields.optional_text("room"),
        fields.optional_id("before"),
        fields.optional_id("after"),
        fields.count("limit", least=1) if fields.has("limit") else None,
        ref,
        fields.optional_id("around"),
        search=fields.optional_text("search"),
    )


def _kick(fields: Fields, ref: Ref) -> Verb:
    return Kick(fields.text("nick"), fields.optional_text("room"), fields.text("reason", ""), ref)


def _invite(fields: Fields, ref: Ref) -> Verb:
    nickname, room = fields.optional_text("nick"), fields.optional_text("room")
    return ListInvitations(ref) if nickname is None else Invite(nickname, room, ref)


def _modes(fields: Fields, ref: Ref) -> Verb:
    letters, room = fields.optional_text("modes"), fields.optional_text("room")
    if letters is None:
        return GetModes(room, ref)
    return SetModes(tuple(modes.parse(letters, fields.texts("args"))), room, ref)


def _masks(fields: Fields, ref: Ref) -> Verb:
    return ListMasks(fields.text("mode"), fields.optional_text("room"), ref)


def _user_modes(fields: Fields, ref: Ref) -> Verb:
    letters = fields.optional_text("modes")
    return GetUserModes(ref) if letters is None else SetUserModes(tuple(modes.parse(letters, ())), ref)


def _oper(fields: Fields, ref: Ref) -> Verb:
    return BecomeOperator(fields.text("name"), fields.text("password"), ref)


def _kill(fields: Fields, ref: Ref) -> Verb:
    return Kill(fields.text("nick"), fields.text("reason", ""), ref)


def _wallops(fields: Fields, ref: Ref) -> Verb:
    return SendWallops(fields.text("text"), ref)


def _motd(fields: Fields, ref: Ref) -> Verb:
    return GetMotd(ref)


def _command(fields: Fields, ref: Ref) -> Verb:
    return Command(fields.text("name"), fields.texts("args"), fields.optional_text("room"), ref)


def _help(fields: Fields, ref: Ref) -> Verb:
    return Help(f"types of requests: {', '.join(_READERS)}", ref)


def _ping(fields: Fields, ref: Ref) -> Verb:
    return Ping(fields.text("token", ""), ref)


def _pong(fields: Fields, ref: Ref) -> Verb:
    return Pong(ref)


def _quit(fields: Fields, ref: Ref) -> Verb:
    return Quit(fields.text("reason", ""), ref)


_READERS: Final[dict[str, Callable[[Fields, Ref], Verb]]] = {
    "hello": _hello,
    "say": _say,
    "direct": _direct,
    "join": _join,
    "leave": _leave,
    "nick": _nick,
    "topic": _topic,
    "away": _away,
    "who": _who,
    "rooms": _rooms,
    "whois": _whois,
    "history": _history,
    "kick": _kick,
    "invite": _invite,
    "mode": _modes,
    "masks": _masks,
    "user_mode": _user_modes,
    "oper": _oper,
    "kill": _kill,
    "wallops": _wallops,
    "motd": _motd,
    "command": _command,
    "help": _help,
    "ping": _ping,
    "pong": _pong,
    "quit": _quit,
}


# Writing: what is None is left out


def _write_hello(verb: Hello) -> dict[str, Any]:
    resume = {"token": verb.token, "after": _id(verb.after)}
    return {
        "type": "hello",
        "nick": verb.nickname,
        "rooms": list(verb.rooms or ()) or None,
        "replay": verb.replay or None,
        "password": verb.password,
        "bot": verb.bot or None,
        "resume": {name: value for name, value in resume.items() if value is not None} or None,
    }


def _write_direct(verb: Direct) -> dict[str, Any]:
    if verb.to is None:
        raise LocalProtocolError("a direct message in JSON names its recipient: give Direct a 'to'")
    return {"type": "direct", "to": verb.to, **_said(verb)}


def _said(verb: Say | Direct) -> dict[str, Any]:
    return {"text": verb.text, "action": verb.action or None, "notice": verb.notice or None}


def _write_modes(verb: SetModes) -> dict[str, Any]:
    letters, arguments = modes.write(verb.changes)
    return {"type": "mode", "room": verb.room, "modes": letters, "args": arguments or None}


def _write_history(verb: ReadHistory) -> dict[str, Any]:
    return {
        "type": "history",
        "room": verb.room,
        "before": _id(verb.before),
        "after": _id(verb.after),
        "around": _id(verb.around),
        "limit": verb.limit,
        "search": verb.search,
    }


def _write_command(verb: Command) -> dict[str, Any]:
    return {"type": "command", "name": verb.name, "args": list(verb.args) or None, "room": verb.room}


def _id(position: Position | None) -> str | None:
    if isinstance(position, Moment):
        raise LocalProtocolError("a place in history is an event id here, not a time")
    return None if position is None else format_id(position)


_Writer: TypeAlias = Callable[[Any], dict[str, Any]]

_WRITERS: Final[dict[type, _Writer]] = {
    Hello: _write_hello,
    Say: lambda verb: {"type": "say", "room": verb.room, **_said(verb)},
    Direct: _write_direct,
    Join: lambda verb: {"type": "join", "room": verb.room, "key": verb.key},
    Leave: lambda verb: {"type": "leave", "room": verb.room, "reason": verb.reason or None},
    SetNickname: lambda verb: {"type": "nick", "nick": verb.nickname},
    SetTopic: lambda verb: {"type": "topic", "room": verb.room, "topic": verb.topic},
    GetTopic: lambda verb: {"type": "topic", "room": verb.room},
    SetAway: lambda verb: {"type": "away", "text": verb.text},
    ListMembers: lambda verb: {"type": "who", "room": verb.room},
    ListRooms: lambda verb: {"type": "rooms"},
    WhoIs: lambda verb: {"type": "whois", "nick": verb.nickname},
    ReadHistory: _write_history,
    Kick: lambda verb: {"type": "kick", "room": verb.room, "nick": verb.nickname, "reason": verb.reason or None},
    Invite: lambda verb: {"type": "invite", "room": verb.room, "nick": verb.nickname},
    ListInvitations: lambda verb: {"type": "invite"},
    SetModes: _write_modes,
    GetModes: lambda verb: {"type": "mode", "room": verb.room},
    ListMasks: lambda verb: {"type": "masks", "room": verb.room, "mode": verb.mode},
    SetUserModes: lambda verb: {"type": "user_mode", "modes": modes.write(verb.changes)[0]},
    GetUserModes: lambda verb: {"type": "user_mode"},
    BecomeOperator: lambda verb: {"type": "oper", "name": verb.name, "password": verb.password},
    Kill: lambda verb: {"type": "kill", "nick": verb.nickname, "reason": verb.reason or None},
    SendWallops: lambda verb: {"type": "wallops", "text": verb.text},
    GetMotd: lambda verb: {"type": "motd"},
    Command: _write_command,
    Help: lambda verb: {"type": "help"},
    Ping: lambda verb: {"type": "ping", "token": verb.token or None},
    Pong: lambda verb: {"type": "pong"},
    Quit: lambda verb: {"type": "quit", "reason": verb.reason or None},
}

_NEVER_SENT: Final[dict[type, tuple[str, ...]]] = {
    Hello: ("username", "realname"),
    Say: ("formatted", "tags", "role"),
    Direct: ("formatted", "tags"),
    ListRooms: ("filter",),
    ReadHistory: ("newest", "messages_only"),
}
"""Fields that only IRC has words for."""
