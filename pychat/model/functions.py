"""Functions that a program gives us: what can be seen of them before they are called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any


def title_of(function: object) -> str:
    """Return how a program calls a function: `Tea.brew`; of anything else, what it is."""
    function = _whole(function)
    name = getattr(function, "__qualname__", None) or (
        f"this {type(function).__name__}" if callable(function) else None
    )
    return repr(function) if name is None else str(name).rpartition("<locals>.")[2]


def _whole(function: Any) -> Any:
    """Return the function that a partial one is made of."""
    while isinstance(function, functools.partial):
        function = function.func
    return function


def check_plain(function: Callable[..., Any], what: str, title: str | None = None) -> None:
    """
    Return if a call of the function would run it.

    Args:
        what: What it is for, in the plural.
        title: Its name, if that is known better.

    Raises:
        TypeError: It would only make a coroutine or a generator, which nobody runs.
    """
    plain = _whole(function)
    if not inspect.isroutine(plain) and not isinstance(plain, type):
        plain = getattr(type(plain), "__call__", plain)  # noqa: B004 -- what a call of the object calls
    name = title or title_of(function)
    if inspect.iscoroutinefunction(plain) or inspect.isasyncgenfunction(plain):
        raise TypeError(f"{name} is async; {what} are plain functions (they may block)")
    if inspect.isgeneratorfunction(plain):
        raise TypeError(f"{name} has a yield; {what} are plain functions")


def check_ran(result: object, function: object) -> None:
    """
    Return if a call did something, which cannot be seen of every function before.

    Raises:
        TypeError: It has only made a coroutine, which nobody runs.
    """
    if inspect.iscoroutine(result):
        result.close()  # else Python warns that nobody has awaited it
        raise TypeError(f"{title_of(function)} returned a coroutine, which nobody runs; use plain functions")
