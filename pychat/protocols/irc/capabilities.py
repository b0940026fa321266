"""
Capabilities: extensions that a client enables with CAP (IRCv3 capability-negotiation).

Only what works is offered: account registration only if the server allows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from pychat.model.replies import Words
from pychat.model.verbs import Answer, Verb
from pychat.protocols.irc.asked import CHATHISTORY, Numeric
from pychat.protocols.irc.client_state import Client
from pychat.protocols.irc.commands.errors import refuse
from pychat.protocols.irc.commands.registration import hello_if_ready
from pychat.protocols.irc.grammar import ParsedLine

ACCOUNT_NOTIFY: Final = "account-notify"
ACCOUNT_REGISTRATION: Final = "draft/account-registration"
ACCOUNT_TAG: Final = "account-tag"
AWAY_NOTIFY: Final = "away-notify"
BATCH: Final = "batch"
CAP_NOTIFY: Final = "cap-notify"
CHGHOST: Final = "chghost"
ECHO_MESSAGE: Final = "echo-message"
EVENT_PLAYBACK: Final = "draft/event-playback"
EXTENDED_JOIN: Final = "extended-join"
EXTENDED_MONITOR: Final = "extended-monitor"
INVITE_NOTIFY: Final = "invite-notify"
LABELED_RESPONSE: Final = "labeled-response"
MESSAGE_TAGS: Final = "message-tags"
MULTI_PREFIX: Final = "multi-prefix"
SASL: Final = "sasl"
SERVER_TIME: Final = "server-time"
SETNAME: Final = "setname"
STANDARD_REPLIES: Final = "standard-replies"
USERHOST_IN_NAMES: Final = "userhost-in-names"

OFFERED: Final = (
    ACCOUNT_NOTIFY,
    ACCOUNT_REGISTRATION,
    ACCOUNT_TAG,
    AWAY_NOTIFY,
    BATCH,
    CAP_NOTIFY,
    CHATHISTORY,
    CHGHOST,
    ECHO_MESSAGE,
    EVENT_PLAYBACK,
    EXTENDED_JOIN,
    EXTENDED_MONITOR,
    INVITE_NOTIFY,
    LABELED_RESPONSE,
    MESSAGE_TAGS,
    MULTI_PREFIX,
    SASL,
    SERVER_TIME,
    SETNAME,
    STANDARD_REPLIES,
    USERHOST_IN_NAMES,
)
"""In the order of CAP LS. Together they fit in one line, which clients below version 302 need."""

_LIST_CHARS: Final = 390
"""Limit of the list in one line: the line has 510 bytes, and the names of server and client precede the list."""
_NOTIFIES: Final = 302
"""From this CAP version on, cap-notify is implied ("CAP LS Version")."""


def cap(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle the subcommands of CAP that clients send."""
    subcommand, *rest = command.params
    words = " ".join(rest).split(" ")
    match subcommand.upper():
        case "LS":
            return _list_offered(client, words[0])
        case "LIST":
            return _say("LIST", *_lines(sorted(client.capabilities)))
        case "REQ":
            return _request(client, [word for word in words if word])
        case "END":
            # Ignored for a registered client ("The CAP END subcommand").
            client.negotiating = False
            return hello_if_ready(client)
    return [refuse("410", subcommand, "Invalid CAP command")]


def _list_offered(client: Client, version: str) -> Sequence[Verb]:
    """Offer all capabilities; an unregistered client is held until CAP END ("The CAP LS subcommand")."""
    client.negotiating = client.nickname is None
    if version.isascii() and version.isdigit() and int(version) >= _NOTIFIES:
        client.notified = True
    if client.notified:  # the version stays in effect, even if a lower one follows
        _enable(client, {*client.capabilities, CAP_NOTIFY})
    dialect = client.dialect
    return _offer(dialect.registers, dialect.registers_early, dialect.mechanisms if client.notified else None)


@lru_cache(maxsize=16)
def _offer(registers: bool, early: bool, mechanisms: tuple[str, ...] | None) -> Sequence[Verb]:
    """
    Return the answer to CAP LS, which is made once for all clients of a server.

    Args:
        mechanisms: None for clients below version 302, which get no values.
    """
    offered = _offered(registers)
    if mechanisms is not None:
        registration = ("before-connect", "custom-account-name") if early else ("custom-account-name",)
        values = {SASL: ",".join(mechanisms), ACCOUNT_REGISTRATION: ",".join(registration)}
        offered = [f"{name}={values[name]}" if name in values else name for name in offered]
    return _say("LS", *_lines(offered))


def _offered(registers: bool) -> list[str]:
    """Return the names of all capabilities of a server; account registration only where it is possible."""
    return [name for name in OFFERED if name != ACCOUNT_REGISTRATION or registers]


def _request(client: Client, words: list[str]) -> Sequence[Verb]:
    """Change all requested capabilities or none ("The CAP REQ subcommand")."""
    client.negotiating = client.nickname is None
    wanted, offered = set(client.capabilities), _offered(client.dialect.registers)
    for word in words:
        name = word.removeprefix("-")
        if name not in offered or (client.notified and word == f"-{CAP_NOTIFY}"):
            return _say("NAK", _lines(words)[0])
        if word.startswith("-"):
            wanted.discard(name)
        else:
            wanted.add(name)
    _enable(client, wanted)
    lines = _lines(dict.fromkeys(words))
    return [Answer(tuple(Words(Numeric("CAP", ("ACK", names))) for names in lines))]


def _enable(client: Client, wanted: set[str]) -> None:
    capabilities = tuple([name for name in OFFERED if name in wanted])
    if capabilities != client.capabilities:
        client.capabilities = capabilities
        client.dialect = client.dialect.with_capabilities(frozenset(capabilities))
        client.waits = True


def _say(subcommand: str, *lists: str) -> Sequence[Verb]:
    """Answer with one line for each list; all but the last announce that more will follow ("Multiline replies")."""
    lines = [(subcommand, "*", names) for names in lists[:-1]] + [(subcommand, lists[-1])]
    return (Answer(tuple([Words(Numeric("CAP", params)) for params in lines])),)


def _lines(names: Iterable[str]) -> list[str]:
    lines = [""]
    for name in names:
        if lines[-1] and len(lines[-1]) + len(name) >= _LIST_CHARS:
            lines.append("")
        lines[-1] = f"{lines[-1]} {name}" if lines[-1] else name
    return lines
