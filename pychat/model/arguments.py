"""Checks of arguments to constructors: a wrong type is reported at once, with the expected one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")

_SECRET = frozenset({"password", "operators", "account_password"})


def given(name: str, value: object, kind: type[T] | tuple[type[T], ...], example: str) -> T:
    """
    Return an argument of this type.

    Args:
        example: The expected value, in words.

    Raises:
        TypeError: If it is of another type.
    """
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise wrong(name, value, example)


def optional(name: str, value: object, kind: type[T] | tuple[type[T], ...], example: str) -> T | None:
    """Return an argument of this type, or None."""
    return None if value is None else given(name, value, kind, example)


def wrong(name: str, value: object, example: str) -> TypeError:
    """Return the error for a wrong argument; a secret is not shown."""
    is_plain = isinstance(value, str | int | float | bytes | list | tuple | dict | None)
    shown = repr(value) if is_plain and name not in _SECRET else f"an object of type {type(value).__name__}"
    return TypeError(f"{name} must be {example}, not {shown}")


def whole_number(name: str, value: object, least: int, most: int) -> int:
    """
    Return a whole number.

    Raises:
        TypeError: If it is not one.
        ValueError: If it is not from `least` to `most`.
    """
    example = f"a whole number from {least} to {most}"
    checked = given(name, value, int, example)
    if not least <= checked <= most:
        raise ValueError(f"{name} must be {example}, not {checked}")
    return checked


def positive_seconds(name: str, value: object) -> float:
    """
    Return a number of seconds.

    Raises:
        TypeError: If it is not a number.
        ValueError: If it is not over 0, infinite, or NaN.
    """
    seconds = float(given(name, value, (int, float), "a number of seconds"))
    if not 0 < seconds < math.inf:
        raise ValueError(f"{name} must be a number of seconds over 0, not {value}")
    return seconds


def items(name: str, value: Iterable[T], example: str) -> list[T]:
    """
    Return the items of a list or another iterable.

    Args:
        example: An example of such a list.

    Raises:
        TypeError: If it is not iterable, or is text, whose items would be letters.
    """
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise wrong(name, value, f"a list, such as {example}")
    return list(value)


def texts_by_name(name: str, value: object, example: str) -> Mapping[str, str]:
    """
    Return a dictionary of texts.

    Raises:
        TypeError: If it is not one.
    """
    checked: Mapping[Any, Any] = given(name, value, Mapping, f"a dictionary, such as {example}")
    if not all(isinstance(text, str) for pair in checked.items() for text in pair):
        raise TypeError(f"{name} must be a dictionary of texts, such as {example}")
    return checked
