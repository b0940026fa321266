"""
All proposals: what applies each of them, and their form in JSON.

A proposal is an immutable value with everything that applying it needs. `decode` checks the types of its fields, as of
the input of a stranger. Who proposes is checked again where it is applied; texts and limits only before it is made.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, TypeAlias, Union, get_args, get_origin, get_type_hints

from pychat.core.accounts import changes as accounts
from pychat.core.moderation import changes as moderation
from pychat.core.outcome import Outcome
from pychat.core.people import changes as people
from pychat.core.rooms import changes as rooms
from pychat.model.errors import RemoteProtocolError

Proposal: TypeAlias = (
    accounts.Entry
    | accounts.NewToken
    | accounts.NewNickname
    | accounts.Grace
    | accounts.TakingBack
    | accounts.NewLogin
    | accounts.EndOfLogins
    | accounts.NewAccount
    | people.NewAway
    | people.NewRealname
    | people.NewUserModes
    | people.NicknameRelease
    | people.ReservationEnd
    | people.ReservationExpiry
    | people.NewIgnored
    | people.NewWatched
    | rooms.NewTopic
    | rooms.Arrival
    | rooms.Departure
    | rooms.Removal
    | rooms.Disconnection
    | rooms.MaskExpiry
    | rooms.EmptyRoomExpiry
    | rooms.AccountForgotten
    | rooms.PinnedRoom
    | rooms.RoomRemoval
    | moderation.NewInvitation
    | moderation.NewModes
    | moderation.NewBan
    | moderation.BanLift
    | moderation.NewServerBan
    | moderation.ServerBanLift
)

APPLY: Final[Mapping[type[Any], Callable[..., Outcome]]] = {
    accounts.Entry: accounts.apply_entry,
    accounts.NewToken: accounts.apply_token,
    accounts.NewNickname: accounts.apply_nickname,
    accounts.Grace: accounts.apply_grace,
    accounts.TakingBack: accounts.apply_taking_back,
    accounts.NewLogin: accounts.apply_login,
    accounts.EndOfLogins: accounts.apply_end_of_logins,
    accounts.NewAccount: accounts.apply_account,
    people.NewAway: people.apply_away,
    people.NewRealname: people.apply_realname,
    people.NewUserModes: people.apply_user_modes,
    people.NicknameRelease: people.apply_nickname_release,
    people.ReservationEnd: people.apply_reservation_end,
    people.ReservationExpiry: people.apply_reservation_expiry,
    people.NewIgnored: people.apply_ignored,
    people.NewWatched: people.apply_watched,
    rooms.NewTopic: rooms.apply_topic,
    rooms.Arrival: rooms.apply_arrival,
    rooms.Departure: rooms.apply_departure,
    rooms.Removal: rooms.apply_removal,
    rooms.Disconnection: rooms.apply_disconnection,
    rooms.MaskExpiry: rooms.apply_mask_expiry,
    rooms.EmptyRoomExpiry: rooms.apply_empty_room_expiry,
    rooms.AccountForgotten: rooms.apply_account_forgotten,
    rooms.PinnedRoom: rooms.apply_pinned_room,
    rooms.RoomRemoval: rooms.apply_room_removal,
    moderation.NewInvitation: moderation.apply_invitation,
    moderation.NewModes: moderation.apply_modes,
    moderation.NewBan: moderation.apply_ban,
    moderation.BanLift: moderation.apply_ban_lift,
    moderation.NewServerBan: moderation.apply_server_ban,
    moderation.ServerBanLift: moderation.apply_server_ban_lift,
}
"""The function `apply(state, proposal, position)` of each type."""

VERSION: Final = 1
"""Increment this when a proposal gets a field or a meaning that an older server does not know."""

_MOST: Final = 2.0**53
"""Numbers with a fraction are seconds, and below that."""

_TYPES: Final = {kind.__name__: kind for kind in APPLY}


def encode(proposal: Proposal) -> dict[str, object]:
    """Return a proposal as an object of JSON."""
    return {"version": VERSION, "type": type(proposal).__name__, "fields": _plain(proposal)}


def decode(data: object) -> Proposal:
    """
    Return the proposal of an object of JSON.

    Raises:
        RemoteProtocolError: If it is not one, or of a newer version.
    """
    if not isinstance(data, dict) or type(data.get("version")) is not int:
        raise RemoteProtocolError("this is not a proposal")
    if data["version"] > VERSION:
        raise RemoteProtocolError(f"a proposal of version {data['version']}; this server knows {VERSION}")
    kind = _TYPES.get(data["type"]) if isinstance(data.get("type"), str) else None
    if kind is None:
        raise RemoteProtocolError("a proposal of an unknown type")
    proposal: Proposal = _read(kind, data.get("fields"), kind.__name__)
    return proposal


def _plain(value: Any) -> object:
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _read(wanted: Any, value: object, where: str) -> Any:
    """Return a value as the type that a field has: a scalar, a tuple, a named tuple, or one of several."""
    if wanted in (int, str, bool, type(None)) and type(value) is wanted:
        return value
    if wanted is float and type(value) in (int, float) and abs(value) < _MOST:  # type: ignore[arg-type]
        return float(value)  # type: ignore[arg-type]
    if get_origin(wanted) in (Union, types.UnionType):
        one = type(None) if value is None else next(kind for kind in get_args(wanted) if kind is not type(None))
        return _read(one, value, where)
    if isinstance(value, list) and get_origin(wanted) is tuple:
        kinds = get_args(wanted)
        if kinds[-1] is ...:
            return tuple([_read(kinds[0], each, where) for each in value])
        if len(kinds) == len(value):
            return tuple([_read(kind, each, where) for kind, each in zip(kinds, value, strict=True)])
    fields = _fields(wanted)
    if isinstance(value, list) and len(fields) == len(value) > 0:
        return wanted(*[_read(kind, each, f"{where}.{name}") for (name, kind), each in zip(fields, value, strict=True)])
    raise RemoteProtocolError(f"a proposal with a wrong {where}")


@cache
def _fields(kind: Any) -> tuple[tuple[str, Any], ...]:
    """Return the names and types of the fields of a named tuple; none for any other type."""
    if not hasattr(kind, "_fields"):
        return ()
    hints = get_type_hints(kind)
    return tuple([(name, hints[name]) for name in kind._fields])
