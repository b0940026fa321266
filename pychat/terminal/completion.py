"""Completions by the Tab key for the word before the cursor: commands, rooms, nicknames."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from pychat.model.names import fold
from pychat.protocols.text.slash_table import SlashCommand
from pychat.terminal.view import visible_line

_LAST_WORD: Final = re.compile(r"\S*\Z")


class Known(NamedTuple):
    """The names that can be proposed."""

    commands: Mapping[str, SlashCommand[Any]]
    """By name and alias."""
    rooms: Iterable[str]
    nicknames: Iterable[str]
    """The best first."""
    topic: str = ""
    """The topic of the room on the screen, for editing."""
    me: str = ""
    """Our own nickname, for editing."""


class Completions(NamedTuple):
    """The possible replacements of the last characters before the cursor."""

    typed: int
    """How many characters they replace."""
    texts: list[str]


def complete(before: str, known: Known) -> Completions:
    """Return the completions of the text before the cursor."""
    word = _LAST_WORD.findall(before)[0]
    arguments = before[: len(before) - len(word)]
    kind = _argument(arguments, known)
    if not arguments:
        kind = "/COMMAND" if word.startswith("/") else "ADDRESSEE"
    command = arguments.strip().lower()
    if command.startswith("/") and not command.startswith("//") and command.split()[0][1:] not in known.commands:
        return Completions(len(word), [])  # the command will be refused
    present = {"/topic": known.topic, "/nick": known.me}.get(command, "")
    if present and not word:
        return Completions(0, [visible_line(present)])
    end = ": " if kind == "ADDRESSEE" and not word.startswith("@") else " "
    texts = _PROPOSED.get(kind, _nicknames)(word, known)
    return Completions(len(word), [text + end for text in texts])


def _argument(arguments: str, known: Known) -> str:
    """Return the next argument of the command in this line, as in its usage; empty if there is none."""
    name, *words = arguments.removeprefix("/").split() or [""]
    command = known.commands.get(name.lower()) if arguments.startswith("/") else None
    wanted = command.usage.split()[1:] if command else []
    return wanted[len(words)].strip("[]") if len(words) < len(wanted) else ""


def _commands(word: str, known: Known) -> list[str]:
    """Return matching names, before aliases."""
    names = [command.name for command in dict.fromkeys(known.commands.values())]
    return _beginning(word, dict.fromkeys([*names, *known.commands]))


def _slash_commands(word: str, known: Known) -> list[str]:
    return [f"/{name}" for name in _commands(word.removeprefix("/"), known)]


def _rooms(word: str, known: Known) -> list[str]:
    """Return matching rooms, with the sign of IRC if it was typed."""
    sign = "#" if word.startswith("#") else ""
    return [sign + name for name in _beginning(word.removeprefix("#"), known.rooms)]


def _nicknames(word: str, known: Known) -> list[str]:
    """Return matching nicknames, with the sign of other chats if it was typed."""
    sign = "@" if word.startswith("@") else ""
    return [sign + name for name in _beginning(word.removeprefix("@"), known.nicknames)]


def _beginning(typed: str, names: Iterable[str]) -> list[str]:
    """Return the names with this prefix, ignoring case, in the form that the input line shows."""
    start = fold(typed)
    return [name for name in map(visible_line, names) if fold(name).startswith(start)]


_PROPOSED: Final[Mapping[str, Callable[[str, Known], list[str]]]] = {
    "/COMMAND": _slash_commands,
    "COMMAND": _commands,
    "ROOM": _rooms,
}
"""By the kind of argument; anything else may be a nickname."""
