"""
Write refusals: the numeric for an error code of the core, or else a standard reply.

The text for people comes from the core: it says what was wrong and what is allowed. Sections: Modern IRC, "Numerics";
IRCv3 standard-replies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from pychat.model.replies import Failure
from pychat.protocols.irc.asked import Asked, Line, Numeric, as_middle
from pychat.protocols.irc.capabilities import STANDARD_REPLIES
from pychat.protocols.irc.replies.context import Context, Renderer, channel
from pychat.protocols.irc.replies.people import end_of_who, end_of_whois
from pychat.protocols.irc.replies.rooms import end_of_names
from pychat.protocols.irc.replies.server import word_lines

_MESSAGES: Final = ("", "PRIVMSG", "TAGMSG")
"""Messages carry no `ref`, so that they are not all answered."""


class _Refusal(NamedTuple):
    """A failure and the command that it answers."""

    item: Failure
    command: str
    """Empty for a message."""
    params: tuple[str, ...]

    def param(self, index: int) -> str:
        return self.params[index] if index < len(self.params) else ""

    def last(self) -> str:
        return self.params[-1] if self.params else ""

    def subject(self, index: int) -> str:
        return self.item.subject[index] if index < len(self.item.subject) else ""


def _room(refusal: _Refusal) -> str:
    """Return the channel that the failure is about, or else the first channel in the command."""
    if refusal.item.room is not None:
        return channel(refusal.item.room)
    return next((as_middle(param) for param in refusal.params if param.startswith("#")), "*")


def _nick(refusal: _Refusal) -> str:
    return refusal.subject(0) or refusal.param(0)


_FIELDS: Final[dict[str, Callable[[_Refusal], str]]] = {
    "room": _room,
    "nick": _nick,
    "command": lambda refusal: refusal.command,
    "letter": lambda refusal: refusal.subject(0),
    # A refused key may be a password used elsewhere, so it is not shown (Modern IRC, "ERR_INVALIDMODEPARAM (696)").
    "argument": lambda refusal: "*" if refusal.subject(0) == "k" else refusal.subject(1),
    "mask letter": lambda refusal: refusal.subject(1),
    "room or self": lambda refusal: _room(refusal) if refusal.item.room is not None else refusal.param(0),
}

_NUMERICS: Final[dict[str, tuple[str, ...]]] = {
    "not_a_member": ("442", "room"),
    "no_such_room": ("403", "room"),
    "no_such_nickname": ("401", "nick"),
    "user_not_in_room": ("441", "nick", "room"),
    "already_in_room": ("443", "nick", "room"),
    "not_room_operator": ("482", "room"),
    "not_server_operator": ("481",),
    "cannot_speak": ("404", "room"),
    "slow_mode": ("404", "room"),
    "banned": ("474", "room"),
    "invite_only": ("473", "room"),
    "bad_key": ("475", "room"),
    "room_full": ("471", "room"),
    "too_many_rooms": ("405", "room"),
    "unknown_mode": ("472", "letter"),
    "bad_mode_argument": ("696", "room or self", "letter", "argument"),
    "list_full": ("478", "room", "mask letter"),
    "wrong_password": ("464",),
    "password_required": ("464",),
    "bad_nickname": ("432", "nick"),
    "nickname_in_use": ("433", "nick"),
    "nickname_registered": ("433", "nick"),
    "server_banned": ("465",),
    "too_many_ignored": ("511", "letter"),
    "bad_room": ("403", "room"),
    "not_registered": ("451",),
    "unknown_command": ("421", "command"),
    "empty": ("412",),
}
"""The numeric for a code, and the parameters between the nickname and the text."""

_ANY: Final = "*"
_BY_COMMAND: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    # For a message, 404 names the channel, whatever the reason.
    ("", "not_a_member"): ("404", "room"),
    # Clients wait for one of the numerics of JOIN: this one fits any reason (RFC 2812 section 5.2).
    ("JOIN", _ANY): ("437", "room"),
    # A member who may not speak may not set the topic either, but 404 would be about a message.
    ("TOPIC", "cannot_speak"): ("482", "room"),
    ("WALLOPS", "empty"): ("461", "command"),
    # ERR_SASLFAIL, ERR_SASLABORTED (IRCv3 sasl-3.1, "Numerics used by this extension").
    ("AUTHENTICATE", _ANY): ("904",),
    ("AUTHENTICATE", "sasl_aborted"): ("906",),
    ("NICK", "server_banned"): ("465",),
    # ERR_BANNICKCHANGE of other servers: no change of nickname in a channel where one may not speak.
    ("NICK", "cannot_speak"): ("437", "room"),
    # A client without a nickname tries another one only after one of NICK's numerics.
    ("NICK", _ANY): ("432", "nick"),
}


def _end_of_whowas(refusal: _Refusal, context: Context) -> str:
    return context.numeric("369", refusal.param(0), text="End of WHOWAS")


_ENDS: Final[dict[str, Callable[[_Refusal, Context], str]]] = {
    "WHOIS": lambda refusal, context: end_of_whois(refusal.last(), context),
    "WHOWAS": _end_of_whowas,
    "NAMES": lambda refusal, context: end_of_names(_room(refusal), context),
    "WHO": lambda refusal, context: end_of_who(refusal.param(0), context),
    "LIST": lambda refusal, context: context.numeric("323", text="End of /LIST"),
}
"""The end of a list, sent even if the list is empty, because clients wait for it."""
_NOT_TOLD: Final = {
    ("NAMES", "not_a_member"),
    ("NAMES", "no_such_room"),
    ("WHO", "not_a_member"),
    ("WHO", "no_such_room"),
}
"""A secret channel must look like one that does not exist: only the end is sent (Modern IRC, "NAMES message")."""


def _failure(item: Failure, context: Context) -> list[str]:
    ref = item.ref
    if isinstance(ref, Numeric | Line):
        return word_lines(ref, context)
    command, params = (ref.command, ref.params) if isinstance(ref, Asked) else ("", ())
    if command == "NOTICE":  # never answered (RFC 2812 section 3.3.2)
        return []
    refusal = _Refusal(item, "" if command in _MESSAGES else command, params)
    lines = [] if (command, item.code) in _NOT_TOLD else [_line(refusal, context)]
    if (command, item.code) == ("AUTHENTICATE", "sasl_mechanism"):  # RPL_SASLMECHS
        lines.insert(0, context.numeric("908", refusal.subject(0), text="are available SASL mechanisms"))
    end = _ENDS.get(command)
    return lines if end is None else [*lines, end(refusal, context)]


def _line(refusal: _Refusal, context: Context) -> str:
    item, command, _ = refusal
    special = _SPECIAL.get((command, item.code)) or _SPECIAL.get((command, _ANY))
    if special is None and item.code == "flood" and command != "NICK":
        special = _too_fast
    if special is not None:
        return special(refusal, context)
    numeric = _BY_COMMAND.get((command, item.code)) or _NUMERICS.get(item.code) or _BY_COMMAND.get((command, _ANY))
    if numeric is None and command == "" and item.room is not None:
        numeric = ("404", "room")
    if numeric is None:
        return _standard_reply(refusal, context)
    code, *fields = numeric
    return context.numeric(code, *[_FIELDS[field](refusal) for field in fields], text=item.text)


def _standard_reply(refusal: _Refusal, context: Context) -> str:
    """Return FAIL to clients that support it, a notice to others. Codes are those of the core, in capitals."""
    item, command, _ = refusal
    if STANDARD_REPLIES not in context.capabilities:
        return context.numeric("NOTICE", text=f"{command}: {item.text}" if command else item.text)
    return _fail(context, command, item.code.upper(), *([] if item.room is None else [_room(refusal)]), text=item.text)


def _fail(context: Context, command: str, code: str, *details: str, text: str) -> str:
    words = map(as_middle, [command, code, *details])
    return f":{context.server} FAIL {' '.join(words)} :{text}"


# Failures for which the specification of a command has its own reply


def _too_fast(refusal: _Refusal, context: Context) -> str:
    """Return RPL_TRYAGAIN (Modern IRC, "RPL_TRYAGAIN (263)")."""
    ref = refusal.item.ref
    return context.numeric("263", ref.command if isinstance(ref, Asked) else "PRIVMSG", text=refusal.item.text)


def _unknown_user_mode(refusal: _Refusal, context: Context) -> str:
    """Return ERR_UMODEUNKNOWNFLAG for the user's own modes, ERR_UNKNOWNMODE for a channel's."""
    if refusal.item.room is None:
        return context.numeric("501", text=refusal.item.text)
    return context.numeric("472", refusal.subject(0), text=refusal.item.text)


def _history_target(refusal: _Refusal, context: Context) -> str:
    """Return FAIL with the subcommand and target (IRCv3 chathistory, "Errors and Warnings")."""
    return _fail(context, "CHATHISTORY", "INVALID_TARGET", refusal.param(0), refusal.param(1), text=refusal.item.text)


def _history_error(refusal: _Refusal, context: Context) -> str:
    details = [param for param in refusal.params[:2] if param] or ["*"]
    return _fail(context, "CHATHISTORY", "MESSAGE_ERROR", *details, text=refusal.item.text)


def _invalid_realname(refusal: _Refusal, context: Context) -> str:
    """Return FAIL for an invalid real name (IRCv3 setname, "Errors")."""
    return _fail(context, "SETNAME", "INVALID_REALNAME", text=refusal.item.text)


def _same_realname(refusal: _Refusal, context: Context) -> str:
    return _fail(context, "SETNAME", "CANNOT_CHANGE_REALNAME", text=refusal.item.text)


def _list_full(refusal: _Refusal, context: Context) -> str:
    """Return ERR_MONLISTFULL (734): the limit and the nicknames that were not added."""
    names = ",".join(map(as_middle, refusal.item.subject)) or "*"
    return context.numeric("734", str(context.limits.watched_nicknames), names, text=refusal.item.text)


def _not_registered(code: str) -> Callable[[_Refusal, Context], str]:
    """Return the renderer of a failed registration, which names the account (draft/account-registration, "Errors")."""
    return lambda refusal, context: _fail(context, "REGISTER", code, refusal.param(0), text=refusal.item.text)


def _service_says(refusal: _Refusal, context: Context) -> str:
    return context.numeric("NOTICE", text=f"NickServ: {refusal.item.text}")


_SPECIAL: Final[dict[tuple[str, str], Callable[[_Refusal, Context], str]]] = {
    ("MODE", "unknown_mode"): _unknown_user_mode,
    ("CHATHISTORY", "not_a_member"): _history_target,
    ("CHATHISTORY", "no_such_room"): _history_target,
    ("CHATHISTORY", "bad_room"): _history_target,
    ("CHATHISTORY", _ANY): _history_error,
    ("SETNAME", "limit_exceeded"): _invalid_realname,
    ("SETNAME", _ANY): _same_realname,
    ("MONITOR", "too_many_watched"): _list_full,
    ("REGISTER", "account_exists"): _not_registered("ACCOUNT_EXISTS"),
    ("REGISTER", "bad_nickname"): _not_registered("BAD_ACCOUNT_NAME"),
    ("REGISTER", "nickname_in_use"): _not_registered("BAD_ACCOUNT_NAME"),
    ("REGISTER", "bad_password"): _not_registered("UNACCEPTABLE_PASSWORD"),
    ("REGISTER", "password_required"): _not_registered("COMPLETE_CONNECTION_REQUIRED"),
    ("REGISTER", "bad_request"): _not_registered("ALREADY_AUTHENTICATED"),
    ("REGISTER", _ANY): _not_registered("TEMPORARILY_UNAVAILABLE"),
    ("NICKSERV", _ANY): _service_says,
}

RENDERERS: Final[dict[type, Renderer]] = {Failure: _failure}
