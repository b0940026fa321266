"""The table of threats in docs/security.md is complete, and every test that it names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "security.md"

THREATS = [
    "Terminal escapes in messages or nicknames",
    "CR/LF smuggles protocol lines",
    "Log injection",
    "A browser posts to the chat port",
    "A client of another protocol is sent here",
    "Cross-site WebSocket",
    "DNS rebinding",
    "Script injection in the web page",
    "Slow start (slowloris)",
    "Memory: endless line, partial frames",
    "Decompression bomb",
    "Queues without a bound",
    "Verbs that cost nothing",
    "Memory of strangers: the shortest lines",
    "Cut off for the paste of somebody else",
    "Slow reader",
    "Deadlock or race as denial of service",
    "One bad client ends the server",
    "Look-alike nicknames",
    "Memory, disk and lock: masks",
    "Processor: questions about everybody",
    "Muted and banned members go on talking",
    "Nickname theft between check and use",
    "Timing of password checks",
    "Password guessing, hashing as an attack",
    "Authentication bypass by another door",
    "Login that is out of date",
    "Data visible to non-members",
    "A lost connection opens a private room",
    "A wrong clock deletes the record",
    "Stored rooms are deleted by making others",
    "One address fills all rooms",
    "Code execution through the backplane",
    "State files that execute",
    "A text stops the record, or forges it",
    "A file is replaced under the server",
    "Path tricks in room names",
    "TLS renegotiation, old versions",
    "Spoofed address through PROXY lines",
    "Questions that keep the server busy",
    "A hostile server fills a client",
    "Lost in silence",
    "Amplification by resume",
    "Default exposure",
]
"""All that are known; none of them leaves the page by accident."""
PROMISES, MISTAKES, NEEDS = 8, 8, 7
"""How many rows the other tables have."""


def rows(heading: str) -> list[list[str]]:
    """The cells of the rows of the table below a heading."""
    text = PAGE.read_text()
    match = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert match, heading
    lines = [line for line in match[1].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[1:]]


def named() -> list[str]:
    """Every test that the tables name."""
    headings = ("Threats", "Promises", "Mistakes of others", "The tutorial's client")
    return [test for heading in headings for row in rows(heading) for test in re.findall(r"`([^`]+)`", row[-1])]


def test_every_threat_has_its_row() -> None:
    """With a rule; only what is not built yet has no test, and says so."""
    table = rows("Threats")
    assert [row[0] for row in table] == THREATS
    assert [row[0] for row in table if not (row[1] and row[2]) and not row[1].startswith("Later")] == []


@pytest.mark.parametrize(
    ("heading", "number"),
    [("Promises", PROMISES), ("Mistakes of others", MISTAKES), ("The tutorial's client", NEEDS)],
)
def test_every_promise_has_its_row(heading: str, number: int) -> None:
    """With a test."""
    table = rows(heading)
    assert len(table) == number
    assert all(row[-1] for row in table)


@pytest.mark.parametrize("test", dict.fromkeys(named()))
def test_a_named_test_exists(test: str) -> None:
    """As a function of that file."""
    file, _, name = test.partition("::")
    assert name.startswith("test_")
    functions = ast.parse((TESTS / file).read_text()).body
    assert name in {function.name for function in functions if isinstance(function, ast.FunctionDef)}
