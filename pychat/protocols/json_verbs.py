"""What a client asks for, as JSON: `read_verb` for the server, `encode_verb` for the client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from pychat.core.errors import LocalProtocolError, RemoteProtocolError
from pychat.core.verbs import (
    Command,
    Direct,
    GetTopic,
    Hello,
    Help,
    Invalid,
    Join,
    Leave,
    ListMembers,
    ListRooms,
    Ping,
    Pong,
    Quit,
    ReadHistory,
    Ref,
    Say,
    SetAway,
    SetNickname,
    SetTopic,
    Verb,
    WhoIs,
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


def encode_verb(verb: Verb) -> bytes:
    """
    Return the line that asks for the verb.

    Raises:
        LocalProtocolError: If it is not for clients to send (`Invalid`, `Abort`).
    """
    writer = _WRITERS.get(type(verb))
    if writer is None:
        raise LocalProtocolError(f"{type(verb).__name__} cannot be sent")
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
    _refuse(fields, "password", "this server has no passwords")
    _refuse(fields, "account", "this server has no accounts")
    resume = fields.object("resume") or Fields({})
    return Hello(
        fields.text("nick"),
        fields.texts("rooms"),
        fields.flag("replay"),
        resume.optional_text("token"),
        resume.optional_id("after"),
        ref,
    )


def _say(fields: Fields, ref: Ref) -> Verb:
    return Say(fields.text("text"), fields.optional_text("room"), fields.flag("action"), ref)


def _direct(fields: Fields, ref: Ref) -> Verb:
    return Direct(fields.text("text"), fields.text("to"), fields.flag("action"), ref)


def _join(fields: Fields, ref: Ref) -> Verb:
    _refuse(fields, "key", "rooms have no keys here")
    return Join(fields.text("room"), ref)


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
    _refuse(fields, "search", "this server does not search")
    return ReadHistory(
        fields.optional_text("room"),
        fields.optional_id("before"),
        fields.optional_id("after"),
        fields.count("limit", least=1) if fields.has("limit") else None,
        ref,
    )


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
        "rooms": list(verb.rooms) or None,
        "replay": verb.replay or None,
        "resume": {name: value for name, value in resume.items() if value is not None} or None,
    }


def _write_direct(verb: Direct) -> dict[str, Any]:
    if verb.to is None:
        raise LocalProtocolError("a direct message in JSON names its recipient: give Direct a 'to'")
    return {"type": "direct", "to": verb.to, "text": verb.text, "action": verb.action or None}


def _write_history(verb: ReadHistory) -> dict[str, Any]:
    return {
        "type": "history",
        "room": verb.room,
        "before": _id(verb.before),
        "after": _id(verb.after),
        "limit": verb.limit,
    }


def _write_command(verb: Command) -> dict[str, Any]:
    return {"type": "command", "name": verb.name, "args": list(verb.args) or None, "room": verb.room}


def _id(number: int | None) -> str | None:
    return None if number is None else format_id(number)


_Writer: TypeAlias = Callable[[Any], dict[str, Any]]

_WRITERS: Final[dict[type, _Writer]] = {
    Hello: _write_hello,
    Say: lambda verb: {"type": "say", "room": verb.room, "text": verb.text, "action": verb.action or None},
    Direct: _write_direct,
    Join: lambda verb: {"type": "join", "room": verb.room},
    Leave: lambda verb: {"type": "leave", "room": verb.room, "reason": verb.reason or None},
    SetNickname: lambda verb: {"type": "nick", "nick": verb.nickname},
    SetTopic: lambda verb: {"type": "topic", "room": verb.room, "topic": verb.topic},
    GetTopic: lambda verb: {"type": "topic", "room": verb.room},
    SetAway: lambda verb: {"type": "away", "text": verb.text},
    ListMembers: lambda verb: {"type": "who", "room": verb.room},
    ListRooms: lambda verb: {"type": "rooms"},
    WhoIs: lambda verb: {"type": "whois", "nick": verb.nickname},
    ReadHistory: _write_history,
    Command: _write_command,
    Help: lambda verb: {"type": "help"},
    Ping: lambda verb: {"type": "ping", "token": verb.token or None},
    Pong: lambda verb: {"type": "pong"},
    Quit: lambda verb: {"type": "quit", "reason": verb.reason or None},
}
