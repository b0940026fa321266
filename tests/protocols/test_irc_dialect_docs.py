"""docs/irc.md is complete: every command, mode, capability, token and numeric is in one of its tables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pychat.model import modes
from pychat.model.limits import Limits
from pychat.model.modes import USER_MODES
from pychat.protocols.irc.capabilities import OFFERED
from pychat.protocols.irc.commands.table import COMMANDS
from pychat.protocols.irc.replies.isupport import tokens

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "irc.md").read_text("utf-8")


def rows(heading: str) -> list[str]:
    """The rows of the table below a heading."""
    text = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [line for line in text.splitlines() if line.startswith("| ")][1:]


def names(heading: str, *, only: str = "") -> list[str]:
    """What stands in backquotes in the first column, of those rows that contain the words."""
    return [name for row in rows(heading) if only in row for name in re.findall("`([^`]+)`", row.split(" | ")[0])]


def test_commands() -> None:
    """Those that are done, and which of them work early."""
    assert sorted(names("Commands", only="| done |")) == sorted(COMMANDS)
    early = {names("Commands", only=row)[0] for row in rows("Commands") if "` * |" in row}
    assert early == {name for name, rule in COMMANDS.items() if rule.early}


def test_modes() -> None:
    """All letters of channels, all letters of users."""
    assert sorted(names("Channel modes")) == sorted(modes.ALL)
    assert sorted(names("User modes")) == sorted(USER_MODES)


def test_capabilities() -> None:
    """Those that are done are those that are offered."""
    assert sorted(names("Capabilities", only="| done |")) == sorted(OFFERED)


def test_tokens() -> None:
    """With the values that the default limits give."""
    told = [re.sub("JOIN:20,.*", "JOIN:20,...", token) for token in tokens("pychat", Limits())]

    assert names("What the server tells of itself") == told


@pytest.mark.parametrize(
    "path", sorted((ROOT / "pychat" / "protocols" / "irc").glob("*.py")), ids=lambda path: path.name
)
def test_numerics(path: Path) -> None:
    """Each one that is in the code is in one of the ranges of the table."""
    known: set[int] = set()
    for row in rows("Numerics"):
        for first, last in re.findall(r"\b(\d{3})(?: to (\d{3}))?", row):
            known.update(range(int(first), int(last or first) + 1))
    used = {int(code) for code in re.findall(r'"(\d{3})"', path.read_text("utf-8"))}

    assert used <= known
