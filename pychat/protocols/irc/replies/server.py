"""Replies about the server and the connection (Modern IRC, "Connection Messages", "Server Queries")."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from pychat.model import replies
from pychat.model.server_ban import ServerBanList
from pychat.protocols.irc.asked import Asked, Line, Numeric, as_middle
from pychat.protocols.irc.replies.context import Context, Renderer, source
from pychat.protocols.irc.replies.isupport import isupport, my_info
from pychat.protocols.text.render import render
from pychat.version import DESCRIPTION


def _welcome(item: replies.Welcome, context: Context) -> list[str]:
    """
    Return the lines that complete registration: 001 to 005 and LUSERS; the message of the day follows as `Motd`.

    001 has no user@host: clients take its host for their address (Modern IRC, "RPL_WELCOME (001)").
    """
    context = context._replace(nickname=item.nickname)
    return [
        context.numeric("001", text=f"Welcome to the {context.network} Network, {item.nickname}"),
        *context.forms.fill(_about_server, item.started, context),
        *([] if item.counts is None else _counts(item.counts, context)),
    ]


def _about_server(started: float, context: Context) -> list[str]:
    """Return 002 to 005."""
    return [
        context.numeric("002", text=f"Your host is {context.server}, running version {context.version}"),
        context.numeric("003", text=f"This server was created {_moment(started)}"),
        my_info(context),
        *isupport(context),
    ]


def _moment(seconds: float) -> str:
    return f"{time.asctime(time.gmtime(seconds))} UTC"


def _counts(item: replies.Counts, context: Context) -> list[str]:
    """
    Return LUSERS: RPL_LUSERCLIENT (251) to RPL_LUSERME (255), RPL_LOCALUSERS (265), RPL_GLOBALUSERS (266).

    252, 253 and 254 only if the number is not 0 (RFC 2812 section 5.1).
    """
    visible = item.people - item.invisible
    lines = [context.numeric("251", text=f"There are {visible} users and {item.invisible} invisible on 1 servers")]
    for code, number, text in (
        ("252", item.operators, "operator(s) online"),
        ("253", item.strangers, "unknown connection(s)"),
        ("254", item.rooms, "channels formed"),
    ):
        if number:
            lines.append(context.numeric(code, str(number), text=text))
    now, most = str(item.people), str(item.most)
    return [
        *lines,
        context.numeric("255", text=f"I have {now} clients and 0 servers"),
        context.numeric("265", now, most, text=f"Current local users {now}, max {most}"),
        context.numeric("266", now, most, text=f"Current global users {now}, max {most}"),
    ]


def _motd(item: replies.Motd, context: Context) -> list[str]:
    """Return RPL_MOTDSTART (375), RPL_MOTD (372), RPL_ENDOFMOTD (376); or ERR_NOMOTD (422)."""
    return context.forms.fill(_motd_lines, item.lines, context)


def _motd_lines(texts: tuple[str, ...], context: Context) -> list[str]:
    if not texts:
        return [context.numeric("422", text="There is no message of the day")]
    lines = [context.numeric("375", text=f"- {context.server} Message of the day - ")]
    for text in texts:
        lines += context.texts("372", text=f"- {text}")
    return [*lines, context.numeric("376", text="End of /MOTD command")]


def _lines(item: replies.Lines, context: Context) -> list[str]:
    """Return RPL_HELPSTART (704), RPL_HELPTXT (705), RPL_ENDOFHELP (706) for HELP; notices for other text."""
    ref = item.ref
    subject = ref.params[0] if isinstance(ref, Asked) and ref.params else "*"
    if not isinstance(ref, Asked) or ref.command not in ("HELP", "HELPOP"):
        # A notice from the server has the reader's nickname where numerics have it.
        notices = [line for text in item.lines for line in context.texts("NOTICE", text=text)]
        if isinstance(ref, Asked) and ref.command == "STATS":
            notices.append(context.numeric("219", subject, text="End of /STATS report"))
        return notices
    first, *rest = item.lines or ("",)
    lines = context.texts("704", subject, text=first)
    for text in rest:
        lines += context.texts("705", subject, text=text)
    return [*lines, context.numeric("706", subject, text="End of /HELP")]


def _ok(item: replies.Ok, context: Context) -> list[str]:
    """Return the numerics of AWAY; other results are visible as events, and NOTICE is never answered."""
    if not isinstance(item.ref, Asked) or item.ref.command != "AWAY":
        return []
    if item.ref.params and item.ref.params[0]:
        return [context.numeric("306", text="You have been marked as being away")]
    return [context.numeric("305", text="You are no longer marked as being away")]


def _server_bans(item: ServerBanList, context: Context) -> list[str]:
    """Return notices for KLINE: these bans have no numeric."""
    return [context.numeric("NOTICE", text=line.removeprefix("-- ")) for line in render(item)]


def _ping_request(item: replies.PingRequest, context: Context) -> list[str]:
    return [f"PING :{context.server}"]


def _pong(item: replies.PongReply, context: Context) -> list[str]:
    """Return PONG with the token of PING (Modern IRC, "PONG message")."""
    return [f":{context.server} PONG {context.server} :{item.token}"]


def _bye(item: replies.Bye, context: Context) -> list[str]:
    """Return ERROR (Modern IRC, "ERROR message")."""
    return [f"ERROR :Closing link: {item.reason}"]


def _wallops(item: replies.Wallops, context: Context) -> list[str]:
    return [f":{source(item.nickname, item.userhost, context)} WALLOPS :{item.text}"]


def _killed(item: replies.Killed, context: Context) -> list[str]:
    """Return KILL, which the client receives as well (Modern IRC, "KILL message")."""
    return [f":{source(item.nickname, item.userhost, context)} KILL {as_middle(context.nickname)} :{item.reason}"]


def _nothing(item: replies.ResponseStart | replies.ResponseEnd, context: Context) -> list[str]:
    return []


# Answers of the protocol itself


def _words(item: replies.Words, context: Context) -> list[str]:
    value = item.value
    if isinstance(value, Asked):
        answer = _ANSWERS.get(value.command)
        return [] if answer is None else answer(value, context)
    return word_lines(value, context)


def word_lines(value: object, context: Context) -> list[str]:
    """Return the line for a `Numeric` or a `Line` from the protocol."""
    if isinstance(value, Numeric):
        return [f":{context.server} {as_middle(value.code)} {as_middle(context.nickname)}{_params(value.params)}"]
    if isinstance(value, Line):
        return [f":{context.server} {as_middle(value.command)}{_params(value.params)}"]
    return []


def _params(params: tuple[str, ...]) -> str:
    """Return the parameters, each after a blank; only the last may be empty, have spaces or begin with a colon."""
    if not params:
        return ""
    *middle, last = params
    colon = ":" if not last or " " in last or last.startswith(":") else ""
    return "".join([f" {as_middle(param)}" for param in middle]) + f" {colon}{last}"


def _version(asked: Asked, context: Context) -> list[str]:
    """Return RPL_VERSION (351), followed by RPL_ISUPPORT (Modern IRC, "VERSION message")."""
    return [context.numeric("351", context.version, context.server, text=DESCRIPTION), *isupport(context)]


def _time(asked: Asked, context: Context) -> list[str]:
    """Return RPL_TIME (391)."""
    now = context.clock()
    return [context.numeric("391", context.server, str(int(now)), "0", text=_moment(now))]


def _info(asked: Asked, context: Context) -> list[str]:
    """Return RPL_INFO (371) and RPL_ENDOFINFO (374)."""
    return [
        context.numeric("371", text=f"{context.version} is {DESCRIPTION}"),
        context.numeric("371", text="IRC, nc, telnet and programs that speak JSON lines meet in the same rooms"),
        context.numeric("374", text="End of /INFO list"),
    ]


def _links(asked: Asked, context: Context) -> list[str]:
    """Return RPL_LINKS (364) and RPL_ENDOFLINKS (365): this is the only server."""
    return [
        context.numeric("364", context.server, context.server, text=f"0 {context.description}"),
        context.numeric("365", "*", text="End of /LINKS list"),
    ]


_ANSWERS: Final[dict[str, Callable[[Asked, Context], list[str]]]] = {
    "VERSION": _version,
    "TIME": _time,
    "INFO": _info,
    "LINKS": _links,
}

RENDERERS: Final[dict[type, Renderer]] = {
    replies.Welcome: _welcome,
    replies.Counts: _counts,
    replies.Motd: _motd,
    replies.Lines: _lines,
    replies.Ok: _ok,
    ServerBanList: _server_bans,
    replies.PingRequest: _ping_request,
    replies.PongReply: _pong,
    replies.Bye: _bye,
    replies.Wallops: _wallops,
    replies.Killed: _killed,
    replies.Words: _words,
    replies.ResponseStart: _nothing,
    replies.ResponseEnd: _nothing,
}
