"""Commands of a program or a plug-in, for every client: `!roll 2d6` in a room, or by name from a JSON client."""

from __future__ import annotations

import difflib
import inspect
import shlex
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from pychat.core import verbs
from pychat.core.errors import Refused
from pychat.core.events import Message
from pychat.core.handler import Handler, log_failure, only_for_prefix
from pychat.core.membership import own_room
from pychat.core.room import Room
from pychat.core.session import Session

F = TypeVar("F", bound=Callable[..., Any])


class Context:
    """What a command knows: who asked, and where."""

    __slots__ = ("room", "session")

    def __init__(self, session: Session, room: Room | None) -> None:
        self.session = session
        self.room = room
        """None if it was asked in a direct message."""

    @property
    def nickname(self) -> str:
        """Of the one who asked."""
        return self.session.nickname or ""

    def reply(self, text: str) -> None:
        """Answer where it was asked: everybody in the room sees it."""
        if self.room is None:
            self.session.notice(text)
        else:
            self.room.announce(text)

    def whisper(self, text: str) -> None:
        """Answer so that only the one who asked sees it."""
        self.session.notice(text)


class _UsageError(Exception):
    """The arguments do not fit the command."""


class _Command:
    """A function and what its signature says about arguments."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = name
        self.function = function
        self.help = (inspect.getdoc(function) or "").partition("\n")[0]
        signature = inspect.signature(function, eval_str=True)
        parameters = list(signature.parameters.values())
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
        words = [f"!{self.name}"]
        for parameter in [*self._parameters, *filter(None, [self._rest])]:
            word = parameter.name.upper() + ("..." if parameter.kind is inspect.Parameter.VAR_POSITIONAL else "")
            optional = parameter.default is not parameter.empty or parameter.kind is inspect.Parameter.VAR_POSITIONAL
            words.append(f"[{word}]" if optional else word)
        return " ".join(words)

    def __call__(self, context: Context, words: Sequence[str]) -> None:
        """
        Call the function with the words as its parameters want them.

        Raises:
            _UsageError: They do not fit.
        """
        left = list(words)
        args: list[Any] = []
        for parameter in self._parameters:
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                args += [_convert(parameter, left.pop(0)) for _ in range(len(left))]
            elif left:
                args.append(_convert(parameter, left.pop(0)))
            elif parameter.default is parameter.empty:
                raise _UsageError(f"{parameter.name} is missing")
            else:
                args.append(parameter.default)
        rest = {}
        if self._rest is not None and left:
            rest = {self._rest.name: _convert(self._rest, " ".join(left))}
        elif self._rest is not None and self._rest.default is inspect.Parameter.empty:
            raise _UsageError(f"{self._rest.name} is missing")
        elif left:
            raise _UsageError(f"{left[0]!r} is too much")
        self.function(context, *args, **rest)


_BOOLEANS = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}


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


class Commands(Handler):
    """
    Run functions as commands, with arguments converted to the types of their parameters and help from docstrings.

    A command said in a room is a message like any other, and everybody sees the answer. Functions run on the thread
    of the session that asked; they may wait. To refuse, they raise `Refused`.
    """

    waits = False  # what runs the functions sends out first what was said before
    PREFIX: ClassVar[str] = "!"

    def __init__(self) -> None:
        # Replaced as a whole when a command is added, so that it can be read without a lock.
        self._commands: dict[str, _Command] = {}
        self.add("help", self._help)

    def command(self, name: str) -> Callable[[F], F]:
        """Decorate a function `(ctx, ...)` to make it the command `!name`; its docstring begins with its help."""

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
        if not name or name.split() != [name] or name in self._commands:
            raise ValueError(f"command name {name!r} is taken, empty or has spaces")
        self._commands = {**self._commands, name: _Command(name, function)}

    @only_for_prefix(PREFIX)
    def on_message(self, session: Session, message: Message) -> None:
        if not message.text.startswith(self.PREFIX) or message.action:
            return
        name, _, rest = message.text[len(self.PREFIX) :].partition(" ")
        if name not in self._commands:
            close = difflib.get_close_matches(name, self._commands, n=1)
            if close:
                session.notice(f"no command !{name}; did you mean !{close[0]}? !help lists them")
            return
        room = None if message.room is None else session.chat.find_room(message.room)
        try:
            self._run(session, room, name, _split(rest))
        except Refused as error:
            session.notice(str(error))

    def on_command(self, session: Session, command: verbs.Command) -> bool:
        if command.name not in self._commands:
            return False
        room = None if command.room is None and session.current is None else own_room(session, command.room)
        self._run(session, room, command.name, command.args)
        return True

    def on_help(self, session: Session) -> list[str]:
        return [f"{command.usage}  {command.help}".rstrip() for command in self._commands.values()]

    def _run(self, session: Session, room: Room | None, name: str, words: Sequence[str]) -> None:
        session.chat.order.flush()
        command = self._commands[name]
        try:
            command(Context(session, room), words)
        except _UsageError as error:
            raise Refused(f"{error}; usage: {command.usage}", code="bad_request") from None
        except Refused:
            raise
        except Exception:
            raise log_failure(command.function) from None

    def _help(self, ctx: Context) -> None:
        """List the commands."""
        for line in self.on_help(ctx.session):
            ctx.whisper(line)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # an apostrophe is no quotation mark to people
        return text.split()
