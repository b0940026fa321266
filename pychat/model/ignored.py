"""Whom one does not want to hear: what a session asks for, and the answer. `core/people/ignore.py` does it."""

from __future__ import annotations

from typing import NamedTuple

from pychat.model.queries import Ref


class SetIgnored(NamedTuple):
    """
    Let nothing reach me any more that these people say, or hear them again; answered by `Ignored`.

    They are nicknames, masks, or `a:` and the names of accounts. Who is not ignored can be heard again all the same.
    """

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    ref: Ref = None


class ListIgnored(NamedTuple):
    """Whom do I ignore? Answered by `Ignored`."""

    ref: Ref = None


class Ignored(NamedTuple):
    """All masks of those who are ignored, and which of them are new and which were there before."""

    ref: Ref
    masks: tuple[str, ...]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    userhost: str = ""
    """Of the session itself."""
