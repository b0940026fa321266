"""What `pychat config` prints: each option with its value and its source, as a file that can be used as it is."""

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
"""Variables that are no options, by command."""
_SOURCE_COLUMN: Final = 40
_PREFIX: Final = "PYCHAT_"
_CLOSE: Final = 0.75
"""How much a misspelt variable is like the one that was meant."""


class BadVariable(ChatError):
    """The environment has a variable that would set an option, if there were one of that name."""

    def __init__(self, name: str, prefix: str, known: Collection[str]) -> None:
        """
        Args:
            prefix: What it has in common with all that there are.
            known: Those, without it.
        """
        super().__init__(name, prefix, known)
        self.name, self.prefix, self.known = name, prefix, known

    def __str__(self) -> str:
        close = difflib.get_close_matches(self.name.removeprefix(self.prefix), self.known, n=1)
        hint = f"did you mean {self.prefix}{close[0]}?" if close else "take it out of the environment"
        return f"the variable {self.name} sets no option; {hint}"


class Setting(NamedTuple):
    """One option."""

    option: str
    """Without its hyphens: `server-name`."""
    value: object
    """None: it has none."""
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
    """Return the variable that sets an option of a command; None: of all that connect."""
    return "_".join(filter(None, ["PYCHAT", command, option])).upper()


def check_environment(prefix: str, options: Collection[str], environment: Mapping[str, str]) -> None:
    """
    Return if all variables with the prefix mean something: a password whose name is mistyped would protect nobody.

    Raises:
        BadVariable: The first that does not.
    """
    known = {*options, *(name for names in _SECRETS.values() for name in names)}
    for name in sorted(environment):
        if name.startswith(prefix) and name not in known:
            raise BadVariable(
                name, prefix, [one.removeprefix(prefix) for one in sorted(known) if one.startswith(prefix)]
            )


def misspelt(known: Collection[str], told: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """
    Return a warning for each variable that sets nothing and is nearly one that does; others are for other programs.

    Args:
        known: Variables that set options.
        told: Prefixes of variables whose mistakes are told elsewhere.
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
    """The lines of a command's table in TOML, each option with a comment that tells its source."""
    lines = [f"[{command}]"]
    for setting in settings:
        if setting.value is None:
            lines.append(_sourced(f"# {setting.option} =", "not set"))
        else:
            lines.append(_sourced(f"{setting.option} = {_toml(setting.value)}", setting.source))
    # They are hidden, and no file may have them.
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
    """The text without what TOML cannot have: DEL, and bytes of the environment that are no UTF-8."""
    return text.encode(errors="replace").decode().replace("\x7f", "?")
