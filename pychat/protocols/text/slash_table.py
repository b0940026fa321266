"""
A table of slash commands: parses a typed line into a request, and explains the commands.

One entry is one command: its name and aliases, its usage, and a function from the rest of the line to the request. The
first line of the function's docstring is its help text. `slash_commands.py` has the commands of every line language;
the terminal client adds its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

from pychat.model.codes import OtherCode
from pychat.model.errors import Refused
from pychat.model.verbs import Help, Invalid, Say
from pychat.protocols.text.slash_help import GROUPS, OPERATORS

A = TypeVar("A")
"""The type of requests: a verb, mostly."""
A_co = TypeVar("A_co", covariant=True)

Parser: TypeAlias = Callable[[str], A | None]
"""
From the arguments, without blanks around them, to the request; None if they do not fit the usage. It may raise
`Refused` to say why.
"""

_NAME_SHOWN: Final = 32
"""How many characters of an unknown command's name are repeated to the user."""
_SAYABLE: Final = re.compile(r"[\w/.-]{1,32}")
"""An unknown command that may be the beginning of a text, as paths are."""


class SlashCommand(NamedTuple, Generic[A_co]):
    """One command. `usage` is its name and its arguments, as a person types them."""

    name: str
    aliases: tuple[str, ...]
    usage: str
    help: str
    parse: Parser[A_co]
    more: tuple[str, ...] = ()
    """Further lines of its explanation."""


class CommandTable(Generic[A]):
    """Commands by name and by alias, in the order of the help."""

    def __init__(
        self, commands: dict[str, SlashCommand[A]] | None = None, topics: dict[str, str] | None = None
    ) -> None:
        """
        Args:
            topics: Help texts that are not about a command, by name.
        """
        self.topics: Final[dict[str, str]] = topics or {}
        self.commands: Final[dict[str, SlashCommand[A]]] = {} if commands is None else commands

    def command(self, name: str, arguments: str = "", *aliases: str) -> Callable[[Parser[A]], Parser[A]]:
        """Add the decorated function to the table; it replaces an earlier command of this name."""

        def add(function: Parser[A]) -> Parser[A]:
            summary = (function.__doc__ or "").strip().partition("\n")[0]
            command = SlashCommand(name, aliases, f"/{name} {arguments}".rstrip(), summary, function)
            for key in (name, *aliases):
                self.commands[key] = command
            return function

        return add

    def parse(self, line: str) -> A | Say | Invalid:
        """Return the request of a line that begins with a slash; for two slashes, `Say` with the text "/..."."""
        if line.startswith("//"):
            return Say(line[1:])
        words = line[1:].split(None, 1) if line[1:2].strip() else []
        name = words[0] if words else ""
        command = self.commands.get(name.lower())
        if command is None:
            return self._unknown(name, f", //{name} sends it as text" if name and _SAYABLE.fullmatch(name) else "")
        try:
            asked = command.parse(words[1].rstrip() if len(words) > 1 else "")
        except Refused as error:
            return Invalid(OtherCode(error.code), str(error))
        return Invalid("bad_request", f"usage: {command.usage}") if asked is None else asked

    def help(self, about: str = "") -> Help | Invalid:
        """Explain one command, by its name with or without the slash, or list all of them."""
        if not about:
            return Help(self.overview())
        name = about.removeprefix("/")
        if topic := self._topics().get(name.lower()):
            return Help(topic, about="" if name.lower() == "all" else name.lower())
        command = self.commands.get(name.lower())
        if command is None:
            return self._unknown(name)
        also = f" Also: {', '.join('/' + alias for alias in command.aliases)}." if command.aliases else ""
        return Help("\n".join([f"{command.usage}  {command.help}{also}", *command.more]), about=command.name)

    def help_text(self) -> str:
        """Return all commands, one line each."""
        lines = self._lines(dict.fromkeys(self.commands.values()))
        return "\n".join([*lines, "//text  Send a text that begins with a slash."])

    def overview(self) -> str:
        """Return the commands for everybody by topic, and where to read more."""
        grouped = {name for names in (*GROUPS.values(), OPERATORS) for name in names}
        others = [command.name for command in dict.fromkeys(self.commands.values()) if command.name not in grouped]
        lines = ['Type a line and press Enter to send it; //text sends "/text" as a message.']
        for title, names in {**GROUPS, "more": others}.items():
            there = [f"/{name}" for name in names if name in self.commands]
            lines += [f"{title + ':':<9}{' '.join(there)}"] if there else []
        topics = ", ".join(f"/help {topic}" for topic in self._topics())
        return "\n".join([*lines, f"/help COMMAND explains a command, such as /help msg; more: {topics}."])

    def _topics(self) -> dict[str, str]:
        operators = [self.commands[name] for name in OPERATORS if name in self.commands]
        return {"all": self.help_text(), "ops": "\n".join(self._lines(operators)), **self.topics}

    @staticmethod
    def _lines(commands: Iterable[SlashCommand[A]]) -> list[str]:
        """Return the usage and help of each; without columns, which break on a narrow screen."""
        return [f"{command.usage}  {command.help}" for command in commands]

    def _unknown(self, name: str, otherwise: str = "") -> Invalid:
        shown = name[:_NAME_SHOWN] if name.isprintable() else ascii(name[:_NAME_SHOWN])
        typed = name[:_NAME_SHOWN].lower()
        # People rarely mistype the first letter, and comparing with all commands is slow enough for a denial of
        # service.
        close = get_close_matches(typed, [known for known in self.commands if known[0] == typed[:1]], n=1, cutoff=0.65)
        if close:
            advice = f"did you mean /{close[0]}? /help lists the commands"
        else:
            advice = f"/help lists the commands{otherwise}"
        return Invalid("unknown_command", f"unknown command /{shown}; {advice}")


def room_name(argument: str) -> str:
    """Return the name of a room, which may be written as in IRC."""
    return argument.removeprefix("#")


def first_word(arguments: str) -> tuple[str, str]:
    """Return the first word and the rest."""
    words = [*arguments.split(None, 1), "", ""]
    return words[0], words[1]
