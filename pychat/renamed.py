"""Old public names, which work until 1.0: each use warns with the new name, at the line that uses it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, Final, TypeVar

C = TypeVar("C", bound=type)

_BETWEEN: Final = {__name__, "abc", "importlib._bootstrap"}
"""Modules whose frames may lie between a use and its warning."""


def old_names(**names: str) -> Callable[[C], C]:
    """
    Keep old names of attributes and methods of a class, for reading, writing, calling and overriding.

    A subclass that defines one of them by its old name, such as a program's own log, defines the new one by that. Type
    checkers know only the new names.

    Args:
        names: The new name by each old one.
    """

    def keep(cls: C) -> C:
        base: Any = cls

        def adopt(subclass: Any, /, **options: Any) -> None:
            super(base, subclass).__init_subclass__(**options)
            _adopt(subclass)

        base.__init_subclass__ = classmethod(adopt)
        for old, new in names.items():
            setattr(cls, old, _Old(cls, old, new))
        return cls

    return keep


def find_renamed(module: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """
    Return the `__getattr__` of a module that keeps old names (PEP 562).

    Args:
        module: Its `__name__`.
        names: The new name by each old one.
    """

    def find(name: str) -> Any:
        new = names.get(name)
        if new is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warn_renamed(f"{module}.{name}", new)
        return getattr(sys.modules[module], new)

    return find


def warn_renamed(old: str, new: str, below: str = __name__) -> None:
    """
    Warn that an old name is used, at the line that does so.

    Args:
        below: The module that has the old name, if that calls this.
    """
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__") in {below, *_BETWEEN}:
        frame = frame.f_back
        level += frame.f_globals.get("__name__") != "importlib._bootstrap"  # these `warnings` does not count
    warnings.warn(f"{old} is now {new}; the old name works until pychat 1.0", DeprecationWarning, stacklevel=level)


class _Old:
    """An attribute by its old name."""

    def __init__(self, owner: type, old: str, new: str) -> None:
        self.owner, self.old, self.new = owner, old, new

    def __get__(self, instance: object, cls: type) -> Any:
        warn_renamed(f"{self.owner.__name__}.{self.old}", self.new)
        if instance is None:
            return getattr(cls, self.new)
        above = cls.__mro__[: cls.__mro__.index(self.owner)]
        overriding = next((base for base in reversed(above) if self.old in vars(base)), None)
        if overriding is None:
            return getattr(instance, self.new)
        return getattr(super(overriding, instance), self.new)  # only its `super()` can have come here

    def __set__(self, instance: object, value: object) -> None:
        warn_renamed(f"{self.owner.__name__}.{self.old}", self.new)
        setattr(instance, self.new, value)


def _adopt(cls: type) -> None:
    """Let what a class defines by an old name be found by the new one."""
    for name, value in tuple(vars(cls).items()):
        inherited = next(chain((vars(base)[name] for base in cls.__mro__[1:] if name in vars(base)), (None,)))
        if isinstance(inherited, _Old) and inherited.new not in vars(cls):
            warn_renamed(f"{cls.__name__}.{name}", inherited.new)
            setattr(cls, inherited.new, value)
            if not hasattr(value, "__get__"):  # a plain value, which instances may set by the old name
                delattr(cls, name)
