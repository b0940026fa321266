"""Parse parameters that several commands share: channels, nicknames, lists of them, and short texts."""

from __future__ import annotations

from typing import Final

from pychat.model.limits import Limits
from pychat.model.names import fold
from pychat.model.verbs import Verb
from pychat.protocols.irc.client_state import Client
from pychat.protocols.irc.commands.errors import refuse
from pychat.protocols.irc.formatting import strip_codes
from pychat.protocols.irc.grammar import ParsedLine

_TARGMAX: Final = {
    "JOIN": 20,
    "KICK": 4,
    "LIST": 20,
    "NAMES": 20,
    "NOTICE": 4,
    "PART": 20,
    "PRIVMSG": 4,
    "TAGMSG": 4,
    "USERHOST": 5,
    "WHOIS": 1,
    "WHOWAS": 1,
}
_OF_OWN_CHANNELS: Final = ("JOIN", "NAMES", "PART")
"""Clients send these with all the channels of a member in one line."""

ROLES: Final = {"@": "operator", "+": "voice"}
"""The prefix of a channel that addresses only some of its members (Modern IRC, "STATUSMSG Parameter")."""


def split(text: str) -> list[str]:
    """Return the parts between commas, without empty ones."""
    return [part for part in text.split(",") if part]


def distinct(targets: list[str]) -> list[str]:
    """Return the targets without repetitions, ignoring case."""
    if len(targets) == 1:  # nearly always
        return targets
    named: dict[str, str] = {}
    for target in targets:
        named.setdefault(fold(target), target)
    return list(named.values())


def short_text(client: Client, command: ParsedLine, index: int) -> str:
    """
    Return the parameter that is a topic, a reason or an away text, without formatting; empty if there is none.

    It is truncated to the limit, as is usual in IRC: nobody is kept from leaving because the reason is too long.
    """
    text = command.params[index] if index < len(command.params) else ""
    return strip_codes(text)[: client.limits.short_text_chars]


def targmax(command: str, limits: Limits) -> int:
    """Return how many targets a command may have (Modern IRC, "TARGMAX Parameter"); further ones are ignored."""
    most = _TARGMAX[command]
    return max(most, limits.rooms_per_session) if command in _OF_OWN_CHANNELS else most


def all_targmax(limits: Limits) -> str:
    """Return the value of TARGMAX."""
    return ",".join(f"{command}:{targmax(command, limits)}" for command in sorted(_TARGMAX))


def take(client: Client, command: str, targets: list[str]) -> tuple[list[str], list[Verb]]:
    """Return the targets within the limit of the command, and the refusal if there were more."""
    most = targmax(command, client.limits)
    if len(targets) <= most:
        return targets, []
    # ERR_TOOMANYTARGETS; its parameter is the first target that was left out.
    return targets[:most], [
        refuse("407", targets[most], f"Too many targets: {command} takes {most}", code="bad_request")
    ]


def room_of(target: str) -> str | None:
    """Return the room of a channel: its name without the one `#`; None if it is not a channel."""
    return target[1:] if target.startswith("#") else None


def role_of(target: str) -> tuple[str, str]:
    """
    Return the role that is addressed in a channel, and the channel: `@#ops` is for its operators.

    Of several signs the lowest counts: members with voice receive `@+#ops`, and operators receive everything for lower
    roles.
    """
    if target.startswith("#"):  # nearly always
        return "", target
    name = target.lstrip("@+")
    if not name.startswith("#"):
        return "", target
    signs = target[: -len(name)]
    return ROLES["+" if "+" in signs else "@"], name
