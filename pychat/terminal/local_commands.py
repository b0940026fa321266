"""
The slash commands of the terminal client: those of every line language, and those that it does itself.

`/help` lists all of them, from the docstrings, as `protocols/slash.py` does.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from pychat.core.account_verbs import ChangePassword, DropAccount, LogIn, Register
from pychat.core.verbs import BecomeOperator, Help, Invalid, Verb
from pychat.protocols import slash
from pychat.protocols.slash_table import CommandTable


class Clear(NamedTuple):
    """Clear the screen."""


class Ignore(NamedTuple):
    """Show nothing any more that somebody says; an empty nickname: who is ignored?"""

    nickname: str


class Unignore(NamedTuple):
    """Show it again."""

    nickname: str


Local: TypeAlias = Clear | Ignore | Unignore
"""What no server has to know of."""

TABLE: Final[CommandTable[Verb | Local]] = CommandTable({**slash.COMMANDS})
_command = TABLE.command


@_command("help", "[COMMAND]")
def _help(arguments: str) -> Help | Invalid:
    """List the commands, or explain one."""
    return TABLE.help(arguments)


@_command("oper", "NAME [PASSWORD]")
def _oper(arguments: str) -> BecomeOperator | None:
    """Become an operator of the server; without the password, you are asked for it."""
    name, _, password = arguments.partition(" ")
    return BecomeOperator(name, password.strip()) if name else None


@_command("register", "[PASSWORD]")
def _register(arguments: str) -> Register | None:
    """Make an account of your nickname, which nobody else can keep then; you are asked for the password."""
    return Register(arguments) if len(arguments.split()) <= 1 else None


@_command("login", "[ACCOUNT] PASSWORD", "identify")
def _login(arguments: str) -> LogIn | None:
    """Log in to the account of your nickname, or another; without the password, you are asked for it."""
    words = arguments.split()
    return LogIn(words[-1] if words else "", *words[:-1]) if len(words) <= 2 else None


@_command("password", "[OLD NEW]", "passwd")
def _password(arguments: str) -> ChangePassword | None:
    """Give your account another password; without them, you are asked for both."""
    words = arguments.split() or ["", ""]
    return ChangePassword(*words) if len(words) == 2 else None


@_command("drop", "[PASSWORD]")
def _drop(arguments: str) -> DropAccount | None:
    """Delete your account; without the password, you are asked for it."""
    return DropAccount(arguments) if len(arguments.split()) <= 1 else None


@_command("ignore", "[NICK]")
def _ignore(arguments: str) -> Ignore | None:
    """Show nothing any more that somebody says; alone, list who is ignored."""
    return Ignore(arguments) if " " not in arguments else None


@_command("unignore", "NICK")
def _unignore(arguments: str) -> Unignore | None:
    """Show again what somebody says."""
    return Unignore(arguments) if arguments and " " not in arguments else None


@_command("clear")
def _clear(arguments: str) -> Clear | None:
    """Clear the screen; the scrollback of the terminal stays."""
    return None if arguments else Clear()
