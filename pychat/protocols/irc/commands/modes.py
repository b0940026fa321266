"""MODE: rules of channels, roles in them, and modes of users (Modern IRC, "MODE message")."""

from __future__ import annotations

from collections.abc import Sequence

from pychat.model import modes
from pychat.model.codes import OtherCode
from pychat.model.durations import parse_duration
from pychat.model.errors import LimitExceeded
from pychat.model.names import fold
from pychat.model.queries import FindPeople, GetModes, GetUserModes, ListMasks
from pychat.model.verbs import Ban, SetModes, SetUserModes, Verb
from pychat.protocols.irc.asked import Asked
from pychat.protocols.irc.client_state import Client
from pychat.protocols.irc.commands.errors import no_such_channel, refuse
from pychat.protocols.irc.commands.params import room_of, short_text
from pychat.protocols.irc.grammar import ParsedLine


def mode(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle MODE, of a channel or of oneself."""
    target, *rest = command.params
    room = room_of(target)
    ref = Asked("MODE", command.params)
    if not rest:
        return _user_modes(client, target, [], ref) if room is None else [GetModes(room, ref)]
    letters, *arguments = rest
    try:
        changes = modes.parse(letters, arguments if room is not None else ())
    except LimitExceeded as error:  # ERR_UNKNOWNERROR: there is no numeric for it
        return [refuse("400", "MODE", str(error), code=OtherCode(error.code))]
    return _user_modes(client, target, changes, ref) if room is None else _room_modes(target, room, changes, ref)


def tban(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle TBAN: a ban that expires (as in InspIRCd: channel, duration, mask)."""
    channel, duration, target = command.params[:3]
    room = room_of(channel)
    if room is None:
        return [no_such_channel(channel)]
    seconds = parse_duration(duration) or parse_duration(f"{duration}s")
    if seconds is None:
        return [refuse("400", "TBAN", "A duration must be like 90s, 10m, 2h, 1d12h or 1w", code="bad_request")]
    return [Ban(target, room, seconds, short_text(client, command, 3), ref=Asked("TBAN", (channel, duration, target)))]


def _room_modes(target: str, room: str, changes: list[modes.ModeChange], ref: Asked) -> Sequence[Verb]:
    # A list without a mask is a request for its entries: once, however often it is named.
    asked = dict.fromkeys(change.mode for change in changes if change.mode in modes.LISTS and change.argument is None)
    wanted = tuple(change for change in changes if change.mode not in modes.LISTS or change.argument is not None)
    lists = [ListMasks(letter, room, Asked("MODE", (target, letter))) for letter in asked]
    return [SetModes(wanted, room, ref), *lists] if wanted else lists


def _user_modes(client: Client, target: str, changes: list[modes.ModeChange], ref: Asked) -> Sequence[Verb]:
    if fold(target) != fold(client.nickname or ""):
        # The error depends on whether the nickname exists; the dialect sees that from the answer.
        return [FindPeople((target,), Asked("MODE", (target,)))]
    if not changes:
        return [GetUserModes(ref)]
    return [SetUserModes(tuple(changes), ref)]
