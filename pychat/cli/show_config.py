"""The output of `pychat config`: each option with its value and its source, as a valid config file."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pychat.cli.secrets import (
    ACCOUNT_PASSWORD_VARIABLE,
    OPERATOR_PASSWORD_VARIABLE,
    OPERATOR_VARIABLE,
    PASSWORD_VARIABLE,
    SERVER_PASSWORD_VARIABLE,
)
from pychat.model.errors import ChatError

_OF_CLIENTS: Final = (PASSWORD_VARIABLE, ACCOUNT_PASSWORD_VARIABLE)
_SECRETS: Final[Mapping[str, tuple[str, ...]]] = {
    "serve": (SERVER_PASSWORD_VARIABLE, OPERATOR_VARIABLE),
    "connect": _OF_CLIENTS,
    "send": _OF_CLIENTS,
    "tail": _OF_CLIENTS,
    "announce": (*_OF_CLIENTS, OPERATOR_PASSWORD_VARIABLE),
}
"""Variables that are not options, by command."""
_SOURCE_COLUMN: Final = 40
_PREFIX: Final = "PYCHAT_"
_CLOSE: Final = 0.75
"""How similar a misspelt variable must be to the intended one."""


class BadVariable(ChatError):
    """A variable with the prefix of options does not set any option."""

    def __init__(self, name: str, prefix: str, known: Collection[str]) -> None:
        """
        Args:
            prefix: The common prefix of all variables.
            known: The known variables, without the prefix.
        """
        super().__init__(name, prefix, known)
        self.name, self.prefix, self.known = name, prefix, known

    def __str__(self) -> str:
        close = difflib.get_close_matches(self.name.removeprefix(self.prefix), self.known, n=1)
        hint = f"did you mean {self.prefix}{close[0]}?" if close else "remove it from the environment"
        return f"the variable {self.name} sets no option; {hint}"


class Setting(NamedTuple):
    """One option."""

    option: str
    """Without its hyphens: `server-name`."""
    value: object
    """None if it has none."""
    source: str
    """`default`, `command line`, `environment: PYCHAT_SERVE_PORT`, `file: /etc/pychat.toml`."""


class OptionInfo(NamedTuple):
    """An option as the documentation must name it."""

    command: str
    """`serve`; empty for options of `pychat` itself."""
    option: str
    """`--port`."""
    variable: str
    """`PYCHAT_SERVE_PORT`."""
    help: str


def variable_of(command: str | None, option: str | None) -> str:
    """Return the variable that sets an option of a command; None for all commands that connect."""
    return "_".join(filter(None, ["PYCHAT", command, option])).upper()


def check_environment(prefix: str, options: Collection[str], environment: Mapping[str, str]) -> None:
    """
    Check that all variables with the prefix are known: a password in a misspelt variable would protect nobody.

    Raises:
        BadVariable: For the first unknown one.
    """
    known = {*options, *(name for names in _SECRETS.values() for name in names)}
    for name in sorted(environment):
        if name.startswith(prefix) and name not in known:
            raise BadVariable(
                name, prefix, [one.removeprefix(prefix) for one in sorted(known) if one.startswith(prefix)]
            )


def misspelt(known: Collection[str], told: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """
    Return a warning for each unknown variable similar to a known one; others are for other programs.

    Args:
        known: Variables that set options.
        told: Prefixes of variables that are checked elsewhere.
    """
    names = {*known, *(name for names in _SECRETS.values() for name in names)}
    ours = {name.removeprefix(_PREFIX): name for name in sorted(names)}
    strange = [name for name in sorted(environment) if name.startswith(_PREFIX) and name not in names]
    return [
        f"the variable {name} sets nothing; did you mean {ours[close]}?"
        for name in strange
        if not name.startswith(tuple(told))
        for close in difflib.get_close_matches(name.removeprefix(_PREFIX), ours, n=1, cutoff=_CLOSE)
    ]


def table(command: str, settings: Sequence[Setting]) -> list[str]:
    """Return a command's table in TOML, each option with a comment that names its source."""
    lines = [f"[{command}]"]
    for setting in settings:
        if setting.value is None:
            lines.append(_sourced(f"# {setting.option} =", "not set"))
        else:
            lines.append(_sourced(f"{setting.option} = {_toml(setting.value)}", setting.source))
    # Their values are secret, and must not be in a file.
    return [*lines, *(f"# {name} is in the environment" for name in _SECRETS.get(command, ()) if name in os.environ)]


def _sourced(text: str, source: str) -> str:
    return f"{text:<{_SOURCE_COLUMN}}  # {_printable(source)}"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    assert isinstance(value, str | Path)
    return _printable(json.dumps(_printable(str(value)), ensure_ascii=False))


def _printable(text: str) -> str:
    """Return the text without characters that TOML forbids: DEL, and bytes from the environment that are not UTF-8."""
    return text.encode(errors="replace").decode().replace("\x7f", "?")
