"""
Functions as commands, for the handler `Commands` in a server or for a `Bot`.

The signature of a function defines its arguments: words are converted to the types of its parameters. The first line of
its docstring is its help.
"""

from __future__ import annotations

import difflib
import inspect
import logging
from abc import abstractmethod
from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any, Final, TypeVar, overload

from pychat.handlers.command_arguments import UsageError, convert, evaluated, split
from pychat.model.clock import Clock
from pychat.model.errors import AckTimeout, ConnectionLost, InternalFailure, Refused, refusal
from pychat.model.events import Message
from pychat.model.functions import check_plain, check_ran, title_of

logger = logging.getLogger("pychat")

F = TypeVar("F", bound=Callable[..., Any])

_HELP_LINES: Final = 10
"""The number of help lines in one message: far below the limit, even if each of them is long."""


class Context:
    """The context of a command: who sent it, where, and how to answer."""

    __slots__ = ("message", "nickname", "room")

    def __init__(self, nickname: str, room: str | None, message: Message | None) -> None:
        self.nickname = nickname
        """The nickname of the person who sent it."""
        self.room = room
        """The name of the room; None for a direct message."""
        self.message = message
        """The message; None if a program sent the command by name."""

    @property
    @abstractmethod
    def clock(self) -> Clock:
        """The clock for cooldowns, which a test may replace. Over the network, it is the system's."""

    @abstractmethod
    def reply(self, text: str) -> None:
        """Answer where the command was sent: everybody in the room sees it."""

    @abstractmethod
    def whisper(self, text: str) -> None:
        """Answer so that only the person who sent the command sees it."""


@overload
def command(name: F, /) -> F: ...


@overload
def command(name: str | None = None) -> Callable[[F], F]: ...


def command(name: Any = None) -> Any:
    """
    Mark a method `(self, ctx, ...)` as the command `!name` of a group: an object that is added as a whole.

    Without a name, the method's name is used: `@command`.
    """

    def mark(name: str, function: Callable[..., Any]) -> None:
        function.command_name = name  # type: ignore[attr-defined]

    return decorating(name, mark)


def decorating(name: Any, add: Callable[[str, Callable[..., Any]], None]) -> Any:
    """
    Return the result of a command decorator, with or without parentheses, with or without a name.

    Raises:
        TypeError: If the name is not valid.
    """
    if isinstance(name, str):

        def decorate(function: F) -> F:
            add(name, function)
            return function

        return decorate
    if name is None:
        return lambda function: decorating(function, add)
    own = getattr(name, "__name__", "") if callable(name) else ""
    if not own.isidentifier():
        raise TypeError(f"{title_of(name)} is not a name for a command: @command('roll')")
    add(own, name)
    return name


class CommandTable:
    """
    Commands by name. Any thread may add one at any time, effective from the next message.

    Single operations on the dictionary need no lock; for reading, it is copied.
    """

    def __init__(self, prefix: str) -> None:
        """
        Args:
            prefix: The beginning of messages that are commands; not empty.
        """
        if not prefix.strip():
            raise ValueError(f"prefix {prefix!r} is empty")
        self.prefix = prefix
        self._commands: dict[str, _Command] = {}
        self.add("help", self._help)

    def command(self, name: Any = None) -> Any:
        """Decorate a function `(ctx, ...)` to make it a command; its own name is the default."""
        return decorating(name, self.add)

    def add(self, name: str, function: Callable[..., Any]) -> None:
        """
        Add a function as a command.

        Raises:
            ValueError: If the name is empty, taken, has spaces, or begins with the prefix.
            TypeError: If the function is `async`, takes no context first, or has a parameter to which no word converts.
        """
        self._commands[name] = self._make(name, function, self._commands)

    def add_group(self, group: object) -> None:
        """
        Add the methods of an object that are marked with `command`, in the order of their definition.

        Raises:
            ValueError: See `add`. Nothing was added.
            TypeError: See `add`; or if there are no such methods.
        """
        if isinstance(group, type):
            raise TypeError(f"{group.__name__} is a class; add an object of it: {group.__name__}()")
        names = dict.fromkeys(name for kind in reversed(type(group).__mro__) for name in vars(kind))
        methods = [
            getattr(group, name) for name in names if hasattr(inspect.getattr_static(type(group), name), "command_name")
        ]
        if not methods:
            raise TypeError(f"{type(group).__name__} has no commands: mark its methods with @command(name)")
        new: dict[str, _Command] = {}
        for method in methods:
            name = method.command_name
            new[name] = self._make(name, method, self._commands.keys() | new.keys())
        self._commands.update(new)

    def remove(self, function: Callable[..., Any]) -> bool:
        """Remove the commands that run this function; return whether there were any."""
        names = [name for name, each in list(self._commands.items()) if each.runs(function)]
        for name in names:
            self._commands.pop(name, None)
        return bool(names)

    def _make(self, name: str, function: Callable[..., Any], taken: Container[str]) -> _Command:
        problem = self._problem_of(name, taken)
        if problem:
            raise ValueError(f"command name {name!r} {problem}")
        return _Command(name, self.prefix, function)

    def _problem_of(self, name: str, taken: Container[str]) -> str | None:
        if not name.strip():
            return "is empty"
        if name.split() != [name]:
            return "has spaces; use one word"
        if name.startswith(self.prefix):
            return f"begins with {self.prefix!r}, which people type before it; leave that out"
        return "is taken; use another" if name in taken else None

    def __contains__(self, name: str) -> bool:
        return name in self._known()

    def _known(self) -> dict[str, _Command]:
        """Return the commands; none if there is only help, because other programs in a room may have that, too."""
        known = self._commands.copy()
        return known if len(known) > 1 else {}

    def lines(self) -> list[str]:
        """Return a line of help for each command."""
        return [each.line for each in self._known().values()]

    def answer(self, ctx: Context, text: str) -> None:
        """
        Run the command in a message, if it is one; the sender is told of errors.

        Raises:
            Refused: If even that could not be sent.
        """
        if not text.startswith(self.prefix):
            return
        text = text[len(self.prefix) :]
        name = text.split(maxsplit=1)[0] if text and not text[0].isspace() else ""
        command = self._known().get(name)
        if command is None:
            self._suggest(ctx, name)
            return
        try:
            self.run(ctx, name, command.words_of(text[len(name) :]))
        except Refused as error:
            ctx.whisper(str(error))

    def run(self, ctx: Context, name: str, words: Sequence[str]) -> None:
        """
        Run an existing command.

        Raises:
            Refused: If the words do not fit, the command refuses, or it fails; the log then has the traceback.
            ConnectionLost: If the answer was not sent. `AckTimeout` if that is unknown.
        """
        try:
            self._commands[name](ctx, words)
        except (Refused, ConnectionLost, AckTimeout, KeyboardInterrupt):
            raise
        except BaseException:
            logger.exception("command %s%s failed", self.prefix, name)
            raise InternalFailure from None

    def _suggest(self, ctx: Context, name: str) -> None:
        """Suggest a command with a similar name; if there is none, another program in the room may have it."""
        close = difflib.get_close_matches(name, self._known(), n=1)
        if close:
            prefix = self.prefix
            ctx.whisper(f"unknown command {prefix}{name}; did you mean {prefix}{close[0]}? {prefix}help lists them")

    def _help(self, ctx: Context, command: str = "") -> None:
        """List the commands, or explain one."""
        name = command.removeprefix(self.prefix)
        if name:
            known = self._known().get(name)
            if known is None:
                self._suggest(ctx, name)
            else:
                ctx.whisper(known.line)
            return
        lines = self.lines()
        for start in range(0, len(lines), _HELP_LINES):
            ctx.whisper("\n".join(lines[start : start + _HELP_LINES]))


