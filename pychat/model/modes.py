"""
Modes: the rules of a room and the roles of its members, by their IRC letters.

| Letter | Argument | Meaning (modern.ircdocs.horse, "Channel Modes") |
|---|---|---|
| `b`, `e`, `I` | a mask | ban; exception from bans; exception from `i`: lists of masks |
| `k` | a key | required to join |
| `l` | a number, when it is set | maximum number of members |
| `W` | seconds, when it is set | slow mode: minimum time between two messages of a member without a role |
| `i` | | invite-only: only invited people may join |
| `m` | | only operators and members with voice may speak |
| `n` | | only members may speak |
| `s` | | the room is hidden from everybody who is not in it |
| `t` | | only operators may set the topic |
| `C` | | no CTCP except actions |
| `o`, `v` | a nickname | the member is an operator; has voice |

All protocols use these letters: `/mode +b bob!*@*`, `MODE #ops +b bob!*@*`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from pychat.model.errors import LimitExceeded

LISTS: Final = "beI"
"""Modes that are lists of masks."""
ROLES: Final = "ov"
"""Modes of members, the highest first."""
_NUMBER: Final = re.compile(r"0{0,9}[1-9][0-9]{0,5}", re.ASCII)
_KEY: Final = re.compile(r"(?!:)[!-+\--~]{1,32}")
"""A key must fit one parameter of an IRC command, in a list with commas."""
_SLOWEST: Final = 21_600


class ValueMode(NamedTuple):
    """A mode with a value."""

    name: str
    """Its name where rooms are stored."""
    parse: Callable[[str], str | None]
    """Returns the value of an argument; None if it is not allowed."""
    allowed: str
    """What is allowed, for people."""
    secret: bool = False
    """
    True if only members may see the value. Such a mode takes an argument also when it is removed, of any value, so that
    nobody is told what it was.
    """


def _parse_key(argument: str) -> str | None:
    return argument if _KEY.fullmatch(argument) else None


def _parse_limit(argument: str) -> str | None:
    return str(int(argument)) if _NUMBER.fullmatch(argument) else None


def _parse_seconds(argument: str) -> str | None:
    seconds = _parse_limit(argument)
    return seconds if seconds is not None and int(seconds) <= _SLOWEST else None


VALUES: Final = {
    "k": ValueMode(
        "key",
        _parse_key,
        "a key must have 1 to 32 ASCII characters, no spaces or commas, and no ':' at its beginning",
        secret=True,
    ),
    "l": ValueMode("limit", _parse_limit, "a limit must be a number from 1 to 999999"),
    "W": ValueMode("slow", _parse_seconds, f"slow mode must have 1 to {_SLOWEST} seconds"),
}
"""Modes with a value, by letter, in the order in which the values are shown. No common IRC server has `W`."""
ALWAYS_WITH_VALUE: Final = "".join([letter for letter, mode in VALUES.items() if mode.secret])
WITH_ARGUMENT: Final = LISTS + ROLES + ALWAYS_WITH_VALUE
"""Modes that take an argument both when they are set and when they are removed."""
WHEN_SET: Final = "".join([letter for letter, mode in VALUES.items() if not mode.secret])
"""Modes that take an argument only when they are set."""
FLAGS: Final = "Cimnst"
"""Modes without an argument."""
SILENCING: Final = "CmW"
"""Modes that may keep a member from talking. In a room without one of them, and without bans, nobody is asked."""
ALL: Final = LISTS + "".join(VALUES) + FLAGS + ROLES
ROLE_LETTERS: Final = {"operator": "o", "voice": "ov"}
"""Letters by the name of a role (`Message.role`): a member with one of them has that role or a higher one."""
USER_MODES: Final = "Biow"
"""
Modes of a person (modern.ircdocs.horse, "User Modes"): `B` a bot, `i` invisible to strangers, `o` a server operator,
`w` gets the messages of server operators.
"""
MOST_CHANGES: Final = 20
"""The maximum number of modes with an argument in one change (`MODES` of ISUPPORT), and of modes without one."""


class ModeChange(NamedTuple):
    """One mode that is set or removed."""

    adding: bool
    mode: str
    """One of the letters above; any other letter is refused when the change is performed."""
    argument: str | None = None


class MaskEntry(NamedTuple):
    """One entry of a mask list."""

    mask: str
    by: str
    """The nickname of the person who added it."""
    time: float
    """POSIX seconds."""
    userhost: str = ""
    """The user@host of the person who added it."""
    until: float | None = None
    """When it expires, in POSIX seconds; None if it is permanent."""
    reason: str = ""
    follows: tuple[int, ...] = ()
    """The identities of the sessions it was made for: it matches them under any later nickname."""
    deadline: float | None = None
    """When it expires by `Clock.monotonic`, even if the clock is set; None for never, or if it is in no list yet."""


def parse(letters: str, arguments: Sequence[str], *, bounded: bool = True) -> list[ModeChange]:
    """
    Parse changes such as "+o-v+b" and the arguments after them; without a sign, modes are set.

    A mode without its argument gets None: for a list, that asks for the entries; others are refused later. Unknown
    letters become changes, too, which are refused when they are performed. Surplus arguments are ignored.

    Raises:
        LimitExceeded: If there are too many changes and `bounded` is set; nothing must be changed then.
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
    Check the number of changes.

    Raises:
        LimitExceeded: If more than `MOST_CHANGES` have an argument, or more than that have none.
    """
    with_argument = sum(change.argument is not None for change in changes)
    if max(with_argument, len(changes) - with_argument) > MOST_CHANGES:
        raise LimitExceeded("modes at once", MOST_CHANGES, f"with an argument, {MOST_CHANGES} without", room=room)


def write(changes: Iterable[ModeChange]) -> tuple[str, list[str]]:
    """Return the letters and the arguments of changes, as `parse` takes them: "+ob-v" and ["ann", "eve!*@*", "bob"]."""
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
