"""The table of commands: the reader of each, how many parameters it needs, and whether it works before registration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

from pychat.model.verbs import Help, Verb
from pychat.protocols.irc.asked import Asked
from pychat.protocols.irc.capabilities import cap
from pychat.protocols.irc.client_state import Client
from pychat.protocols.irc.commands import accounts, channels, people, registration, server
from pychat.protocols.irc.commands import history as chathistory
from pychat.protocols.irc.commands import messages as talking
from pychat.protocols.irc.commands import modes as moding
from pychat.protocols.irc.commands.errors import needs_parameters, not_registered, refuse, unknown_command
from pychat.protocols.irc.grammar import ParsedLine

Reader: TypeAlias = Callable[[Client, ParsedLine], Sequence[Verb]]
"""Turns a command, whose name is in upper case, into verbs."""


class Rule(NamedTuple):
    """One row of the table."""

    read: Reader
    usage: str
    """The parameters, for HELP."""
    least: int = 0
    """Required parameters; fewer are refused (ERR_NEEDMOREPARAMS). Also 0 if the reader refuses them itself."""
    early: bool = False
    """True if it works before registration; others are refused then (ERR_NOTREGISTERED)."""


def perform(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Return the verbs of a command; its name is in upper case."""
    rule = COMMANDS.get(command.command)
    if rule is None:
        return [unknown_command(command.command)]
    if client.nickname is None and not rule.early:
        return [not_registered()]
    if len(command.params) < rule.least:
        return [needs_parameters(command.command)]
    return rule.read(client, command)


def _help(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle HELP: all commands, or one of them."""
    subject = command.params[0].upper() if command.params else ""
    if not subject:
        return [Help("\n".join(_usage(name) for name in COMMANDS), Asked("HELP"))]
    if subject not in COMMANDS:
        return [refuse("524", subject, "There is no help about this; HELP lists the commands")]
    return [Help(_usage(subject), Asked("HELP", (subject,)), about=subject)]


def _usage(name: str) -> str:
    return f"{name} {COMMANDS[name].usage}".rstrip()


COMMANDS: Final = {
    "AUDIT": Rule(server.audit, "[number]"),
    "AUTHENTICATE": Rule(accounts.authenticate, "mechanism|message|*", 1, early=True),
    "AWAY": Rule(people.away, "[text]"),
    "CAP": Rule(cap, "LS|LIST|REQ|END ...", 1, early=True),
    "CHATHISTORY": Rule(
        chathistory.chathistory,
        "LATEST|BEFORE|AFTER|AROUND|BETWEEN #channel place [place] limit | TARGETS time time limit",
    ),
    "ERROR": Rule(server.error, "", early=True),
    "HELP": Rule(_help, "[command]"),
    "HELPOP": Rule(_help, "[command]"),
    "INFO": Rule(server.about, ""),
    "INVITE": Rule(channels.invite, "[nickname #channel]"),
    "ISON": Rule(people.ison, "nickname ..."),
    "JOIN": Rule(channels.join, "#channel[,#channel] [key[,key]] | 0", 1),
    "KICK": Rule(channels.kick, "#channel nickname[,nickname] [reason]", 2),
    "KILL": Rule(server.kill, "nickname reason", 2),
    "KLINE": Rule(server.kline, "[[duration] address|a:account|mask|nickname [reason]]"),
    "LINKS": Rule(server.links, ""),
    "LIST": Rule(channels.list_rooms, "[mask|!mask|<users|>users|C<minutes|C>minutes|T<minutes|T>minutes],..."),
    "LUSERS": Rule(server.lusers, ""),
    "MODE": Rule(moding.mode, "#channel|nickname [+modes-modes [argument] ...]", 1),
    "MONITOR": Rule(people.monitor, "+|- nickname[,nickname] | C | L | S", 1),
    "MOTD": Rule(server.motd, ""),
    "NAMES": Rule(channels.names, "#channel[,#channel]"),
    "NICK": Rule(registration.nick, "nickname", early=True),
    "NICKSERV": Rule(accounts.nickserv, "REGISTER|IDENTIFY|LOGOUT|REGAIN|PASSWD|DROP ..."),
    "NOTICE": Rule(talking.notice, "target[,target] text"),
    "OPER": Rule(server.oper, "name password", 2),
    "PART": Rule(channels.part, "#channel[,#channel] [reason]", 1),
    "PASS": Rule(registration.password, "password", 1, early=True),
    "PING": Rule(server.ping, "token", early=True),
    "PONG": Rule(server.pong, "token", early=True),
    "PRIVMSG": Rule(talking.privmsg, "target[,target] text"),
    "QUIT": Rule(server.quit, "[reason]", early=True),
    "REGISTER": Rule(accounts.register, "account|* email|* password", 3, early=True),
    "SETNAME": Rule(people.setname, "realname", 1),
    "SILENCE": Rule(people.silence, "[+mask|-mask[,...]]"),
    "TAGMSG": Rule(talking.tagmsg, "target[,target]"),
    "TBAN": Rule(moding.tban, "#channel duration mask [reason]", 3),
    "TIME": Rule(server.about, ""),
    "TOPIC": Rule(channels.topic, "#channel [topic]", 1),
    "UNKLINE": Rule(server.unkline, "address|a:account|mask", 1),
    "USER": Rule(registration.user, "username 0 * realname", 4, early=True),
    "USERHOST": Rule(people.userhost, "nickname ..."),
    "VERIFY": Rule(accounts.verify, "account code", 2, early=True),
    "VERSION": Rule(server.about, ""),
    "ANNOUNCE": Rule(server.announce, "text", 1),
    "STATS": Rule(server.stats, "[letter [server]]"),
    "WALLOPS": Rule(server.wallops, "text", 1),
    "WHO": Rule(people.who, "[#channel|mask] [o][%fields[,token]]"),
    "WHOIS": Rule(people.whois, "nickname"),
    "WHOWAS": Rule(people.whowas, "nickname [count]"),
}
