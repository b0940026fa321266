"""
Forks: the child of `os.fork` has a copy of servers and clients, without their threads, and with their descriptors.

Nobody can use such a copy. Its locks may be held by threads that are not there; its listener and its connections are
those of the parent, which would be shut down with them. So a copy closes its descriptors in the child at once, and
whoever uses it is told what is wrong.
"""

from __future__ import annotations

import os
import weakref
from abc import abstractmethod
from typing import Final


class Forkable:
    """Something that belongs to the process in which it has begun."""

    process: int
    """Its id."""

    def belong(self) -> None:
        """From now on it belongs to this process."""
        self.process = os.getpid()
        _known.add(self)

    @abstractmethod
    def disown(self) -> None:
        """
        Let nobody use this copy, and close its descriptors: it belongs to another process.

        Runs in the child of a fork, before anything else. No lock can be taken that another thread may have had.
        """


_known: Final[weakref.WeakSet[Forkable]] = weakref.WeakSet()


def _disown_all() -> None:
    for each in list(_known):
        each.disown()
    _known.clear()


os.register_at_fork(after_in_child=_disown_all)
