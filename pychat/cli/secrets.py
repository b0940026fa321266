"""
Secrets that a command is given: by a file or by an environment variable.

No option has a secret in it, because everybody on the machine can see the arguments of a program. What is wrong with a
secret is told without it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pychat.model.errors import ChatError

OPERATOR_VARIABLE: Final = "PYCHAT_SERVE_OPER"
"""Makes one server operator."""
SERVER_PASSWORD_VARIABLE: Final = "PYCHAT_SERVE_PASSWORD"
"""What `pychat serve` wants from everybody who comes in."""
PASSWORD_VARIABLE: Final = "PYCHAT_PASSWORD"
"""What the commands that connect give."""
ACCOUNT_PASSWORD_VARIABLE: Final = "PYCHAT_ACCOUNT_PASSWORD"
"""And that of the account."""

OPERATOR_PASSWORD_VARIABLE: Final = "PYCHAT_OPER_PASSWORD"
"""That of the operator who announces something."""


class BadSecret(ChatError):
    """A secret cannot be used; `str(error)` has nothing of it."""

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(source, problem)
        self.source, self.problem = source, problem

    def __str__(self) -> str:
        return f"{self.source}: {self.problem}"


def read_password(path: Path | None, variable: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """
    Return the password that is in an environment variable, else that in a file; None if there is neither.

    Args:
        path: A file with one line.
        variable: The name of the variable.

    Raises:
        BadSecret: The file cannot be read, or there is no password in it, or more than one.
    """
    if variable in environment:
        return check_secret(environment[variable], variable)
    return None if path is None else read_secret(path)


def read_secret(path: Path) -> str:
    """
    Return the password that is in a file with one line.

    Raises:
        BadSecret: The file cannot be read, or there is no password in it, or more than one.
    """
    source = f"password file {str(path)!r}"
    return check_secret(_read(path, source), source)


def check_secret(text: str, source: str) -> str:
    """
    Return the password in a text, without the end of its line.

    Raises:
        BadSecret: There is none, or more than one.
    """
    password = text.removesuffix("\n").removesuffix("\r")
    if password == "":  # an open server would be the last thing that is meant
        raise BadSecret(source, "there is no password in it")
    if not password.isprintable():
        raise BadSecret(source, "a password is one line, without control characters")
    return password


def read_operators(path: Path | None, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """
    Return the passwords of server operators by name: those of a file, and before them the one of `PYCHAT_SERVE_OPER`.

    Args:
        path: A file with a line `name:password` for each; empty lines and those that begin with "#" do not count.

    Raises:
        BadSecret: The file cannot be read, something is no name and password, or a name is there twice.
    """
    passwords: dict[str, str] = {}
    text = "" if path is None else _read(path, f"operator file {str(path)!r}")
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line and not line.startswith("#"):
            where = f"operator file {str(path)!r}, line {number}"
            name, password = _operator(line, where)
            if name in passwords:
                raise BadSecret(where, "the name is there twice")
            passwords[name] = password
    variable = environment.get(OPERATOR_VARIABLE)
    if variable is not None:
        passwords.update([_operator(variable.strip(), OPERATOR_VARIABLE)])
    return passwords


def read_room_keys(path: Path | None) -> dict[str, str]:
    """
    Return the keys of rooms by name; none if there is no file.

    Args:
        path: A file with a line `room:key` for each, or `room key`, as a room may have a colon in its name; empty lines
            and those that begin with "#" do not count.

    Raises:
        BadSecret: The file cannot be read, or something is no name and key.
    """
    keys: dict[str, str] = {}
    text = "" if path is None else _read(path, f"file of room keys {str(path)!r}")
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        name, _, key = line.partition(" " if " " in line else ":")
        key = key.strip()
        if not name or name.startswith("#"):
            continue
        if not key or not key.isprintable():
            raise BadSecret(f"file of room keys {str(path)!r}, line {number}", "write it as room:key")
        keys[name] = key
    return keys


def _operator(text: str, where: str) -> tuple[str, str]:
    name, _, password = text.partition(":")
    if not name or not password or name.split() != [name]:
        raise BadSecret(where, "write it as name:password, the name without spaces")
    return name, password


def _read(path: Path, source: str) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise BadSecret(source, error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise BadSecret(source, "it is not UTF-8") from None


def is_readable_by_others(path: Path) -> bool:
    """Whether everybody on this machine can read a file."""
    return bool(path.stat().st_mode & stat.S_IROTH)
