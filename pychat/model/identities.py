"""Identities: the numbers by which people are known, whatever their nicknames are."""

from __future__ import annotations

import secrets
from itertools import count
from typing import Final


class Identities:
    """
    The source of identities. They are unique across restarts, even if the clock was set back, and in each child of a
    fork (`transport/forking.py`): persisted audiences and roles refer to them.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin anew, at random."""
        self.next = count(secrets.randbits(62)).__next__


IDENTITIES: Final = Identities()
