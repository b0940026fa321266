"""Refusals: their classes and their codes are in one place each."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

import pychat
from pychat.cli import exit_codes
from pychat.model import codes, errors
from pychat.model.codes import CODES
from pychat.model.errors import LimitExceeded, NicknameInUse, Refused, refusal
from pychat.protocols.irc.replies import errors as numerics

PACKAGE = Path(pychat.__file__).parent
DECLARED = {Path(errors.__file__), Path(codes.__file__)}
OF_THE_CLIENT = PACKAGE / "cli"
"""The command line refuses by itself, with codes that no server sends."""
ANY = "*"
CLASSES = {
    name: value for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Refused)
}


Nodes = Sequence[tuple[Path, ast.AST]]


@pytest.fixture(scope="module")
def nodes() -> Nodes:
    """All of the package but the errors, their codes and the command line."""
    paths = [path for path in PACKAGE.rglob("*.py") if path not in DECLARED and OF_THE_CLIENT not in path.parents]
    return [(path, node) for path in paths for node in ast.walk(ast.parse(path.read_text()))]


def test_every_class_of_refusals_is_in_one_module(nodes: Nodes) -> None:
    """Whoever looks for one finds it there, and whoever catches one imports nothing else for it."""
    elsewhere = [
        f"{path}:{node.lineno} {node.name}"
        for path, node in nodes
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).split(".")[-1] in CLASSES for base in node.bases)
    ]

    assert elsewhere == []


@pytest.mark.parametrize("name", CLASSES)
def test_the_code_of_a_class_is_a_listed_one(name: str) -> None:
    """And so it is in the specification, too."""
    assert CLASSES[name].code in CODES


def test_refusals_of_the_package_have_codes_that_are_checked(nodes: Nodes) -> None:
    """`Refused` takes any code, for handlers; `refusal` only takes listed ones, and mypy says so."""
    unchecked = [
        f"{path}:{node.lineno}"
        for path, node in nodes
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "Refused"
        and any(word.arg == "code" and isinstance(word.value, ast.Constant) for word in node.keywords)
    ]

    assert unchecked == []


def test_every_code_is_in_use(nodes: Nodes) -> None:
    """None is listed, and promised in the specification, that nothing sends."""
    used = {node.value for _, node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    used |= {kind.code for kind in CLASSES.values()}

    assert CODES - used == set()


@pytest.mark.parametrize(
    "known",
    [
        numerics._NUMERICS,
        {code for _, code in numerics._BY_COMMAND},
        {code for _, code in numerics._SPECIAL},
        {code for _, code in numerics._NOT_TOLD},
    ],
    ids=["numerics", "by command", "special", "not told"],
)
def test_irc_knows_no_other_codes(known: Collection[str]) -> None:
    """A misspelt one would never be found, and its numeric never sent."""
    assert set(known) - {ANY} <= CODES


def test_advice_of_the_command_line_is_for_codes_that_there_are() -> None:
    """A misspelt one would never be found."""
    assert exit_codes._REFUSALS.keys() <= CODES


def test_a_refusal_has_what_it_is_made_with() -> None:
    """The reason for people; code, room and subject for programs."""
    error = refusal("not here", code="banned", room="den", subject=("ann",))

    assert (type(error), str(error), error.code, error.room, error.subject) == (
        Refused,
        "not here",
        "banned",
        "den",
        ("ann",),
    )


def test_a_class_has_its_values_unless_others_are_given() -> None:
    """What a class sets before it calls `Refused` stays, and so does its code."""
    one, other = NicknameInUse("ann"), LimitExceeded("rooms", 1, "rooms", code="too_many_rooms", room="den")

    assert (one.code, one.room, one.subject) == ("nickname_in_use", None, ("ann",))
    assert (other.code, other.room, str(other)) == ("too_many_rooms", "den", "rooms: at most 1 room")
