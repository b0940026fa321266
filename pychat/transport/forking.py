"""
Handle forks: a child of `os.fork` has copies of servers and clients, without their threads, but with their descriptors.

Such a copy is unusable. Its locks may be held by threads that do not exist in the child; its listener and connections
are the parent's, and shutting them down would affect the parent. So a copy closes its descriptors in the child at once,
and its use raises an error that says why. What the child makes itself is usable; its people have identities of their
own.
"""

from __future__ import annotations

import os
import weakref
from abc import abstractmethod
from typing import Final

from pychat.model.identities import IDENTITIES


class Forkable:
    """An object that belongs to the process in which it was started."""

    process: int
    """The id of that process."""

    def belong(self) -> None:
        """Bind it to this process."""
        self.process = os.getpid()
        _known.add(self)

    @abstractmethod
    def disown(self) -> None:
        """
        Make this copy unusable and close its descriptors: it belongs to another process.

        Runs in the child of a fork, before anything else. It must not take a lock that another thread may have held.
        """


_known: Final[weakref.WeakSet[Forkable]] = weakref.WeakSet()


def _begin_anew() -> None:
    IDENTITIES.begin()
    for each in list(_known):
        each.disown()
    _known.clear()


os.register_at_fork(after_in_child=_begin_anew)
