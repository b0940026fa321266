"""The server: PING and PONG, queries about the server, and server operators (Modern IRC, "Server Queries")."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pychat.model import queries, verbs
from pychat.model.durations import parse_duration
from pychat.model.masks import fits
from pychat.model.names import fold
from pychat.model.replies import Words
from pychat.model.server_ban import AddServerBan, ListServerBans, RemoveServerBan
from pychat.model.verbs import Verb
from pychat.protocols.irc.asked import Asked
from pychat.protocols.irc.client_state import Client
from pychat.protocols.irc.commands.errors import refuse
from pychat.protocols.irc.commands.params import short_text
from pychat.protocols.irc.formatting import strip_codes
from pychat.protocols.irc.grammar import ParsedLine

_LIMIT: Final = re.compile("[1-9][0-9]{0,5}", re.ASCII)


def ping(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle PING: the token is returned unchanged."""
    if not command.params or not command.params[0]:
        return [refuse("409", "No origin specified")]
    return [verbs.Ping(command.params[0], Asked("PING", (command.params[0],)))]


def pong(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle PONG: whatever the token, the client is alive."""
    return [verbs.Pong()]


def quit(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle QUIT, with a reason."""
    return [verbs.Quit(short_text(client, command, 0), Asked("QUIT"))]


def error(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Ignore ERROR: it is for servers only (RFC 2812 section 3.7.4)."""
    return []


def _elsewhere(client: Client, command: ParsedLine, at: int = 0) -> Sequence[Verb]:
    """Return the refusal if the command is addressed to a server other than this, the only one."""
    target = command.params[at] if len(command.params) > at else ""
    if not target or fits(target, client.dialect.source) or fold(target) == fold(client.nickname or ""):
        return []
    return [refuse("402", target, "No such server")]


def about(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle VERSION, TIME and INFO, which only the dialect can answer."""
    return _elsewhere(client, command) or [verbs.Answer((Words(Asked(command.command)),))]


def links(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle LINKS: one server; the first of two parameters is the server to ask (RFC 2812 section 3.4.5)."""
    return (_elsewhere(client, command) if len(command.params) > 1 else []) or [verbs.Answer((Words(Asked("LINKS")),))]


def lusers(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle LUSERS: the second parameter is the server to ask (RFC 2812 section 3.4.2)."""
    return _elsewhere(client, command, 1) or [queries.CountPeople(Asked("LUSERS"))]


def motd(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle MOTD: the message of the day."""
    return _elsewhere(client, command) or [queries.GetMotd(Asked("MOTD"))]


def oper(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle OPER: only the verb contains the password. People type blanks in it without a colon before it."""
    return [verbs.BecomeOperator(command.params[0], " ".join(command.params[1:]), Asked("OPER", command.params[:1]))]


def kill(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle KILL: disconnect somebody, with a reason."""
    if fold(command.params[0]) == fold(client.dialect.source):
        return [refuse("483", "You can't kill a server!")]
    return [verbs.Kill(command.params[0], short_text(client, command, 1), Asked("KILL", command.params[:1]))]


def kline(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle KLINE: ban somebody from the server for a time (`10m`, or a number of minutes); alone, list the bans."""
    params = _with_colon([*command.params])
    if not params:
        return [ListServerBans(Asked("KLINE"))]
    seconds = parse_duration(f"{params[0]}m" if params[0].isdecimal() else params[0]) if len(params) > 1 else None
    if seconds is not None:
        params = _with_colon(params[1:])
    reason = strip_codes(" ".join(params[1:]))[: client.limits.short_text_chars]
    return [AddServerBan(params[0], seconds, reason, Asked("KLINE", (params[0],)))]


def unkline(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle UNKLINE: end a ban from the server."""
    target = _with_colon([*command.params])[0]
    return [RemoveServerBan(target, Asked("UNKLINE", (target,)))]


def _with_colon(params: list[str]) -> list[str]:
    """
    Return the parameters if the first may be an address such as "::1".

    IRC takes a parameter that begins with a colon, and everything after it, for the last one.
    """
    if not params or not params[0].startswith(":"):
        return params
    address, _, rest = params[0].partition(" ")
    return [f":{address}", *filter(None, [rest.strip().removeprefix(":")]), *params[1:]]


def audit(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle AUDIT: the record of actions by operators."""
    limit = command.params[0] if command.params else ""
    return [queries.ReadAudit(int(limit) if _LIMIT.fullmatch(limit) else None, ref=Asked("AUDIT"))]


def stats(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle STATS: figures as notices, whatever the letter."""
    return _elsewhere(client, command, 1) or [queries.GetStats(Asked("STATS", command.params[:1]))]


def announce(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle ANNOUNCE: a notice to everybody."""
    return [verbs.Announce(short_text(client, command, 0), Asked("ANNOUNCE"))]


def wallops(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle WALLOPS: a message to all who have subscribed to it."""
    return [verbs.SendWallops(short_text(client, command, 0), Asked("WALLOPS"))]
