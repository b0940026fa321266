"""The server's input: reads the client's requests from JSON; `asked.py` writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pychat.model import modes
from pychat.model.errors import LimitExceeded, RemoteProtocolError
from pychat.model.events import Event
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
from pychat.protocols.jsonl.fields import EVENT_TYPES, BadField, Fields, load_object

_TYPE_SHOWN: Final = 32
"""How many characters of an unknown type are repeated to the sender."""


def read_verb(line: str) -> Verb:
    """Return the verb of a line; `Invalid`, with the line's `ref` if it can be read, if it is not a request."""
    ref: Ref = None
    try:
        fields = Fields(load_object(line))
        ref = fields.ref()
        kind = fields.text("type")
        reader = _READERS.get(kind)
        if reader is None:
            return _unknown(kind, ref)
        return reader(fields, ref)
    except RemoteProtocolError as error:
        return Invalid("bad_request", str(error), ref)
    except LimitExceeded as error:
        return Invalid(error.code, str(error), ref)


def _unknown(kind: str, ref: Ref) -> Invalid:
    return Invalid("unknown_type", f"unknown type {kind[:_TYPE_SHOWN]!r}; use one of {', '.join(_READERS)}", ref)


# Reading


def _hello(fields: Fields, ref: Ref) -> Verb:
    resume = fields.object("resume") or Fields({})
    return Hello(
        fields.text("nick"),
        fields.texts("rooms") if fields.has("rooms") else None,
        fields.flag("replay"),
        resume.optional_text("token"),
        resume.optional_id("after"),
        ref,
        password=fields.optional_text("password"),
        bot=fields.flag("bot"),
        account=fields.optional_text("account"),
        account_password=fields.text("account_password", ""),
        keys=fields.words("keys"),
        regain=fields.flag("regain"),
        visit=fields.flag("visit"),
        create=fields.flag("create", True),
    )


def _say(fields: Fields, ref: Ref) -> Verb:
    return Say(
        fields.text("text"), fields.optional_text("room"), fields.flag("action"), ref, notice=fields.flag("notice")
    )


def _direct(fields: Fields, ref: Ref) -> Verb:
    text, to, action, notice = fields.text("text"), fields.text("to"), fields.flag("action"), fields.flag("notice")
    return Direct(text, to, action, ref, notice=notice, reply_to=fields.optional_id("reply_to"))


def _join(fields: Fields, ref: Ref) -> Verb:
    room = fields.text("room")
    create = fields.flag("create", True) and not has_mark_of_irc(room)
    return Join(room, ref, fields.optional_text("key"), create)


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
        without=_without(fields.texts("without")),
    )


def _without(names: tuple[str, ...]) -> tuple[type[Event], ...]:
    """Return the event classes of these type names."""
    if not EVENT_TYPES.keys() >= set(names):
        raise BadField("without", f"an array of types of events: {', '.join(EVENT_TYPES)}")
    return tuple(EVENT_TYPES[name] for name in names)


def _kick(fields: Fields, ref: Ref) -> Verb:
    return Kick(fields.text("nick"), fields.optional_text("room"), fields.text("reason", ""), ref)


def _ban(fields: Fields, ref: Ref) -> Verb:
    seconds = fields.count("seconds", least=1) if fields.has("seconds") else None
    target, room, reason = fields.text("target"), fields.optional_text("room"), fields.text("reason", "")
    return Ban(target, room, seconds, reason, fields.flag("mute"), ref, fields.flag("kick"))


def _unban(fields: Fields, ref: Ref) -> Verb:
    return Unban(fields.text("target"), fields.optional_text("room"), fields.flag("mute"), ref)


def _ignore(fields: Fields, ref: Ref) -> Verb:
    mask = fields.optional_text("mask")
    return ListIgnored(ref) if mask is None else SetIgnored((mask,), (), ref)


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


def _register(fields: Fields, ref: Ref) -> Verb:
    return Register(fields.text("password"), fields.optional_text("account"), ref)


def _login(fields: Fields, ref: Ref) -> Verb:
    return LogIn(fields.text("password"), fields.optional_text("account"), ref, fields.flag("typed"))


def _logout(fields: Fields, ref: Ref) -> Verb:
    return LogOut(ref)


def _change_password(fields: Fields, ref: Ref) -> Verb:
    return ChangePassword(fields.text("password"), fields.text("new_password"), ref)


def _drop_account(fields: Fields, ref: Ref) -> Verb:
    return DropAccount(fields.text("password"), ref)


def _regain(fields: Fields, ref: Ref) -> Verb:
    return Regain(fields.text("nick"), fields.optional_text("password"), ref)


def _kill(fields: Fields, ref: Ref) -> Verb:
    return Kill(fields.text("nick"), fields.text("reason", ""), ref)


def _server_ban(fields: Fields, ref: Ref) -> Verb:
    target = fields.optional_text("target")
    if target is None:
        return ListServerBans(ref)
    seconds = fields.count("seconds", least=1) if fields.has("seconds") else None
    return AddServerBan(target, seconds, fields.text("reason", ""), ref)


def _server_unban(fields: Fields, ref: Ref) -> Verb:
    return RemoveServerBan(fields.text("target"), ref)


def _audit(fields: Fields, ref: Ref) -> Verb:
    limit = fields.count("limit", least=1) if fields.has("limit") else None
    return ReadAudit(limit, fields.optional_id("before"), ref)


def _wallops(fields: Fields, ref: Ref) -> Verb:
    return SendWallops(fields.text("text"), ref)


def _announce(fields: Fields, ref: Ref) -> Verb:
    return Announce(fields.text("text"), ref)


def _stats(fields: Fields, ref: Ref) -> Verb:
    return GetStats(ref)


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
    "ban": _ban,
    "unban": _unban,
    "ignore": _ignore,
    "unignore": lambda fields, ref: SetIgnored((), (fields.text("mask"),), ref),
    "invite": _invite,
    "mode": _modes,
    "masks": _masks,
    "user_mode": _user_modes,
    "oper": _oper,
    "register": _register,
    "login": _login,
    "logout": _logout,
    "change_password": _change_password,
    "drop_account": _drop_account,
    "regain": _regain,
    "kill": _kill,
    "server_ban": _server_ban,
    "server_unban": _server_unban,
    "audit": _audit,
    "stats": _stats,
    "announce": _announce,
    "wallops": _wallops,
    "motd": _motd,
    "command": _command,
    "help": _help,
    "ping": _ping,
    "pong": _pong,
    "quit": _quit,
}
