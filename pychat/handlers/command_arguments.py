"""Converting the words after a command to the types of its function's parameters."""

from __future__ import annotations

import enum
import inspect
import io
import shlex
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Final


class UsageError(Exception):
    """The arguments do not fit the command."""


_BOOLEANS: Final = {
    "yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False
}  # fmt: skip


def evaluated(parameter: inspect.Parameter, function: Callable[..., Any]) -> inspect.Parameter:
    """
    Return the parameter with its annotation evaluated, which may still be a string.

    It is a string if another annotation cannot be evaluated: the context's type may be imported for type checkers only.

    Raises:
        TypeError: If no word can be converted to it.
    """
    kind = parameter.annotation
    if isinstance(kind, str):
        try:
            kind = eval(kind, getattr(inspect.unwrap(function), "__globals__", {}))
        except Exception as error:
            raise TypeError(f"the type of {parameter.name}, {kind!r}, cannot be found: {error}") from None
    for member in _members(kind):
        if not callable(member) or typing.get_origin(member) not in (None, typing.Literal, typing.Annotated):
            raise TypeError(f"{parameter.name} cannot be {kind}: a word must become one")
    return parameter.replace(annotation=kind)


def _members(kind: Any) -> list[Any]:
    """Return the types of a union, or else the only one."""
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        return [member for member in typing.get_args(kind) if member is not type(None)]
    return [kind]


def _choices(kind: Any) -> Mapping[str, Any] | None:
    """Return the allowed words, if there is a fixed set; None if the type itself decides."""
    if kind is bool:
        return _BOOLEANS
    if typing.get_origin(kind) is typing.Literal:
        return {str(value): value for value in typing.get_args(kind)}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {str(member.value): member for member in kind}
    return None


def _name_of(kind: Any) -> str:
    choices = None if kind is bool else _choices(kind)
    return getattr(kind, "__name__", str(kind)) if choices is None else " or ".join(choices)


def convert(parameter: inspect.Parameter, word: str) -> Any:
    """
    Convert a word to the type of a parameter.

    Raises:
        UsageError: If that is not possible.
    """
    kinds = _members(parameter.annotation)
    for kind in kinds:
        if kind in (parameter.empty, str, Any):
            return word
        choices = _choices(kind)
        try:
            if choices is None:
                return kind(word)
            return choices[word] if word in choices else choices[word.lower()]
        except (KeyError, ValueError, ArithmeticError):
            pass  # try the next type of the union
    raise UsageError(f"{parameter.name} must be {' or '.join(map(_name_of, kinds))}, not {word!r}")


def split(text: str, most: int) -> list[str]:
    """Return the words of a text; with `most` not negative, that many, and then the rest unchanged."""
    stream = io.StringIO(text.strip())
    lexer = shlex.shlex(stream, posix=True)
    lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""  # people write no escapes, except \\o/
    words: list[str] = []
    try:
        while len(words) != most and (word := lexer.get_token()) is not None:
            words.append(word)
    except ValueError:  # people do not use an apostrophe as a quotation mark
        return text.strip().split(maxsplit=most)
    rest = stream.read().strip()
    return [*words, rest] if rest else words
