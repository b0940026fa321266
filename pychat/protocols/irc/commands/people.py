"""
Queries about people (Modern IRC, "User-Based Queries"; IRCv3 monitor, setname).

AWAY and SETNAME change what others see in the answers.
"""

from __future__ import annotations

from collections.abc import Sequence

from pychat.model.names import fold
from pychat.model.queries import FindPeople, ListPeople, ListWatched, WhoIs, WhoWas
from pychat.model.verbs import ListIgnored, SetAway, SetIgnored, SetRealname, Verb, Watch
from pychat.protocols.irc.asked import Asked
from pychat.protocols.irc.capabilities import EXTENDED_MONITOR
from pychat.protocols.irc.client_state import Client
from pychat.protocols.irc.commands.errors import needs_parameters, refuse
from pychat.protocols.irc.commands.params import room_of, short_text, split, take, targmax
from pychat.protocols.irc.formatting import strip_codes
from pychat.protocols.irc.grammar import ParsedLine

_NO_NICKNAME = refuse("431", "No nickname given")


def away(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle AWAY: with a text, be away; without one, or with an empty one, be back."""
    text = short_text(client, command, 0)
    return [SetAway(text, Asked("AWAY", (text,))) if text else SetAway(None, Asked("AWAY"))]


def silence(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle SILENCE: ignore masks (+), or stop ignoring them (-); alone, or with one's own nickname, list them."""
    wanted = split(command.params[0]) if command.params else []
    if not wanted or fold(wanted[0]) == fold(client.nickname or ""):
        return [ListIgnored(Asked("SILENCE"))]
    remove = tuple(mask[1:] for mask in wanted if mask.startswith("-"))
    add = tuple(mask.removeprefix("+") for mask in wanted if not mask.startswith("-"))
    return [SetIgnored(add, remove, Asked("SILENCE", command.params[:1]))]


def setname(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle SETNAME: change the real name (IRCv3 setname)."""
    return [SetRealname(strip_codes(command.params[0]), Asked("SETNAME", command.params[:1]))]


def who(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle WHO: members of a channel, or people by a mask; the dialect reads which fields of WHOX are wanted."""
    mask = command.params[0] if command.params and command.params[0] else "*"
    flags = command.params[1].partition("%")[0] if len(command.params) > 1 else ""
    operators = "o" in flags
    ref = Asked("WHO", (mask, *command.params[1:]))
    room = room_of(mask)
    if room is not None:
        return [ListPeople(room=room, operators=operators, ref=ref)]
    # "0" stands for everybody (RFC 2812 section 3.6.1).
    return [ListPeople("*" if mask == "0" else mask, operators=operators, ref=ref)]


def whois(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle WHOIS: one person; a server before the nickname is ignored, because there is only one."""
    nicknames, verbs = take(client, "WHOIS", split(command.params[-1]) if command.params else [])
    if not nicknames:
        return [_NO_NICKNAME]
    return [*(WhoIs(nickname, Asked("WHOIS", (nickname,))) for nickname in nicknames), *verbs]


def whowas(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle WHOWAS: past users of a nickname; a count that is not positive means all (RFC 2812 section 3.6.3)."""
    nicknames, verbs = take(client, "WHOWAS", split(command.params[0]) if command.params else [])
    if not nicknames:
        return [_NO_NICKNAME]
    count = command.params[1] if len(command.params) > 1 else ""
    most = int(count) if count.isascii() and count.isdigit() and len(count) < 10 else 0
    return [*(WhoWas(nickname, most or None, Asked("WHOWAS", (nickname,))) for nickname in nicknames), *verbs]


def userhost(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle USERHOST: up to five nicknames; further ones are ignored (RFC 2812 section 4.8)."""
    nicknames = _words(command)[: targmax("USERHOST", client.limits)]
    return [FindPeople(nicknames, Asked("USERHOST", nicknames))] if nicknames else [needs_parameters("USERHOST")]


def ison(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle ISON: which of these nicknames are online, as many as fit in the line (RFC 2812 section 4.9)."""
    nicknames = _words(command)
    return [FindPeople(nicknames, Asked("ISON", nicknames))] if nicknames else [needs_parameters("ISON")]


def _words(command: ParsedLine) -> tuple[str, ...]:
    """Return all words of the parameters; the last one may contain several."""
    return tuple(word for param in command.params for word in param.split(" ") if word)


def monitor(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle MONITOR: `+` and `-` nicknames, `C`lear, `L`ist and `S`tatus (IRCv3 monitor, extended-monitor)."""
    action = command.params[0].upper()
    nicknames = tuple(split(command.params[1])) if len(command.params) > 1 else ()
    ref, changes = Asked("MONITOR", (action,)), EXTENDED_MONITOR in client.capabilities
    match action:
        case "C":
            return [Watch(clear=True, ref=ref, changes=changes)]
        case "L" | "S":
            return [ListWatched(ref)]
        case "+" if nicknames:
            return [Watch(add=nicknames, ref=ref, changes=changes)]
        case "-" if nicknames:
            return [Watch(remove=nicknames, ref=ref, changes=changes)]
    return [needs_parameters("MONITOR")]
