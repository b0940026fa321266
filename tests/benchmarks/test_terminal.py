"""`pychat connect` at a terminal: nothing of a flood is missing, and what was typed meanwhile is whole."""

from __future__ import annotations

import json

import pytest

from benchmarks import terminal
from benchmarks.__main__ import main


def test_a_flood_is_shown_while_somebody_types(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The measurement fails if the line that was begun before the flood is not said whole after it."""
    monkeypatch.setattr(terminal, "_STARTS", 1)

    code = main(["terminal", "--seconds", "1", "--json"])

    document = json.loads(capsys.readouterr().out)
    (result,) = document["results"]
    assert (code, result["server"]) == (0, "pychat connect")
    assert result["messages"] == result["shown"] >= 400
