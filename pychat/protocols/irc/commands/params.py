"""The parameters that commands have in common: channels, nicknames, lists of them, and short texts."""

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
"""Clients send these with all the channels that a member has, in one line."""

ROLES: Final = {"@": "operator", "+": "voice"}
"""What stands before a channel when only some of its members are meant (Modern IRC, "STATUSMSG Parameter")."""


def split(text: str) -> list[str]:
    """Return what commas separate; what is empty does not count."""
    return [part for part in text.split(",") if part]


def distinct(targets: list[str]) -> list[str]:
    """Return the targets without those that were named before, in whatever case."""
    if len(targets) == 1:  # nearly always
        return targets
    named: dict[str, str] = {}
    for target in targets:
        named.setdefault(fold(target), target)
    return list(named.values())


def short_text(client: Client, command: ParsedLine, index: int) -> str:
    """
    Return the parameter that is a topic, a reason or an away text, without formatting; empty if there is none.

    Too much of it is cut off, as everywhere in IRC: nobody has to stay because the last words are too long.
    """
    text = command.params[index] if index < len(command.params) else ""
    return strip_codes(text)[: client.limits.short_text_chars]


def targmax(command: str, limits: Limits) -> int:
    """How many targets a command may have (Modern IRC, "TARGMAX Parameter"); it does nothing for those behind."""
    most = _TARGMAX[command]
    return max(most, limits.rooms_per_session) if command in _OF_OWN_CHANNELS else most


def all_targmax(limits: Limits) -> str:
    """Return what TARGMAX says."""
    return ",".join(f"{command}:{targmax(command, limits)}" for command in sorted(_TARGMAX))


def take(client: Client, command: str, targets: list[str]) -> tuple[list[str], list[Verb]]:
    """Return the targets that the command is for, and the refusal if there were too many."""
    most = targmax(command, client.limits)
    if len(targets) <= most:
        return targets, []
    # ERR_TOOMANYTARGETS; its parameter is the first that was left out.
    return targets[:most], [
        refuse("407", targets[most], f"Too many targets: {command} takes {most}", code="bad_request")
    ]


def room_of(target: str) -> str | None:
    """Return the room that a channel is: its name without the one `#`. None if it is no channel."""
    return target[1:] if target.startswith("#") else None


def role_of(target: str) -> tuple[str, str]:
    """
    Return who is meant of a channel's members, and the channel: `@#ops` is for its operators.

    Of several signs the lowest counts: who has voice gets `@+#ops`, and operators get what is for those below them.
    """
    if target.startswith("#"):  # nearly always
        return "", target
    name = target.lstrip("@+")
    if not name.startswith("#"):
        return "", target
    signs = target[: -len(name)]
    return ROLES["+" if "+" in signs else "@"], name
