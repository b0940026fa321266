"""
Functions as commands, whoever runs them: the handler `Commands` in a server, or a `Bot`.

A command is a function whose signature says what it takes: words are converted to the types of its parameters, and
the first line of its docstring is its help.
"""

from __future__ import annotations

import difflib
import enum
import inspect
import io
import logging
import shlex
import types
import typing
from abc import abstractmethod
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
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
            TypeError: The function does not take a context first, or wants something that no word can be.
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
        text = text[len(self.prefix) :]
        name = text.split(maxsplit=1)[0] if text and not text[0].isspace() else ""
        if name not in self._commands:
            close = difflib.get_close_matches(name, list(self._commands), n=1)
            if close:
                prefix = self.prefix
                ctx.whisper(f"no command {prefix}{name}; did you mean {prefix}{close[0]}? {prefix}help lists them")
            return
        try:
            self.run(ctx, name, self._commands[name].words_of(text[len(name) :]))
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
        try:
            signature = inspect.signature(function, eval_str=True)
        except Exception:  # one annotation cannot be evaluated; perhaps it is one that nobody needs
            signature = inspect.signature(function)
        parameters = list(signature.parameters.values())
        if not parameters or parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
            raise TypeError(f"command {name!r}: its function must take the context as first parameter")
        try:
            arguments = [_evaluated(parameter, function) for parameter in parameters[1:]]
        except TypeError as error:
            raise TypeError(f"command {name!r}: {error}") from None
        self._parameters = [p for p in arguments if p.kind is not inspect.Parameter.KEYWORD_ONLY]
        rest = [p for p in arguments if p.kind is inspect.Parameter.KEYWORD_ONLY]
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

    def words_of(self, text: str) -> list[str]:
        """Return the words of what was said behind the name; what is the rest of the line is one, as it was said."""
        return _split(text, -1 if self._rest is None else len(self._parameters))

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


def _evaluated(parameter: inspect.Parameter, function: Callable[..., Any]) -> inspect.Parameter:
    """
    Return the parameter with its annotation, which may still be a string.

    It is, if another one cannot be evaluated: the type of the context may be imported for type checkers alone.

    Raises:
        TypeError: No word can be converted to it.
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
    """Return what a word may be, if there are only some; None if that is for the type itself to say."""
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


def _convert(parameter: inspect.Parameter, word: str) -> Any:
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
            pass  # perhaps it is another one of the union
    raise _UsageError(f"{parameter.name} must be {' or '.join(map(_name_of, kinds))}, not {word!r}")


def _split(text: str, most: int) -> list[str]:
    """Return the words; with `most`, if it is not negative, so many and then the rest as it is."""
    stream = io.StringIO(text.strip())
    lexer = shlex.shlex(stream, posix=True)
    lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""  # people write no escapes, but \\o/
    words: list[str] = []
    try:
        while len(words) != most and (word := lexer.get_token()) is not None:
            words.append(word)
    except ValueError:  # an apostrophe is no quotation mark to people
        return text.strip().split(maxsplit=most)
    rest = stream.read().strip()
    return [*words, rest] if rest else words
