"""What `pychat config` prints: each option with its value and its source, as a file that can be used as it is."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pychat.cli.secret_files import OPERATOR_VARIABLE, PASSWORD_VARIABLE, SERVER_PASSWORD_VARIABLE

_SECRETS: Final[Mapping[str, tuple[str, ...]]] = {
    "serve": (SERVER_PASSWORD_VARIABLE, OPERATOR_VARIABLE),
    "connect": (PASSWORD_VARIABLE,),
    "send": (PASSWORD_VARIABLE,),
    "tail": (PASSWORD_VARIABLE,),
}
"""Variables that are no options, by command."""
_SOURCE_COLUMN: Final = 40


class Setting(NamedTuple):
    """One option."""

    option: str
    """Without its hyphens: `server-name`."""
    value: object
    """None: it has none."""
    source: str
    """`default`, `command line`, `environment: PYCHAT_SERVE_PORT`, `file: /etc/pychat.toml`."""


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
