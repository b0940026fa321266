"""docs/moderation.md: all its commands work, in this order, for an operator."""

from __future__ import annotations

import re
from pathlib import Path

from pychat import ChatServer
from pychat.protocols.text import slash_commands as slash

GUIDE = (Path(__file__).parents[2] / "docs" / "moderation.md").read_text(encoding="utf-8")


def test_the_commands_of_the_guide_work() -> None:
    """None of them is refused."""
    commands = [line for block in re.findall(r"```text\n(.*?)```", GUIDE, re.DOTALL) for line in block.splitlines()]
    assert len(commands) > 20
    with ChatServer(port=0) as server:
        root = server.session("root", ["ops"])
        root.person.modes = "o"
        for nickname in ("ann", "bob", "eve"):
            server.session(nickname, ["ops"])

        for command in commands:
            root.ask(slash.parse(command))
