"""Describe room rules and roles in words; mode letters are for IRC and `/mode`."""

from __future__ import annotations

from typing import Final

from pychat.model.events import ModesChanged
from pychat.model.masks import MUTE
from pychat.model.modes import VALUES, ModeChange
from pychat.model.replies import Modes
from pychat.protocols.text.wording import duration

_CHANGES: Final[dict[str, tuple[str, str]]] = {
    "o": ("{by} made {what} an operator of {room}", "{by} made {what} an operator of {room} no more"),
    "v": ("{by} gave {what} voice in {room}", "{by} took voice in {room} from {what}"),
    "b": ("{by} banned {what} from {room}", "{by} ended the ban of {what} from {room}"),
    "e": ("{by} lets {what} into {room} despite bans", "{by} lets {what} into {room} despite bans no more"),
    "I": ("{by} lets {what} into {room} uninvited", "{by} lets {what} into {room} uninvited no more"),
    "k": ("{by} set the key of {room}: {what}", "{by} removed the key of {room}"),
    "l": ("{by} lets at most {what} members into {room}", "{by} lets any number of members into {room}"),
    "W": ("{by} set slow mode in {room}: one message in {time}", "{by} ended slow mode in {room}"),
    "i": (
        "{by} made {room} private: only who is invited comes in",
        "{by} opened {room}: who is not invited comes in, too",
    ),
    "m": ("{by} made {room} moderated: only operators and voices talk", "{by} lets everybody in {room} talk"),
    "n": ("{by} lets only members talk in {room}", "{by} lets people talk in {room} from outside"),
    "s": ("{by} hid {room}: it is in no list", "{by} put {room} into the list of rooms again"),
    "t": ("{by} lets only operators set the topic of {room}", "{by} lets everybody in {room} set its topic"),
    "C": (
        "{by} lets no program in {room} be asked things (CTCP)",
        "{by} lets programs in {room} be asked things (CTCP)",
    ),
}
"""By letter: the text when a mode is set, and when it is removed."""

_MUTES: Final = ("{by} muted {what} in {room}", "{by} ended the mute of {what} in {room}")
_OVER: Final = {True: "the mute of {what} in {room} has ended", False: "the ban of {what} from {room} has ended"}

RULES: Final[dict[str, str]] = {
    "i": "private: only who is invited comes in",
    "k": "who comes in needs the key{}",
    "l": "at most{} members",
    "W": "slow mode: one message in{}",
    "m": "only operators and voices talk",
    "n": "only members talk",
    "s": "hidden: in no list of rooms",
    "t": "only operators set the topic",
    "C": "no program may be asked things (CTCP)",
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
