"""Describe room rules and roles in words; mode letters are for IRC and `/mode`."""

from __future__ import annotations

from typing import Final

from pychat.model.events import ModesChanged
from pychat.model.masks import MUTE
from pychat.model.modes import VALUES, ModeChange
from pychat.model.replies import Modes
from pychat.protocols.text.wording import duration

_CHANGES: Final[dict[str, tuple[str, str]]] = {
    "o": ("{by} made {what} an operator of {room}", "{by} removed {what} as an operator of {room}"),
    "v": ("{by} gave {what} voice in {room}", "{by} took voice from {what} in {room}"),
    "b": ("{by} banned {what} from {room}", "{by} unbanned {what} from {room}"),
    "e": ("{by} added {what} to the ban exceptions of {room}", "{by} removed {what} from the ban exceptions of {room}"),
    "I": (
        "{by} added {what} to the invite exceptions of {room}",
        "{by} removed {what} from the invite exceptions of {room}",
    ),
    "k": ("{by} set the key of {room}: {what}", "{by} removed the key of {room}"),
    "l": ("{by} limited {room} to {what} members", "{by} removed the member limit of {room}"),
    "W": ("{by} turned on slow mode in {room}: one message every {time}", "{by} turned off slow mode in {room}"),
    "i": (
        "{by} made {room} invite-only: only invited people can join",
        "{by} opened {room}: people can join without an invitation",
    ),
    "m": (
        "{by} made {room} moderated: only operators and members with voice can talk",
        "{by} ended moderation of {room}: everybody can talk",
    ),
    "n": (
        "{by} closed {room} to messages from outside: only members can talk",
        "{by} opened {room} to messages from outside",
    ),
    "s": ("{by} hid {room}: only members can see it", "{by} made {room} visible to everybody"),
    "t": (
        "{by} locked the topic of {room}: only operators can set it",
        "{by} unlocked the topic of {room}: all members can set it",
    ),
    "C": (
        "{by} blocked CTCP messages in {room}",
        "{by} allowed CTCP messages in {room}",
    ),
}
"""By letter: the text when a mode is set, and when it is removed."""

_MUTES: Final = ("{by} muted {what} in {room}", "{by} unmuted {what} in {room}")
_OVER: Final = {True: "the mute of {what} in {room} has expired", False: "the ban of {what} from {room} has expired"}

RULES: Final[dict[str, str]] = {
    "i": "invite-only: only invited people can join",
    "k": "joining requires the key{}",
    "l": "at most{} members",
    "W": "slow mode: one message every{}",
    "m": "moderated: only operators and members with voice can talk",
    "n": "only members can talk",
    "s": "hidden: only members can see this room",
    "t": "only operators can set the topic",
    "C": "CTCP messages (requests to IRC clients) are blocked",
}
"""The meaning of each room mode, with a placeholder for its argument."""


def changes_in_words(event: ModesChanged) -> list[str]:
    """Return one sentence for each change, without a prefix."""
    return [_change(event, change) for change in event.changes]


def _change(event: ModesChanged, change: ModeChange) -> str:
    argument = change.argument or ""
    is_mute = change.mode == "b" and argument.startswith(MUTE)
    if change.mode == "b" and not change.adding and "." in event.nickname:  # the server, when the time was over
        text = _OVER[is_mute]
    else:
        either = _MUTES if is_mute else _CHANGES.get(change.mode)
        if either is None:  # from a server that knows more modes
            return (
                f"{event.nickname} set mode {'-+'[change.adding]}{change.mode} {argument}".rstrip()
                + f" in {event.room}"
            )
        text = either[0 if change.adding else 1]
    time = duration(float(argument)) if change.mode == "W" and argument.isascii() and argument.isdecimal() else argument
    return text.format(by=event.nickname, room=event.room, what=_person(argument), time=time)


def _person(mask: str) -> str:
    """Return a mask for people to read: only the nickname, if the mask says nothing else."""
    mask = mask.removeprefix(MUTE)
    return mask.removesuffix("!*@*") if "*" not in mask.removesuffix("!*@*") else mask


def rules_in_words(modes: Modes) -> str:
    """Return the meaning of a room's modes, with their letters."""
    arguments = iter(modes.arguments)
    parts = []
    for letter in modes.letters:
        argument = next(arguments, "") if letter in VALUES else ""
        text = RULES.get(letter)
        if text is None:
            parts.append(f"+{letter} {argument}".rstrip())
            continue
        if letter == "W" and argument.isascii() and argument.isdecimal():
            argument = duration(float(argument))
        parts.append(f"{text.format(f' {argument}' if argument else '')} ({letter})")
    return "; ".join(parts)
