"""Ignore lists: the verbs and their reply. Implemented in `core/people/ignore.py`."""

from __future__ import annotations

from typing import NamedTuple

from pychat.model.queries import Ref


class SetIgnored(NamedTuple):
    """
    Ignore these people, or stop ignoring them; answered by `Ignored`.

    They are nicknames, masks, or `a:` with the name of an account. Removing somebody who is not ignored is not an
    error.
    """

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    ref: Ref = None


class ListIgnored(NamedTuple):
    """Ask whom the session ignores; answered by `Ignored`."""

    ref: Ref = None


class Ignored(NamedTuple):
    """All masks that the session ignores, and those that were just added and removed."""

    ref: Ref
    masks: tuple[str, ...]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    userhost: str = ""
    """The user@host of the session itself."""
