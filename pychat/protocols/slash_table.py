"""
A table of slash commands: from a line that somebody typed to what it asks for, and to the help about it.

One entry is one command: its name and aliases, how it is used, and a function from the rest of the line to what it
asks for. The first line of the function's docstring is its help text. `slash.py` has those of every line language; the
terminal client adds its own.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

from pychat.core.errors import Refused
from pychat.core.verbs import Help, Invalid, Say

A = TypeVar("A")
"""What commands ask for: a verb, mostly."""
A_co = TypeVar("A_co", covariant=True)

Parser: TypeAlias = Callable[[str], A | None]
"""
From the arguments, without blanks around them, to what is asked for; None if they are not what it needs. It may raise
`Refused` to say why.
"""

_NAME_SHOWN: Final = 32
"""Characters of an unknown command's name that are repeated to the one who typed it."""


class SlashCommand(NamedTuple, Generic[A_co]):
    """One command. `usage` is its name and its arguments, as a person types them."""

    name: str
    aliases: tuple[str, ...]
    usage: str
    help: str
    parse: Parser[A_co]


class CommandTable(Generic[A]):
    """Commands by name and by alias, in the order in which help lists them."""

    def __init__(self, commands: dict[str, SlashCommand[A]] | None = None) -> None:
        self.commands: Final[dict[str, SlashCommand[A]]] = {} if commands is None else commands

    def command(self, name: str, arguments: str = "", *aliases: str) -> Callable[[Parser[A]], Parser[A]]:
        """Put the function into the table; one that is there already by this name gives way."""

        def add(function: Parser[A]) -> Parser[A]:
            summary = (function.__doc__ or "").strip().partition("\n")[0]
            command = SlashCommand(name, aliases, f"/{name} {arguments}".rstrip(), summary, function)
            for key in (name, *aliases):
                self.commands[key] = command
            return function

        return add

    def parse(self, line: str) -> A | Say | Invalid:
        """Return what a line that begins with a slash asks for; two slashes: to say the text "/..."."""
        if line.startswith("//"):
            return Say(line[1:])
        words = line[1:].split(None, 1) if line[1:2].strip() else []
        name = words[0] if words else ""
        command = self.commands.get(name.lower())
        if command is None:
            return self._unknown(name)
        try:
            asked = command.parse(words[1].rstrip() if len(words) > 1 else "")
        except Refused as error:
            return Invalid(error.code, str(error))
        return Invalid("bad_request", f"usage: {command.usage}") if asked is None else asked

    def help(self, about: str = "") -> Help | Invalid:
        """Explain one command, by its name with or without the slash, or list all of them."""
        if not about:
            return Help(self.help_text())
        name = about.removeprefix("/")
        command = self.commands.get(name.lower())
        if command is None:
            return self._unknown(name)
        also = f" Also: {', '.join('/' + alias for alias in command.aliases)}." if command.aliases else ""
        return Help(f"{command.usage}  {command.help}{also}", about=command.name)

    def help_text(self) -> str:
        """All commands, one line each."""
        commands = list(dict.fromkeys(self.commands.values()))
        width = max(len(command.usage) for command in commands)
        lines = [f"{command.usage:<{width}}  {command.help}" for command in commands]
        return "\n".join([*lines, f"{'//text':<{width}}  Say a text that begins with a slash."])

    def _unknown(self, name: str) -> Invalid:
        shown = name[:_NAME_SHOWN] if name.isprintable() else ascii(name[:_NAME_SHOWN])
        typed = name[:_NAME_SHOWN].lower()
        # People rarely mistype the first letter, and comparing with all commands is slow enough to be a weapon.
        close = get_close_matches(typed, [known for known in self.commands if known[0] == typed[:1]], n=1)
        hint = f"did you mean /{close[0]}? " if close else ""
        return Invalid("unknown_command", f"unknown command /{shown}; {hint}/help lists the commands")
