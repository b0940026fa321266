"""
Modes: the rules of a room and the roles of its members, by the letters that IRC gives them.

| Letter | Argument | Meaning (modern.ircdocs.horse, "Channel Modes") |
|---|---|---|
| `b`, `e`, `I` | a mask | ban; exception from bans; exception from `i`: lists of masks |
| `k` | a key | who joins must know it |
| `l` | a number, when it is set | that many members at most |
| `W` | seconds, when it is set | slow mode: between two messages of one member; not of operators and those with voice |
| `i` | | who joins must have been invited |
| `m` | | only operators and those with voice talk |
| `n` | | only members talk |
| `s` | | the room is in no list for those who are not in it |
| `t` | | only operators set the topic |
| `C` | | no CTCP but actions |
| `o`, `v` | a nickname | the member is an operator; has voice |

All languages use these letters: `/mode +b bob!*@*`, `MODE #ops +b bob!*@*`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from pychat.model.errors import LimitExceeded

LISTS: Final = "beI"
"""Modes that are lists of masks."""
ROLES: Final = "ov"
"""Modes that members have, the highest first."""
WITH_ARGUMENT: Final = LISTS + ROLES + "k"
"""Modes that take an argument both when they are set and when they are removed."""
WHEN_SET: Final = "lW"
"""Modes that take an argument only when they are set. No server that is common knows `W`."""
FLAGS: Final = "Cimnst"
"""Modes without an argument."""
ALL: Final = LISTS + "k" + WHEN_SET + FLAGS + ROLES
ROLE_LETTERS: Final = {"operator": "o", "voice": "ov"}
"""By the names of roles (`Message.role`): who has one of these letters has the role, or a higher one."""
USER_MODES: Final = "Biow"
"""
What a person can be (modern.ircdocs.horse, "User Modes"): `B` a bot, `i` invisible to strangers, `o` a server
operator, `w` one who wants to hear from server operators.
"""
MOST_CHANGES: Final = 20
"""Modes with an argument that can be changed at once (`MODES` of ISUPPORT), and as many without."""


class ModeChange(NamedTuple):
    """One mode that is set or removed."""

    adding: bool
    mode: str
    """One of the letters above, or any other: those who perform it refuse it."""
    argument: str | None = None


class MaskEntry(NamedTuple):
    """One line of a list of masks."""

    mask: str
    by: str
    """Nickname of the one who added it."""
    time: float
    """POSIX seconds."""
    userhost: str = ""
    """Of the one who added it."""
    until: float | None = None
    """When it ends, POSIX seconds; None: when somebody removes it."""
    reason: str = ""
    follows: tuple[int, ...] = ()
    """Identities of the sessions that it was made for: it is for them whatever they are called later."""
    deadline: float | None = None
    """When it ends, by `Clock.monotonic`, wherever the clock is set meanwhile; None: never, or it is in no list."""


def parse(letters: str, arguments: Sequence[str], *, bounded: bool = True) -> list[ModeChange]:
    """
    Return the changes that "+o-v+b" and the arguments behind it ask for; without a sign, modes are set.

    A mode that takes an argument and finds none left has None: of a list it asks what is in it, of others it will be
    refused. Letters that mean nothing become changes, too, for those who perform them to refuse. Arguments that no
    mode takes are ignored.

    Raises:
        LimitExceeded: There are too many and they are `bounded`; nothing shall be changed then.
    """
    changes: list[ModeChange] = []
    left = iter(arguments)
    adding = True
    for letter in letters:
        if letter in "+-":
            adding = letter == "+"
            continue
        takes = letter in WITH_ARGUMENT or (letter in WHEN_SET and adding)
        changes.append(ModeChange(adding, letter, next(left, None) if takes else None))
    if bounded:
        require_few(changes)
    return changes


def require_few(changes: Sequence[ModeChange], room: str | None = None) -> None:
    """
    Raises:
        LimitExceeded: More than `MOST_CHANGES` have an argument, or more have none.
    """
    with_argument = sum(change.argument is not None for change in changes)
    if max(with_argument, len(changes) - with_argument) > MOST_CHANGES:
        raise LimitExceeded("modes at once", MOST_CHANGES, f"with an argument, {MOST_CHANGES} without", room=room)


def write(changes: Iterable[ModeChange]) -> tuple[str, list[str]]:
    """Return the letters and the arguments of changes, what `parse` takes: "+ob-v" and ["ann", "eve!*@*", "bob"]."""
    letters: list[str] = []
    arguments: list[str] = []
    sign = ""
    for change in changes:
        wanted = "+" if change.adding else "-"
        if wanted != sign:
            letters.append(wanted)
            sign = wanted
        letters.append(change.mode)
        if change.argument is not None:
            arguments.append(change.argument)
    return "".join(letters), arguments
