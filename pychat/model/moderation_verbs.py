"""Moderation verbs for rooms that go beyond IRC's modes."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from pychat.model.queries import Ref


class Ban(NamedTuple):
    """
    Ban or mute somebody in a room.

    `target` is a nickname (if that person is here, the address is banned, unless others share it), a mask, or `a:` with
    the name of an account.
    """

    target: str
    room: str | None = None
    seconds: int | None = None
    """The duration; None for a permanent ban."""
    reason: str = ""
    mute: bool = False
    """True to only mute: they may join but not speak."""
    ref: Ref = None
    kick: bool = False
    """True to remove the person from the room, too."""


class Unban(NamedTuple):
    """End the bans, or the mutes, of this mask, or else all that match the person with this nickname."""

    target: str
    room: str | None = None
    mute: bool = False
    ref: Ref = None


ModerationVerb: TypeAlias = Ban | Unban
