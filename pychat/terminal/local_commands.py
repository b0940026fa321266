"""
The slash commands of the terminal client: those of every line language, and its own.

`/help` lists all of them, from the docstrings, as `protocols/text/slash_commands.py` does.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, TypeAlias

from pychat.model.verbs import BecomeOperator, ChangePassword, DropAccount, Help, Invalid, LogIn, Register, Verb
from pychat.protocols.text import slash_commands as slash
from pychat.protocols.text.passphrases import login, passwords, unquoted
from pychat.protocols.text.slash_table import CommandTable


class Clear(NamedTuple):
    """Clear the screen."""


class Ignore(NamedTuple):
    """Hide messages of a person; with an empty nickname, list who is ignored."""

    nickname: str


class Unignore(NamedTuple):
    """Show messages of a person again."""

    nickname: str


class Win(NamedTuple):
    """Show the room with this number."""

    number: int


class Go(NamedTuple):
    """Show a joined room, by the beginning of its name."""

    room: str


class Reconnect(NamedTuple):
    """Reconnect at once."""


Local: TypeAlias = Clear | Reconnect | Ignore | Unignore | Win | Go
"""Commands that the server does not see."""

_KEYS: Final = """\
Enter         sends the line, or runs the command; on an empty line: reconnects at once
Alt-Enter     begins another line of the same message
Tab           completes a command, a room or a nickname; again: the next one that fits
Alt-A         goes to the next room with unread messages
Alt-1..9      goes to a room by its number
Alt-Left      goes to the room before; Alt-Right: to the next one
Ctrl-R, Up    search what was typed before, bring it back
Ctrl-C        clears the line; twice: leaves
Ctrl-D        leaves, if the line is empty
Ctrl-L        clears the screen
Ctrl-Z        suspends the client; fg brings it back
Without Alt, press Escape first."""

TABLE: Final[CommandTable[Verb | Local]] = CommandTable({**slash.COMMANDS}, {"keys": _KEYS})
_command = TABLE.command


@_command("help", "[COMMAND]", "h")
def _help(arguments: str) -> Help | Invalid:
    """Show the common commands, or explain one; more: "/help all", "/help ops", "/help keys"."""
    return TABLE.help(arguments)


@_command("oper", "NAME [PASSWORD]")
def _oper(arguments: str) -> BecomeOperator | None:
    """Become an operator of the server; without the password, you are asked for it."""
    name, _, password = arguments.partition(" ")
    return BecomeOperator(name, password.strip()) if name else None


@_command("register", "[PASSWORD]")
def _register(arguments: str) -> Register:
    """Register your nickname as an account, so that nobody else can keep it; you are asked for the password."""
    return Register(unquoted(arguments))


@_command("login", "[ACCOUNT] PASSWORD", "identify")
def _login(arguments: str) -> LogIn:
    """Log in to the account of your nickname, or another; without the password, you are asked for it."""
    return login(arguments)


@_command("password", "[OLD NEW]", "passwd")
def _password(arguments: str) -> ChangePassword | None:
    """Change the password of your account; without the passwords, you are asked for both."""
    words = passwords(arguments) or ["", ""]
    return ChangePassword(*words) if len(words) == 2 else None


@_command("drop", "[PASSWORD]")
def _drop(arguments: str) -> DropAccount:
    """Delete your account; without the password, you are asked for it."""
    return DropAccount(unquoted(arguments))


@_command("ignore", "[NICK]")
def _ignore(arguments: str) -> Ignore | None:
    """Hide messages from somebody; alone, list ignored people."""
    return Ignore(arguments) if " " not in arguments else None


@_command("unignore", "NICK")
def _unignore(arguments: str) -> Unignore | None:
    """Show messages from somebody again."""
    return Unignore(arguments) if arguments and " " not in arguments else None


@_command("win", "N", "window")
def _win(arguments: str) -> Win | None:
    """Show the room with this number, as Alt-1 to Alt-9 do."""
    return Win(int(arguments)) if re.fullmatch("[0-9]{1,4}", arguments) else None


@_command("go", "ROOM")
def _go(arguments: str) -> Go | None:
    """Show a room that you are in; the beginning of its name is enough."""
    return Go(arguments.removeprefix("#")) if len(arguments.split()) == 1 else None


@_command("reconnect")
def _reconnect(arguments: str) -> Reconnect | None:
    """Reconnect at once when the connection is lost; so does Enter on the empty line."""
    return None if arguments else Reconnect()


@_command("clear")
def _clear(arguments: str) -> Clear | None:
    """Clear the screen; the scrollback of the terminal stays."""
    return None if arguments else Clear()
