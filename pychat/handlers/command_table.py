"""
Functions as commands, whoever runs them: the handler `Commands` in a server, or a `Bot`.

A command is a function whose signature says what it takes: words are converted to the types of its parameters, and
the first line of its docstring is its help.
"""

from __future__ import annotations

import difflib
import inspect
import logging
import shlex
import types
import typing
from abc import abstractmethod
from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any, Final, TypeVar

from pychat.core.errors import AckTimeout, ConnectionLost, InternalFailure, Refused
from pychat.core.events import Message

logger = logging.getLogger("pychat")

F = TypeVar("F", bound=Callable[..., Any])

_HELP_LINES: Final = 10
"""Lines of help in one message: far below what a message may have, also if each of them is long."""


class Context:
    """What a command knows: who asked, where, and how to answer."""

    __slots__ = ("message", "nickname", "room")

    def __init__(self, nickname: str, room: str | None, message: Message | None) -> None:
        self.nickname = nickname
        """Of the one who asked."""
        self.room = room
        """The name of the room; None if it was asked in a direct message."""
        self.message = message
        """What was said; None if a program asked for the command by its name."""

    @abstractmethod
    def reply(self, text: str) -> None:
        """Answer where it was asked: everybody in the room sees it."""

    @abstractmethod
    def whisper(self, text: str) -> None:
        """Answer so that only the one who asked sees it."""


def command(name: str) -> Callable[[F], F]:
    """Mark a method `(self, ctx, ...)` as the command `!name` of a group: of the object that is added as a whole."""

    def mark(function: F) -> F:
        function.command_name = name  # type: ignore[attr-defined]
        return function

    return mark


class CommandTable:
    """
    Commands by name. Any thread may add one at any time; it counts from the next message on.

    Single operations on the dictionary need no lock; it is only read as a copy.
    """

    def __init__(self, prefix: str) -> None:
        """
        Args:
            prefix: What a message begins with that is a command; not empty.
        """
        if not prefix.strip():
            raise ValueError(f"prefix {prefix!r} is empty")
        self.prefix = prefix
        self._commands: dict[str, _Command] = {}
        self.add("help", self._help)

    def command(self, name: str) -> Callable[[F], F]:
        """Decorate a function `(ctx, ...)` to make it a command; see `add`."""

        def decorate(function: F) -> F:
            self.add(name, function)
            return function

        return decorate

    def add(self, name: str, function: Callable[..., Any]) -> None:
        """
        Make a function a command.

        Raises:
            ValueError: The name has spaces or is taken.
            TypeError: The function does not take a context first.
        """
        self._commands[name] = self._make(name, function, self._commands)

    def add_group(self, group: object) -> None:
        """
        Add the methods of an object that are marked with `command`, in the order of their definition.

        Raises:
            ValueError: See `add`. Nothing was added.
            TypeError: See `add`; or there are no such methods.
        """
        names = dict.fromkeys(name for kind in reversed(type(group).__mro__) for name in vars(kind))
        methods = [getattr(group, name) for name in names if hasattr(getattr(type(group), name, None), "command_name")]
        if not methods:
            raise TypeError(f"{type(group).__name__} has no commands: mark its methods with @command(name)")
        new: dict[str, _Command] = {}
        for method in methods:
            name = method.command_name
            new[name] = self._make(name, method, self._commands.keys() | new.keys())
        self._commands.update(new)

    def _make(self, name: str, function: Callable[..., Any], taken: Container[str]) -> _Command:
        if not name or name.split() != [name] or name in taken:
            raise ValueError(f"command name {name!r} is taken, empty or has spaces")
        return _Command(name, self.prefix, function)

    def __contains__(self, name: str) -> bool:
        return name in self._commands

    def lines(self) -> list[str]:
        """Return a line of help for each command."""
        return [f"{each.usage}  {each.help}".rstrip() for each in list(self._commands.values())]

    def answer(self, ctx: Context, text: str) -> None:
        """
        Run the command that a message is, if it is one; whoever asked is told what is wrong with it.

        Raises:
            Refused: Even that could not be told.
        """
        if not text.startswith(self.prefix):
            return
        name, _, rest = text[len(self.prefix) :].partition(" ")
        if name not in self._commands:
            close = difflib.get_close_matches(name, list(self._commands), n=1)
            if close:
                prefix = self.prefix
                ctx.whisper(f"no command {prefix}{name}; did you mean {prefix}{close[0]}? {prefix}help lists them")
            return
        try:
            self.run(ctx, name, _split(rest))
        except Refused as error:
            ctx.whisper(str(error))

    def run(self, ctx: Context, name: str, words: Sequence[str]) -> None:
        """
        Run a command that there is.

        Raises:
            Refused: The words do not fit, the command refuses, or it failed; the log has the traceback of that.
            ConnectionLost: The answer did not get through; or `AckTimeout`, perhaps it did not.
        """
        try:
            self._commands[name](ctx, words)
        except (Refused, ConnectionLost, AckTimeout):
            raise
        except Exception:
            logger.exception("command %s%s failed", self.prefix, name)
            raise InternalFailure from None

    def _help(self, ctx: Context) -> None:
        """List the commands."""
        lines = self.lines()
        for start in range(0, len(lines), _HELP_LINES):
            ctx.whisper("\n".join(lines[start : start + _HELP_LINES]))


