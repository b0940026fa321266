"""Snapshots of rooms and of sessions that can be resumed, as a log persists them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from pychat.model.modes import MaskEntry
from pychat.renamed import find_renamed


class RoomSnapshot(NamedTuple):
    """A room at some position of the order; the fields are those of `Room` and `RoomState`."""

    name: str
    occupied: bool
    """True if the room had members or expected some."""
    topic: str
    topic_by: str
    topic_time: float
    topic_userhost: str
    created: float
    flags: str
    values: Mapping[str, str]
    lists: dict[str, tuple[MaskEntry, ...]]
    """Empty when it is stored: changes are stored separately, as `MaskChanges`."""
    roles: dict[int, str]
    invited: tuple[int, ...]
    forgets: bool
    """`RoomState.drops_history`."""
    accounts: Mapping[str, str] = MappingProxyType({})
    welcome: tuple[int, ...] = ()
    """The invited identities that an operator has invited."""


class MaskChanges(NamedTuple):
    """The changes in the mask lists of a room, so that a small change is cheap to store."""

    changes: Mapping[tuple[str, str], MaskEntry | None] = MappingProxyType({})
    """By letter of the list and folded mask; None for a removed mask."""
    anew: bool = False
    """True if the lists were empty before these changes, whatever is stored."""


class SessionSnapshot(NamedTuple):
    """A session that can be resumed, at some position of the order."""

    digest: str
    """The digest of its token (`tokens.digest_of`), so that a reader of the file cannot resume it."""
    nickname: str
    identity: int
    rooms: tuple[str, ...]
    away: str | None
    realname: str
    modes: str
    lost: float | None
    """When its connection was lost, in POSIX seconds; None if it was connected."""


if not TYPE_CHECKING:
    __getattr__ = find_renamed(
        __name__, {"KeptMasks": "MaskChanges", "KeptRoom": "RoomSnapshot", "KeptSession": "SessionSnapshot"}
    )
