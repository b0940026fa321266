"""Inspecting the functions that a program passes in, before they are called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any


def title_of(function: object) -> str:
    """Return the name of a function as a program writes it: `Tea.brew`; for other objects, what they are."""
    function = _whole(function)
    name = getattr(function, "__qualname__", None) or (
        f"this {type(function).__name__}" if callable(function) else None
    )
    return repr(function) if name is None else str(name).rpartition("<locals>.")[2]


def _whole(function: Any) -> Any:
    """Return the function that a partial one wraps."""
    while isinstance(function, functools.partial):
        function = function.func
    return function


def check_plain(function: Callable[..., Any], what: str, title: str | None = None) -> None:
    """
    Check that a call of the function would run it.

    Args:
        what: The purpose of the function, in the plural.
        title: Its name, if the caller knows a better one.

    Raises:
        TypeError: If it would only create a coroutine or a generator, which nobody runs.
    """
    plain = _whole(function)
    if not inspect.isroutine(plain) and not isinstance(plain, type):
        plain = getattr(type(plain), "__call__", plain)  # noqa: B004 -- the code that a call of the object runs
    name = title or title_of(function)
    if inspect.iscoroutinefunction(plain) or inspect.isasyncgenfunction(plain):
        raise TypeError(f"{name} is async; {what} are plain functions (they may block)")
    if inspect.isgeneratorfunction(plain):
        raise TypeError(f"{name} has a yield; {what} are plain functions")


def check_ran(result: object, function: object) -> None:
    """
    Check that a call ran, which cannot be told in advance for every function.

    Raises:
        TypeError: If it only created a coroutine, which nobody runs.
    """
    if inspect.iscoroutine(result):
        result.close()  # else Python warns that it was never awaited
        raise TypeError(f"{title_of(function)} returned a coroutine, which nobody runs; use plain functions")
