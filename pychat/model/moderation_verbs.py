"""What operators ask for, of rooms and of the server, beside what IRC has modes for."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from pychat.model.queries import Ref


class Ban(NamedTuple):
    """
    Keep somebody out of a room, or silent in it.

    `target` is a nickname (of one who is here, the address is banned, unless others share it), a mask, or `a:` and the
    name of an account.
    """

    target: str
    room: str | None = None
    seconds: int | None = None
    """How long; None: until somebody ends it."""
    reason: str = ""
    mute: bool = False
    """Whether they may come in and not talk."""
    ref: Ref = None
    kick: bool = False
    """Whether the person is removed from the room, too."""


class Unban(NamedTuple):
    """End the bans, or the mutes, of that mask, or else all that are for the one who has that nickname."""

    target: str
    room: str | None = None
    mute: bool = False
    ref: Ref = None


ModerationVerb: TypeAlias = Ban | Unban