class _Command:
    """A function, with its arguments as its signature defines them."""

    def __init__(self, name: str, prefix: str, function: Callable[..., Any]) -> None:
        check_plain(function, "commands", f"command {name!r}")
        self._title = prefix + name
        self._function = function
        self.help = (inspect.getdoc(function) or "").partition("\n")[0]
        try:
            signature = inspect.signature(function, eval_str=True)
        except Exception:  # one annotation cannot be evaluated; perhaps it is not needed
            signature = inspect.signature(function)
        parameters = list(signature.parameters.values())
        if not parameters or parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
            raise TypeError(f"command {name!r}: its function must take the context as first parameter")
        try:
            arguments = [evaluated(parameter, function) for parameter in parameters[1:]]
        except TypeError as error:
            raise TypeError(f"command {name!r}: {error}") from None
        self._parameters = [p for p in arguments if p.kind is not inspect.Parameter.KEYWORD_ONLY]
        rest = [p for p in arguments if p.kind is inspect.Parameter.KEYWORD_ONLY]
        if len(rest) > 1:
            raise TypeError(f"command {name!r}: only one keyword-only parameter can take the rest of the line")
        self._rest = rest[0] if rest else None

    def runs(self, function: Callable[..., Any]) -> bool:
        """Return whether it runs this function."""
        return self._function == function

    @property
    def line(self) -> str:
        """The usage and the help."""
        return f"{self.usage}  {self.help}".rstrip()

    @property
    def usage(self) -> str:
        """The usage: `!roll [DICE]`."""
        words = [self._title]
        for parameter in [*self._parameters, *filter(None, [self._rest])]:
            word = parameter.name.upper() + ("..." if parameter.kind is inspect.Parameter.VAR_POSITIONAL else "")
            optional = parameter.default is not parameter.empty or parameter.kind is inspect.Parameter.VAR_POSITIONAL
            words.append(f"[{word}]" if optional else word)
        return " ".join(words)

    def words_of(self, text: str) -> list[str]:
        """Return the words after the name; a parameter for the rest of the line gets one, unchanged."""
        return split(text, -1 if self._rest is None else len(self._parameters))

    def __call__(self, ctx: Context, words: Sequence[str]) -> None:
        """
        Call the function with the words converted to the types of its parameters.

        Raises:
            Refused: If they do not fit.
        """
        left = list(words)
        try:
            args = list(self._take_arguments(left))
            rest = self._take_rest(left)
        except UsageError as error:
            raise refusal(f"{error}; usage: {self.usage}", code="bad_request") from None
        check_ran(self._function(ctx, *args, **rest), self._function)

    def _take_arguments(self, left: list[str]) -> Iterator[Any]:
        """Take words for the positional parameters."""
        for parameter in self._parameters:
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                while left:
                    yield convert(parameter, left.pop(0))
            elif left:
                yield convert(parameter, left.pop(0))
            elif parameter.default is parameter.empty:
                raise UsageError(f"{parameter.name} is missing")
            else:
                yield parameter.default

    def _take_rest(self, left: list[str]) -> dict[str, Any]:
        """Return the remaining words for the keyword-only parameter; without one, none may remain."""
        if self._rest is None:
            if left:
                raise UsageError(f"unexpected argument {left[0]!r}")
            return {}
        if left:
            return {self._rest.name: convert(self._rest, " ".join(left))}
        if self._rest.default is inspect.Parameter.empty:
            raise UsageError(f"{self._rest.name} is missing")
        return {}
