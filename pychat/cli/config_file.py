"""
Sources of options besides the command line: the fields of `Limits`, and a TOML file.

Parsing of options is in `click_app.py`.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import inspect
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from pychat.model.errors import ChatError
from pychat.model.limits import Limits

_SEARCHED_LINES: Final = 1000
"""How many lines are searched for a key; for each line, all lines before it are parsed again."""


class BadConfig(ChatError):
    """The config file cannot be used."""

    def __init__(self, path: Path, problem: str, keys: tuple[str, ...] = ()) -> None:
        """
        Args:
            keys: The table and the key that are wrong, if the problem is in one of them.
        """
        super().__init__(path, problem, keys)
        self.path, self.problem, self.keys = path, problem, keys

    def __str__(self) -> str:
        return f"config file {str(self.path)!r}{line_hint(self.path, *self.keys)}: {self.problem}"


class LimitField(NamedTuple):
    """One field of `Limits`."""

    name: str
    kind: type[int] | type[float]
    default: int | float
    help: str
    """The docstring of the field, on one line."""


def limit_fields() -> list[LimitField]:
    """Return the fields of `Limits` in order."""
    texts, defaults = _field_texts(Limits), Limits()
    names = [field.name for field in dataclasses.fields(Limits)]
    values = [getattr(defaults, name) for name in names]
    return [LimitField(name, type(value), value, texts[name]) for name, value in zip(names, values, strict=True)]


def limits_by_option(limits: Limits) -> dict[str, int | float]:
    """Return the values of limits by option name, without the leading hyphens."""
    return {name.replace("_", "-"): value for name, value in dataclasses.asdict(limits).items()}


def _field_texts(owner: type) -> dict[str, str]:
    """Return the docstrings of the fields of a class, which exist only in its source."""
    (definition,) = ast.parse(inspect.getsource(owner)).body
    assert isinstance(definition, ast.ClassDef)
    texts = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            text = below.value.value if is_text else ""  # type: ignore[attr-defined]  # checked above
            texts[field.target.id] = " ".join(text.split())
    return texts


def room_name(text: str) -> str:
    """Return the name of a room in the notation of IRC or not: one leading `#` is removed, as in commands."""
    return text.removeprefix("#")


def read_config(path: Path, wanted: Sequence[str], known: Mapping[str, Collection[str]]) -> dict[str, tuple[str, Any]]:
    """
    Return the values in tables of a TOML file, by parameter name, each with its table.

    The file has a table for each command, `[serve]` for `pychat serve`, with the options as keys, with hyphens or
    underscores.

    Args:
        wanted: The tables to read; for each key the first table counts.
        known: All valid tables with their parameters.

    Raises:
        BadConfig: If it cannot be read, is not TOML, or has an unknown table or key.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise BadConfig(path, error.strerror or str(error)) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadConfig(path, f"not TOML: {error}") from error
    for name, table in tables.items():
        if name not in known or not isinstance(table, dict):
            close = [] if name in known else difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean [{close[0]}]?" if close else f"use {', '.join(f'[{one}]' for one in known)}"
            raise BadConfig(path, f"{name!r} is not a table that pychat knows; {hint}", (name,))
    values: dict[str, tuple[str, Any]] = {}
    for table in wanted:
        for key, value in tables.get(table, {}).items():
            name = key.replace("-", "_")
            if name not in known[table]:
                close = difflib.get_close_matches(name, known[table], n=1)
                hint = f"did you mean {close[0].replace('_', '-')!r}?" if close else f"see: pychat {wanted[0]} --help"
                raise BadConfig(path, f"[{table}] has no option {key!r}; {hint}", (table, key))
            if isinstance(value, dict):
                raise BadConfig(path, f"{key!r} in [{table}] must be a value, not a table", (table, key))
            values.setdefault(name, (table, value))
    return values


_FITS: Final[Mapping[str, Callable[[object], bool]]] = {
    "a list of strings": lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
    "true or false": lambda value: isinstance(value, bool),
    "a whole number": lambda value: type(value) is int,
    "a number": lambda value: type(value) in (int, float),
    "a string": lambda value: isinstance(value, str),
}
"""The types of values in a file, in words, and how to check them."""


def fitting(path: Path, keys: tuple[str, ...], value: object, wanted: str) -> object:
    """
    Check and return the value of a table and key; `wanted` is one of the types above.

    Raises:
        BadConfig: If it has another type.
    """
    if not _FITS[wanted](value):
        raise BadConfig(path, f"{keys[-1].replace('_', '-')!r} must be {wanted}, not {value!r}", keys)
    return value


def line_hint(path: Path, *keys: str) -> str:
    """
    Return ", line 3" for the line where a key or table of a TOML file is complete; "" if it is not found.

    Args:
        keys: Table and key, with hyphens or underscores.
    """
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError):
        return ""
    for number in range(1, min(len(lines), _SEARCHED_LINES) + 1) if keys else ():
        try:
            found: Any = tomllib.loads("\n".join(lines[:number]))
        except tomllib.TOMLDecodeError:  # a value continues in the next line
            continue
        for key in keys:
            names = {name.replace("-", "_"): value for name, value in found.items()} if isinstance(found, dict) else {}
            found = names.get(key.replace("-", "_"))
        if found is not None:
            return f", line {number}"
    return ""