class _UsageError(Exception):
    """The arguments do not fit the command."""


class _Command:
    """A function and what its signature says about arguments."""

    def __init__(self, name: str, prefix: str, function: Callable[..., Any]) -> None:
        self._title = prefix + name
        self._function = function
        self.help = (inspect.getdoc(function) or "").partition("\n")[0]
        parameters = list(inspect.signature(function, eval_str=True).parameters.values())
        if not parameters or parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
            raise TypeError(f"command {name!r}: its function must take the context as first parameter")
        self._parameters = [p for p in parameters[1:] if p.kind is not inspect.Parameter.KEYWORD_ONLY]
        rest = [p for p in parameters[1:] if p.kind is inspect.Parameter.KEYWORD_ONLY]
        if len(rest) > 1:
            raise TypeError(f"command {name!r}: only one keyword-only parameter can take the rest of the line")
        self._rest = rest[0] if rest else None

    @property
    def usage(self) -> str:
        """How to call it: `!roll [DICE]`."""
        words = [self._title]
        for parameter in [*self._parameters, *filter(None, [self._rest])]:
            word = parameter.name.upper() + ("..." if parameter.kind is inspect.Parameter.VAR_POSITIONAL else "")
            optional = parameter.default is not parameter.empty or parameter.kind is inspect.Parameter.VAR_POSITIONAL
            words.append(f"[{word}]" if optional else word)
        return " ".join(words)

    def __call__(self, ctx: Context, words: Sequence[str]) -> None:
        """
        Call the function with the words as its parameters want them.

        Raises:
            Refused: They do not fit.
        """
        left = list(words)
        try:
            args = list(self._take_arguments(left))
            rest = self._take_rest(left)
        except _UsageError as error:
            raise Refused(f"{error}; usage: {self.usage}", code="bad_request") from None
        self._function(ctx, *args, **rest)

    def _take_arguments(self, left: list[str]) -> Iterator[Any]:
        """Take words for the positional parameters."""
        for parameter in self._parameters:
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                while left:
                    yield _convert(parameter, left.pop(0))
            elif left:
                yield _convert(parameter, left.pop(0))
            elif parameter.default is parameter.empty:
                raise _UsageError(f"{parameter.name} is missing")
            else:
                yield parameter.default

    def _take_rest(self, left: list[str]) -> dict[str, Any]:
        """Return what is left for the keyword-only parameter; without one, nothing may be left."""
        if self._rest is None:
            if left:
                raise _UsageError(f"{left[0]!r} is too much")
            return {}
        if left:
            return {self._rest.name: _convert(self._rest, " ".join(left))}
        if self._rest.default is inspect.Parameter.empty:
            raise _UsageError(f"{self._rest.name} is missing")
        return {}


_BOOLEANS: Final = {
    "yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False
}  # fmt: skip


def _convert(parameter: inspect.Parameter, word: str) -> Any:
    kind = parameter.annotation
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        kind = next(member for member in typing.get_args(kind) if member is not type(None))
    if kind is parameter.empty or kind is str:
        return word
    try:
        return _BOOLEANS[word.lower()] if kind is bool else kind(word)
    except (KeyError, ValueError, ArithmeticError):
        name = getattr(kind, "__name__", str(kind))
        raise _UsageError(f"{parameter.name} must be {name}, not {word!r}") from None


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # an apostrophe is no quotation mark to people
        return text.split()
