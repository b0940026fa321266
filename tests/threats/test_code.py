"""Threats that the code itself is searched for: what would be a hole wherever it stood."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "pychat"
MODULES = sorted(PACKAGE.rglob("*.py"))

EXECUTES = {"pickle", "marshal", "shelve", "dill", "code", "runpy", "cPickle", "jsonpickle"}
"""Modules that make code, or objects of any class, of data."""
READS_ANNOTATIONS = {"handlers/command_arguments.py"}
"""Where `eval` reads the types of a function of the program's own, as `typing.get_type_hints` does."""


@cache
def nodes(path: Path) -> list[ast.AST]:
    """All that a module consists of."""
    return [*ast.walk(ast.parse(path.read_text()))]


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """The names of the functions and methods that a module calls, and where."""
    for node in nodes(path):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "id", getattr(node.func, "attr", "")), node.lineno


def imported(path: Path) -> set[str]:
    """The modules that a module imports."""
    names: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def test_state_files_that_execute() -> None:
    """What is read from a file, a database or a peer is never run, nor made an object of any class."""
    for path in MODULES:
        assert imported(path).isdisjoint(EXECUTES), path
        if str(path.relative_to(PACKAGE)) not in READS_ANNOTATIONS:
            assert [line for name, line in calls(path) if name in ("eval", "exec")] == [], path


def test_lines_of_the_wire_end_with_a_newline_and_nothing_else() -> None:
    """`splitlines` also splits at 0x0b, 0x0c, 0x1c-0x1e, 0x85, U+2028 and U+2029 (CVE-2024-27305)."""
    for folder in ("model", "core", "handlers", "protocols", "transport"):
        for path in (PACKAGE / folder).rglob("*.py"):
            assert [line for name, line in calls(path) if name == "splitlines"] == [], path


def test_chance_that_must_not_be_guessed_is_secret() -> None:
    """Tokens, nonces and salts come from `secrets`; `random` is not used by what serves."""
    for folder in ("model", "core", "handlers", "protocols", "transport", "stores"):
        for path in (PACKAGE / folder).rglob("*.py"):
            assert "random" not in imported(path), path


def test_decompression_bomb() -> None:
    """A few bytes that become many: nothing that came is ever decompressed."""
    for path in MODULES:
        assert imported(path).isdisjoint({"gzip", "bz2", "lzma", "zipfile", "tarfile", "compression"}), path
        assert [line for name, line in calls(path) if name.startswith("decompress")] == [], path


def test_timing_of_password_checks() -> None:
    """What is secret is compared by `compare_digest` alone, in every module that hashes or compares secrets."""
    for name in ("server_password", "password_hash", "scram"):
        path = PACKAGE / "core" / "accounts" / f"{name}.py"
        compared = [
            node.lineno
            for node in nodes(path)
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq)
            for side in (node.left, *node.comparators)
            if re.search("password|key|proof|signature|digest|hash", ast.unparse(side))
            and not ast.unparse(side).startswith("len(")
        ]
        assert "compare_digest" in {called for called, _ in calls(path)}, path
        assert compared == [], path
