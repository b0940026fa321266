"""A server that sends what no honest one lets in, in every field of everything that it can say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from chat_networks import Script, script
from chat_programs import Programs, pychat

from pychat import Limits
from pychat.protocols.jsonl.fields import Fields, write_limits
from pychat.protocols.jsonl.items import ITEMS, read_item

__all__ = ["pychat", "script"]

_DOCS = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text("utf-8")
_KEPT: Final = {"type", "id", "time", "ref", "token", "modes", "args", "code", "mode", "last", "first", "after", "next"}
"""Fields whose form is checked, so that a wrong one ends the connection."""
_HOSTILE: Final = "\x1b]0;x\x07\x1b[2J\x9b2J\x85\r\n\t\x7f\u202e\u2066\u2028\ud800"


def poisoned(value: Any) -> Any:
    """The same with every text made hostile."""
    if isinstance(value, str):
        return f"{value}{_HOSTILE}{value}"
    if isinstance(value, list):
        return [poisoned(part) for part in value]
    if isinstance(value, dict):
        return {key: part if key in _KEPT else poisoned(part) for key, part in value.items()}
    return value


def examples() -> list[dict[str, Any]]:
    """What a server says in the documentation, goodbyes last."""
    said = [json.loads(text) for text in re.findall(r"^\w+ < (\{.*\})$", _DOCS, re.MULTILINE)]
    for item in said:
        if item["type"] == "welcome":
            item["limits"] = write_limits(Limits())
    return sorted(said, key=lambda item: (item["type"] == "bye", item["type"] != "welcome"))


def test_the_documentation_has_an_example_of_everything() -> None:
    """So what is made of the examples is everything, too."""
    assert {item["type"] for item in examples()} | {"ping"} == set(ITEMS.types)


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_nothing_that_a_server_says_reaches_a_terminal(
    pychat: Programs, script: Callable[..., Script], arguments: list[str]
) -> None:
    """No escape, no control character, no line that is not whole: in text, and in JSON, where it is still the same."""
    items = [poisoned(item) for item in examples()]
    for item in items:
        assert read_item(Fields(item)) is not None
    started = script(raw="".join(json.dumps(item) + "\n" for item in items).encode())

    result = pychat.run("connect", "--no-reconnect", "--nick", "ci", "--port", str(started.port), *arguments)

    assert result.stdout.count("0;x") > len(items) / 2
    assert (result.stdout + result.stderr).replace("\n", "").isprintable()
