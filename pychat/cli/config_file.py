"""
Where the options of commands and their values come from besides the command line: `Limits`, and a TOML file.

Nothing here knows how options are parsed (`click_app.py`).
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
"""Of a file for the line of a key: for each, all before it are read once more."""


class BadConfig(ChatError):
    """The file cannot be used."""

    def __init__(self, path: Path, problem: str, keys: tuple[str, ...] = ()) -> None:
        """
        Args:
            keys: The table and the key that are wrong, as far as it is one of them.
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
    """The text below the field, on one line."""


def limit_fields() -> list[LimitField]:
    """Return the fields of `Limits` in order."""
    texts, defaults = _field_texts(Limits), Limits()
    names = [field.name for field in dataclasses.fields(Limits)]
    values = [getattr(defaults, name) for name in names]
    return [LimitField(name, type(value), value, texts[name]) for name, value in zip(names, values, strict=True)]


def limits_by_option(limits: Limits) -> dict[str, int | float]:
    """Return the values of limits by their options, without the hyphens before them."""
    return {name.replace("_", "-"): value for name, value in dataclasses.asdict(limits).items()}


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


def room_name(text: str) -> str:
    """Return the name of a room, which may be written as IRC does: one `#` is taken away, as behind a command."""
    return text.removeprefix("#")


def read_config(path: Path, wanted: Sequence[str], known: Mapping[str, Collection[str]]) -> dict[str, tuple[str, Any]]:
    """
    Return the values that tables of a TOML file have, by the names of parameters, each with its table.

    The file has a table for each command, `[serve]` for `pychat serve`, whose keys are named like the options, with
    hyphens or underscores.

    Args:
        wanted: Tables; the first one that has a value counts.
        known: The parameters of each table that there can be.

    Raises:
        BadConfig: It cannot be read, is no TOML, or has a table or key that nothing knows.
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
            raise BadConfig(path, f"{name!r} is no table that pychat knows; {hint}", (name,))
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
"""What values of a file are, in words, and how to tell."""


def fitting(path: Path, keys: tuple[str, ...], value: object, wanted: str) -> object:
    """
    Return the value of a table and key, which must be what is wanted, one of the above.

    Raises:
        BadConfig: It is not.
    """
    if not _FITS[wanted](value):
        raise BadConfig(path, f"{keys[-1].replace('_', '-')!r} must be {wanted}, not {value!r}", keys)
    return value


def line_hint(path: Path, *keys: str) -> str:
    """
    Return ", line 3" for where a key of a TOML file, or a table, is complete; nothing if that cannot be found.

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
        except tomllib.TOMLDecodeError:  # a value goes on in the next line
            continue
        for key in keys:
            names = {name.replace("-", "_"): value for name, value in found.items()} if isinstance(found, dict) else {}
            found = names.get(key.replace("-", "_"))
        if found is not None:
            return f", line {number}"
    return ""
