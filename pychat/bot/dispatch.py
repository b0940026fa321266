"""
The functions of a bot: how a program adds them, when they are called, and what happens when one fails.

`Bot` inherits from this: it receives events and dispatches them, always on the same thread.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
from collections.abc import Callable
from typing import Any, Final, TypeVar, get_args, overload

from pychat.bot.schedule import Schedule
from pychat.client.inbox import Heard
from pychat.handlers.function_commands import CommandTable, Context
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.errors import AckTimeout, ConnectionLost, Refused
from pychat.model.functions import check_plain, check_ran, title_of

logger = logging.getLogger("pychat")

F = TypeVar("F", bound=Callable[..., Any])

_HEARD: Final[tuple[type, ...]] = get_args(Heard)
"""All types that a bot can receive."""


class Repertoire:
    """Functions by purpose. Any thread may add one at any time; it takes effect at once."""

    def __init__(self, prefix: str) -> None:
        self.clock: Clock = SYSTEM_CLOCK
        """The source of time: in a server, the server's clock."""
        # Single operations on a list need no lock; iteration uses a copy.
        self._functions: list[tuple[tuple[type, ...], Callable[..., Any]]] = []
        self._commands = CommandTable(prefix)
        self._schedule = Schedule()

    # For programs

    def on(self, *kinds: type) -> Callable[[F], F]:
        """
        Call the decorated function with each event of these types: `@bot.on(Message)`.

        Functions are called in the order in which they were added, and before the command if the message is one.
        """
        if not kinds or not all(isinstance(kind, type) for kind in kinds):
            raise TypeError("name the types of events: @bot.on(Message)")
        for kind in kinds:
            if not any(issubclass(event, kind) for event in _HEARD):
                raise TypeError(f"{kind.__name__} is not an event, so it would never come: @bot.on(Message)")

        def decorate(function: F) -> F:
            _check_parameters(function, "event")
            self._functions.append((kinds, function))
            return function

        return decorate

    @overload
    def command(self, name: F, /) -> F: ...

    @overload
    def command(self, name: str | None = None) -> Callable[[F], F]: ...

    def command(self, name: Any = None) -> Any:
        """
        Make the decorated function `(ctx, ...)` the command `!name`, with help from its docstring.

        Without a name, the command has the name of the function: `@bot.command`.
        """
        return self._commands.command(name)

    def add(self, group: object) -> None:
        """Add the commands of an object: its methods that are marked with `pychat.command`."""
        self._commands.add_group(group)

    def every(self, seconds: float) -> Callable[[F], F]:
        """
        Call the decorated function, which takes no arguments, at this interval while the bot is in a chat.

        The first call is after one interval. Calls that were missed, because another function took long, are skipped.
        """
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise TypeError(f"give the number of seconds: @bot.every(60), not {title_of(seconds)}")

        def decorate(function: F) -> F:
            _check_parameters(function)
            self._schedule.add(seconds, function, self.clock.monotonic())
            self._wake()
            return function

        return decorate

    def off(self, function: Callable[..., Any]) -> None:
        """
        Stop calling a function: for events, at intervals, and as a command. A running call finishes.

        Raises:
            ValueError: If it is not one of the bot's functions.
        """
        heard = [entry for entry in list(self._functions) if entry[1] == function]
        for entry in heard:
            with contextlib.suppress(ValueError):  # another thread has just removed it
                self._functions.remove(entry)
        if not any([heard, self._schedule.remove(function), self._commands.remove(function)]):
            raise ValueError(f"{title_of(function)} is not a function of the bot")

    # For the bot

    def _wake(self) -> None:
        """Notify the waiting thread that the schedule has changed."""

    def _excuses(self) -> bool:
        """Return whether the reason for a failed call is already known, so that it need not be logged."""
        return False

    def _do_what_is_due(self) -> float | None:
        """Call the functions that are due, and return the seconds until the next one; None if there is none."""
        for function in self._schedule.due(self.clock.monotonic()):
            self._call(function)
        return self._schedule.remaining(self.clock.monotonic())

    def _tell(self, event: object) -> None:
        """Call the functions for an event."""
        for kinds, function in list(self._functions):
            if isinstance(event, kinds):
                self._call(function, event)

    def _answer(self, ctx: Context, text: str) -> None:
        """Run the command in a message, if there is one."""
        self._call(self._commands.answer, ctx, text)

    def _call(self, function: Callable[..., Any], *args: object) -> None:
        try:
            check_ran(function(*args), function)
        except (Refused, ConnectionLost, AckTimeout) as error:
            # Not an error in the function: the recipient is gone, or the bot is, or the chat refused.
            if not self._excuses():
                logger.warning("%r: %s: %s", self, getattr(function, "__qualname__", function), error)
        except KeyboardInterrupt:
            raise
        except BaseException:
            logger.exception("%r: %s failed", self, getattr(function, "__qualname__", function))


def _check_parameters(function: Callable[..., Any], *names: str) -> None:
    """
    Check that a function can be called with these arguments.

    Raises:
        TypeError: If it cannot be called with them, or is `async`.
    """
    check_plain(function, "functions of a bot")
    try:
        inspect.signature(function).bind(*names)
    except TypeError:
        title = getattr(function, "__qualname__", function)
        raise TypeError(f"{title} must take ({', '.join(names)})") from None
