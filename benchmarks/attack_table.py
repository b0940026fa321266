"""The table of attacks, which `benchmarks.attacks` fills."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.attacker_peer import AttackFunction

OPERATOR: Final = ("root", "rootpass")
"""Name and password of the server operator; only one attack knows them."""


@dataclass(frozen=True)
class Attack:
    """One kind of attack."""

    run: AttackFunction
    text: str
    """Its description, for people."""
    alone: bool = False
    """True if it is not part of the mix, because it assumes an earlier failure."""


ATTACKS: Final[dict[str, Attack]] = {}


def attack(name: str, text: str, alone: bool = False) -> Callable[[AttackFunction], AttackFunction]:
    """Add an attack to the table."""

    def add(run: AttackFunction) -> AttackFunction:
        ATTACKS[name] = Attack(run, text, alone)
        return run

    return add
