"""
Secrets of commands: from a file or an environment variable.

Secrets are never options, because all users of the machine can see the arguments of a program. Errors about a secret
never contain it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pychat.model.errors import ChatError

OPERATOR_VARIABLE: Final = "PYCHAT_SERVE_OPER"
"""Defines one server operator."""
SERVER_PASSWORD_VARIABLE: Final = "PYCHAT_SERVE_PASSWORD"
"""The password that `pychat serve` requires from everybody who connects."""
PASSWORD_VARIABLE: Final = "PYCHAT_PASSWORD"
"""The server password for commands that connect."""
ACCOUNT_PASSWORD_VARIABLE: Final = "PYCHAT_ACCOUNT_PASSWORD"
"""The account password for them."""

OPERATOR_PASSWORD_VARIABLE: Final = "PYCHAT_OPER_PASSWORD"
"""The password of the operator for an announcement."""


class BadSecret(ChatError):
    """A secret cannot be used; `str(error)` does not contain it."""

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(source, problem)
        self.source, self.problem = source, problem

    def __str__(self) -> str:
        return f"{self.source}: {self.problem}"


def read_password(path: Path | None, variable: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """
    Return the password from an environment variable, otherwise from a file; None if there is neither.

    Args:
        path: A file with one line.
        variable: The name of the variable.

    Raises:
        BadSecret: If the file cannot be read, or does not contain exactly one password.
    """
    if variable in environment:
        return check_secret(environment[variable], variable)
    return None if path is None else read_secret(path)


def read_secret(path: Path) -> str:
    """
    Return the password from a file with one line.

    Raises:
        BadSecret: If the file cannot be read, or does not contain exactly one password.
    """
    source = f"password file {str(path)!r}"
    return check_secret(_read(path, source), source)


def check_secret(text: str, source: str) -> str:
    """
    Return the password in a text, without its line end.

    Raises:
        BadSecret: If there is none, or more than one.
    """
    password = text.removesuffix("\n").removesuffix("\r")
    if password == "":  # the user certainly does not want an open server
        raise BadSecret(source, "it contains no password")
    if not password.isprintable():
        raise BadSecret(source, "a password must be one line, without control characters")
    return password


def read_operators(path: Path | None, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """
    Return the passwords of server operators by name: those in a file, and with priority that in `PYCHAT_SERVE_OPER`.

    Args:
        path: A file with a line `name:password` for each; empty lines and those that begin with "#" are ignored.

    Raises:
        BadSecret: If the file cannot be read, a line is not a name and password, or a name is repeated.
    """
    passwords: dict[str, str] = {}
    text = "" if path is None else _read(path, f"operator file {str(path)!r}")
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line and not line.startswith("#"):
            where = f"operator file {str(path)!r}, line {number}"
            name, password = _operator(line, where)
            if name in passwords:
                raise BadSecret(where, "the name appears twice")
            passwords[name] = password
    variable = environment.get(OPERATOR_VARIABLE)
    if variable is not None:
        passwords.update([_operator(variable.strip(), OPERATOR_VARIABLE)])
    return passwords


def read_room_keys(path: Path | None) -> dict[str, str]:
    """
    Return the keys of rooms by name; empty if there is no file.

    Args:
        path: A file with a line `room:key` for each, or `room key`, because the name of a room may have a colon; empty
            lines and those that begin with "#" are ignored.

    Raises:
        BadSecret: If the file cannot be read, or a line is not a name and key.
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
    """Return whether all users of this machine can read a file."""
    return bool(path.stat().st_mode & stat.S_IROTH)
