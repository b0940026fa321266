"""Rooms and sessions as they are written into a file: the fields of their values by name, in JSON."""

from __future__ import annotations

import json
from typing import Any

from pychat.core.lasting import KeptRoom, KeptSession
from pychat.core.modes import MaskEntry
from pychat.stores.records import Unreadable


def write_room(kept: KeptRoom) -> str:
    """Return what is written of a room."""
    return json.dumps(kept._asdict())


def write_session(kept: KeptSession) -> str:
    """Return what is written of a session."""
    return json.dumps(kept._asdict())


def read_room(text: str) -> KeptRoom:
    """
    Return what `write_room` was given.

    Raises:
        Unreadable: It is no such text.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        lists, roles = fields["lists"], fields["roles"]
        fields["lists"] = {letter: tuple([MaskEntry(*mask) for mask in masks]) for letter, masks in lists.items()}
        fields["roles"] = {int(identity): letters for identity, letters in roles.items()}
        fields["invited"] = tuple(fields["invited"])
        return KeptRoom(**fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreadable(f"not a room: {text[:40]!r}") from error


def read_session(text: str) -> KeptSession:
    """
    Return what `write_session` was given.

    Raises:
        Unreadable: It is no such text.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        fields["rooms"] = tuple(fields["rooms"])
        return KeptSession(**fields)
    except (ValueError, TypeError, KeyError) as error:
        raise Unreadable(f"not a session: {text[:40]!r}") from error
