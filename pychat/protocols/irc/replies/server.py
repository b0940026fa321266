"""What is answered about the server and the connection (Modern IRC, "Connection Messages", "Server Queries")."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from pychat.model.replies import (
    Bye,
    Counts,
    Killed,
    Lines,
    Motd,
    Ok,
    PingRequest,
    PongReply,
    ResponseEnd,
    ResponseStart,
    Wallops,
    Welcome,
    Words,
)
from pychat.model.server_ban import ServerBanList
from pychat.protocols.irc.asked import Asked, Line, Numeric, as_middle
from pychat.protocols.irc.replies.context import Renderer, Style, source
from pychat.protocols.irc.replies.isupport import isupport, my_info
from pychat.protocols.text.render import render
from pychat.version import DESCRIPTION


def _welcome(item: Welcome, style: Style) -> list[str]:
    """
    Registration is complete: 001 to 005 and LUSERS; the message of the day follows as `Motd`.

    001 has no user@host: clients take its host for their address (Modern IRC, "RPL_WELCOME (001)").
    """
    style = style._replace(nickname=item.nickname)
    lines = [
        style.numeric("001", text=f"Welcome to the {style.network} Network, {item.nickname}"),
        style.numeric("002", text=f"Your host is {style.server}, running version {style.version}"),
        style.numeric("003", text=f"This server was created {_moment(item.started)}"),
        my_info(style),
        *isupport(style),
    ]
    return lines + _counts(item.counts, style) if item.counts is not None else lines


def _moment(seconds: float) -> str:
    return f"{time.asctime(time.gmtime(seconds))} UTC"


def _counts(item: Counts, style: Style) -> list[str]:
    """
    LUSERS: RPL_LUSERCLIENT (251) to RPL_LUSERME (255), RPL_LOCALUSERS (265), RPL_GLOBALUSERS (266).

    252, 253 and 254 only if the number is not 0 (RFC 2812 section 5.1).
    """
    visible = item.people - item.invisible
    lines = [style.numeric("251", text=f"There are {visible} users and {item.invisible} invisible on 1 servers")]
    for code, number, text in (
        ("252", item.operators, "operator(s) online"),
        ("253", item.strangers, "unknown connection(s)"),
        ("254", item.rooms, "channels formed"),
    ):
        if number:
            lines.append(style.numeric(code, str(number), text=text))
    now, most = str(item.people), str(item.most)
    return [
        *lines,
        style.numeric("255", text=f"I have {now} clients and 0 servers"),
        style.numeric("265", now, most, text=f"Current local users {now}, max {most}"),
        style.numeric("266", now, most, text=f"Current global users {now}, max {most}"),
    ]


def _motd(item: Motd, style: Style) -> list[str]:
    """RPL_MOTDSTART (375), RPL_MOTD (372), RPL_ENDOFMOTD (376); or ERR_NOMOTD (422)."""
    if not item.lines:
        return [style.numeric("422", text="There is no message of the day")]
    lines = [style.numeric("375", text=f"- {style.server} Message of the day - ")]
    for text in item.lines:
        lines += style.texts("372", text=f"- {text}")
    return [*lines, style.numeric("376", text="End of /MOTD command")]


def _lines(item: Lines, style: Style) -> list[str]:
    """HELP: RPL_HELPSTART (704), RPL_HELPTXT (705), RPL_ENDOFHELP (706); other text for people as notices."""
    ref = item.ref
    subject = ref.params[0] if isinstance(ref, Asked) and ref.params else "*"
    if not isinstance(ref, Asked) or ref.command not in ("HELP", "HELPOP"):
        # A notice of the server names its reader where numerics do.
        notices = [line for text in item.lines for line in style.texts("NOTICE", text=text)]
        if isinstance(ref, Asked) and ref.command == "STATS":
            notices.append(style.numeric("219", subject, text="End of /STATS report"))
        return notices
    first, *rest = item.lines or ("",)
    lines = style.texts("704", subject, text=first)
    for text in rest:
        lines += style.texts("705", subject, text=text)
    return [*lines, style.numeric("706", subject, text="End of /HELP")]


def _ok(item: Ok, style: Style) -> list[str]:
    """What is done is told by its event; only AWAY has numerics of its own; NOTICE is never answered."""
    if not isinstance(item.ref, Asked) or item.ref.command != "AWAY":
        return []
    if item.ref.params and item.ref.params[0]:
        return [style.numeric("306", text="You have been marked as being away")]
    return [style.numeric("305", text="You are no longer marked as being away")]


def _server_bans(item: ServerBanList, style: Style) -> list[str]:
    """KLINE: there is no numeric for what these bans are."""
    return [style.numeric("NOTICE", text=line.removeprefix("-- ")) for line in render(item)]


def _ping_request(item: PingRequest, style: Style) -> list[str]:
    return [f"PING :{style.server}"]


def _pong(item: PongReply, style: Style) -> list[str]:
    """Modern IRC, "PONG message": with the very token of PING."""
    return [f":{style.server} PONG {style.server} :{item.token}"]


def _bye(item: Bye, style: Style) -> list[str]:
    """Modern IRC, "ERROR message"."""
    return [f"ERROR :Closing link: {item.reason}"]


def _wallops(item: Wallops, style: Style) -> list[str]:
    return [f":{source(item.nickname, item.userhost, style)} WALLOPS :{item.text}"]


def _killed(item: Killed, style: Style) -> list[str]:
    """Modern IRC, "KILL message": the client hears it, too."""
    return [f":{source(item.nickname, item.userhost, style)} KILL {as_middle(style.nickname)} :{item.reason}"]


def _nothing(item: ResponseStart | ResponseEnd, style: Style) -> list[str]:
    return []


# What the protocol says by itself


def _words(item: Words, style: Style) -> list[str]:
    value = item.value
    if isinstance(value, Asked):
        answer = _ANSWERS.get(value.command)
        return [] if answer is None else answer(value, style)
    return word_lines(value, style)


def word_lines(value: object, style: Style) -> list[str]:
    """Return the line that the protocol made: a `Numeric` or a `Line`."""
    if isinstance(value, Numeric):
        return [f":{style.server} {as_middle(value.code)} {as_middle(style.nickname)}{_params(value.params)}"]
    if isinstance(value, Line):
        return [f":{style.server} {as_middle(value.command)}{_params(value.params)}"]
    return []


def _params(params: tuple[str, ...]) -> str:
    """The parameters, each with a blank before it; only the last may be empty, have spaces or begin with a colon."""
    if not params:
        return ""
    *middle, last = params
    colon = ":" if not last or " " in last or last.startswith(":") else ""
    return "".join([f" {as_middle(param)}" for param in middle]) + f" {colon}{last}"


def _version(asked: Asked, style: Style) -> list[str]:
    """RPL_VERSION (351); RPL_ISUPPORT goes with it (Modern IRC, "VERSION message")."""
    return [style.numeric("351", style.version, style.server, text=DESCRIPTION), *isupport(style)]


def _time(asked: Asked, style: Style) -> list[str]:
    """RPL_TIME (391)."""
    now = style.clock()
    return [style.numeric("391", style.server, str(int(now)), "0", text=_moment(now))]


def _info(asked: Asked, style: Style) -> list[str]:
    """RPL_INFO (371) and RPL_ENDOFINFO (374)."""
    return [
        style.numeric("371", text=f"{style.version} is {DESCRIPTION}"),
        style.numeric("371", text="IRC, nc, telnet and programs that speak JSON lines meet in the same rooms"),
        style.numeric("374", text="End of /INFO list"),
    ]


def _links(asked: Asked, style: Style) -> list[str]:
    """RPL_LINKS (364) and RPL_ENDOFLINKS (365): this is the only server."""
    return [
        style.numeric("364", style.server, style.server, text=f"0 {style.description}"),
        style.numeric("365", "*", text="End of /LINKS list"),
    ]


_ANSWERS: Final[dict[str, Callable[[Asked, Style], list[str]]]] = {
    "VERSION": _version,
    "TIME": _time,
    "INFO": _info,
    "LINKS": _links,
}

RENDERERS: Final[dict[type, Renderer]] = {
    Welcome: _welcome,
    Counts: _counts,
    Motd: _motd,
    Lines: _lines,
    Ok: _ok,
    ServerBanList: _server_bans,
    PingRequest: _ping_request,
    PongReply: _pong,
    Bye: _bye,
    Wallops: _wallops,
    Killed: _killed,
    Words: _words,
    ResponseStart: _nothing,
    ResponseEnd: _nothing,
}
