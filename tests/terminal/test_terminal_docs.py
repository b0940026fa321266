"""docs/terminal.md tells the truth about keys and commands."""

from __future__ import annotations

import re
from pathlib import Path

from pychat.protocols.text import slash_commands as slash
from pychat.terminal.keys import KEYS
from pychat.terminal.local_commands import TABLE

PAGE = (Path(__file__).parents[2] / "docs" / "terminal.md").read_text("utf-8")


def name_of(keys: tuple[str, ...]) -> str:
    """How people call a key, or two."""
    *before, last = keys
    names = {"s-tab": "Shift-Tab"}
    last = names.get(last, last.upper().replace("C-", "Ctrl-") if last.startswith("c-") else last.title())
    return ("Alt-" if before else "") + last


def first_column(heading: str) -> list[str]:
    """What stands first in the rows of the table below a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)


def test_keys_are_documented() -> None:
    """Every key of the line, and Ctrl-L, which is readline's."""
    names = [name_of(key.keys) for key in KEYS if key.where in ("line", "everywhere") and "<" not in key.keys[0]]
    expected = [name for name in names if not re.fullmatch("Alt-[2-9]", name)]

    assert sorted(first_column("Keys")) == sorted({*expected, "Ctrl-L"})


def test_commands_of_its_own_are_documented() -> None:
    """Those that are no commands of other languages, or have other arguments or another meaning there."""
    own = {
        command.usage
        for name, command in TABLE.commands.items()
        if name not in slash.COMMANDS or slash.COMMANDS[name][2:4] != command[2:4]  # usage and help
    }

    assert sorted(first_column("Commands")) == sorted(own)
