"""The client's requests as JSON: writes what `verbs.py` reads. Fields that are None are left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from pychat.model import modes
from pychat.model.errors import LocalProtocolError
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
from pychat.protocols.jsonl.fields import EVENT_TYPES, dump_object, format_id, to_bytes


def encode_verb(verb: Verb) -> bytes:
    """
    Return the line that requests the verb.

    Raises:
        LocalProtocolError: If clients cannot send it (`Invalid`, `Abort`), or it has fields that do not exist in JSON.
    """
    writer = _WRITERS.get(type(verb))
    if writer is None:
        raise LocalProtocolError(f"{type(verb).__name__} cannot be sent")
    for field in _NEVER_SENT.get(type(verb), ()):
        # Leaving it out would change the verb: a message to operators would be sent to everybody.
        if getattr(verb, field) != type(verb)._field_defaults[field]:
            raise LocalProtocolError(f"{field!r} of {type(verb).__name__} cannot be sent")
    values = {name: value for name, value in writer(verb).items() if value is not None}
    if verb.ref is not None:
        values["ref"] = verb.ref
    return to_bytes(dump_object(values) + "\n")


def _write_hello(verb: Hello) -> dict[str, Any]:
    resume = {"token": verb.token, "after": _id(verb.after)}
    return {
        "type": "hello",
        "nick": verb.nickname,
        "rooms": None if verb.rooms is None else list(verb.rooms),
        "keys": dict(verb.keys) or None,
        "replay": verb.replay or None,
        "password": verb.password,
        "bot": verb.bot or None,
        "account": verb.account,
        "account_password": verb.account_password or None,
        "regain": verb.regain or None,
        "visit": verb.visit or None,
        "create": None if verb.create else False,
        "resume": {name: value for name, value in resume.items() if value is not None} or None,
    }


def _write_direct(verb: Direct) -> dict[str, Any]:
    if verb.to is None:
        raise LocalProtocolError("a direct message in JSON names its recipient: give Direct a 'to'")
    reply_to = None if verb.reply_to is None else format_id(verb.reply_to)
    return {"type": "direct", "to": verb.to, "reply_to": reply_to, **_said(verb)}


def _said(verb: Say | Direct) -> dict[str, Any]:
    return {"text": verb.text, "action": verb.action or None, "notice": verb.notice or None}


def _write_modes(verb: SetModes) -> dict[str, Any]:
    letters, arguments = modes.write(verb.changes)
    return {"type": "mode", "room": verb.room, "modes": letters, "args": arguments or None}


def _write_ignored(verb: SetIgnored) -> dict[str, Any]:
    masks = verb.add + verb.remove
    if len(masks) != 1:
        raise LocalProtocolError("in JSON one mask is ignored, or not any more, at a time")
    return {"type": "ignore" if verb.add else "unignore", "mask": masks[0]}


def _write_history(verb: ReadHistory) -> dict[str, Any]:
    return {
        "type": "history",
        "room": verb.room,
        "before": _id(verb.before),
        "after": _id(verb.after),
        "around": _id(verb.around),
        "limit": verb.limit,
        "search": verb.search,
        "without": [name for name, kind in EVENT_TYPES.items() if kind in verb.without] or None,
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
    Join: lambda verb: {
        "type": "join",
        "room": verb.room,
        "key": verb.key,
        "create": None if verb.create else False,
    },
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
    Ban: lambda verb: {
        "type": "ban",
        "room": verb.room,
        "target": verb.target,
        "seconds": verb.seconds,
        "reason": verb.reason or None,
        "mute": verb.mute or None,
        "kick": verb.kick or None,
    },
    Unban: lambda verb: {"type": "unban", "room": verb.room, "target": verb.target, "mute": verb.mute or None},
    SetIgnored: _write_ignored,
    ListIgnored: lambda verb: {"type": "ignore"},
    Invite: lambda verb: {"type": "invite", "room": verb.room, "nick": verb.nickname},
    ListInvitations: lambda verb: {"type": "invite"},
    SetModes: _write_modes,
    GetModes: lambda verb: {"type": "mode", "room": verb.room},
    ListMasks: lambda verb: {"type": "masks", "room": verb.room, "mode": verb.mode},
    SetUserModes: lambda verb: {"type": "user_mode", "modes": modes.write(verb.changes)[0]},
    GetUserModes: lambda verb: {"type": "user_mode"},
    BecomeOperator: lambda verb: {"type": "oper", "name": verb.name, "password": verb.password},
    Register: lambda verb: {"type": "register", "account": verb.account, "password": verb.password},
    LogIn: lambda verb: {
        "type": "login",
        "account": verb.account,
        "password": verb.password,
        "typed": verb.typed or None,
    },
    LogOut: lambda verb: {"type": "logout"},
    ChangePassword: lambda verb: {
        "type": "change_password",
        "password": verb.password,
        "new_password": verb.new_password,
    },
    DropAccount: lambda verb: {"type": "drop_account", "password": verb.password},
    Regain: lambda verb: {"type": "regain", "nick": verb.nickname, "password": verb.password},
    Kill: lambda verb: {"type": "kill", "nick": verb.nickname, "reason": verb.reason or None},
    AddServerBan: lambda verb: {
        "type": "server_ban",
        "target": verb.target,
        "seconds": verb.seconds,
        "reason": verb.reason or None,
    },
    RemoveServerBan: lambda verb: {"type": "server_unban", "target": verb.target},
    ListServerBans: lambda verb: {"type": "server_ban"},
    ReadAudit: lambda verb: {"type": "audit", "limit": verb.limit, "before": _id(verb.before)},
    SendWallops: lambda verb: {"type": "wallops", "text": verb.text},
    Announce: lambda verb: {"type": "announce", "text": verb.text},
    GetStats: lambda verb: {"type": "stats"},
    GetMotd: lambda verb: {"type": "motd"},
    Command: _write_command,
    Help: lambda verb: {"type": "help"},
    Ping: lambda verb: {"type": "ping", "token": verb.token or None},
    Pong: lambda verb: {"type": "pong"},
    Quit: lambda verb: {"type": "quit", "reason": verb.reason or None},
}

_NEVER_SENT: Final[dict[type, tuple[str, ...]]] = {
    Hello: ("username", "realname", "most_replayed"),
    Say: ("formatted", "tags", "role"),
    Direct: ("formatted", "tags"),
    ListRooms: ("filter",),
    ReadHistory: ("between", "messages_only"),
}
"""Fields that exist only in IRC."""
