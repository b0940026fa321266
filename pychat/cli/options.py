"""
Where the options of commands and their values come from besides the command line: `Limits`, and a TOML file.

Nothing here knows how options are parsed (`parsing.py`).
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import inspect
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pychat.core.errors import ChatError
from pychat.core.limits import Limits


class BadConfig(ChatError):
    """The file cannot be used."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(path, problem)
        self.path, self.problem = path, problem

    def __str__(self) -> str:
        return f"config file {str(self.path)!r}: {self.problem}"


class LimitField(NamedTuple):
    """One field of `Limits`."""

    name: str
    kind: type[int] | type[float]
    default: int | float
    help: str
    """The text below the field, on one line."""


def limit_fields() -> list[LimitField]:
    """Return the fields of `Limits` in order."""
    texts, defaults = _field_texts(Limits), Limits()
    names = [field.name for field in dataclasses.fields(Limits)]
    values = [getattr(defaults, name) for name in names]
    return [LimitField(name, type(value), value, texts[name]) for name, value in zip(names, values, strict=True)]


def _field_texts(owner: type) -> dict[str, str]:
    """Return the strings that stand below the fields of a class; nobody but the source knows them."""
    (definition,) = ast.parse(inspect.getsource(owner)).body
    assert isinstance(definition, ast.ClassDef)
    texts = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            text = below.value.value if is_text else ""  # type: ignore[attr-defined]  # it was looked at
            texts[field.target.id] = " ".join(text.split())
    return texts


def read_config(path: Path, command: str, known: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """
    Return the values that a TOML file has for a command, by the names of its parameters.

    The file has a table for each command, `[serve]` for `pychat serve`, whose keys are named like the options, with
    hyphens or underscores.

    Args:
        known: The parameters of each command.

    Raises:
        BadConfig: It cannot be read, is no TOML, or has a table or key that nothing knows.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadConfig(path, error.strerror or str(error)) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadConfig(path, f"not TOML: {error}") from error
    for name, table in tables.items():
        if name not in known or not isinstance(table, dict):
            allowed = ", ".join(f"[{command}]" for command in known)
            raise BadConfig(path, f"{name!r} is no table that pychat knows; use {allowed}")
    values = {}
    for key, value in tables.get(command, {}).items():
        name = key.replace("-", "_")
        if name not in known[command]:
            close = difflib.get_close_matches(name, known[command], n=1)
            hint = f"; did you mean {close[0].replace('_', '-')!r}?" if close else ""
            raise BadConfig(path, f"[{command}] has no option {key!r}{hint}")
        if isinstance(value, dict):
            raise BadConfig(path, f"{key!r} in [{command}] must be a value, not a table")
        values[name] = value
    return values
