"""
What a bot does: the functions that a program gives it, when they are called, and what happens when one fails.

`Bot` is made of it: the bot hears, and tells its repertoire, always on the same thread.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from pychat.core.errors import AckTimeout, ConnectionLost, Refused
from pychat.handlers.command_table import CommandTable, Context
from pychat.schedule import Schedule

logger = logging.getLogger("pychat")

F = TypeVar("F", bound=Callable[..., Any])


class Repertoire:
    """Functions by what they are for. Any thread may add one at any time; it counts from then on."""

    def __init__(self, prefix: str) -> None:
        self._functions: list[tuple[tuple[type, ...], Callable[..., Any]]] = []  # only appended to: needs no lock
        self._commands = CommandTable(prefix)
        self._schedule = Schedule()

    # What programs call

    def on(self, *kinds: type) -> Callable[[F], F]:
        """
        Let the decorated function be called with each event of these types: `@bot.on(Message)`.

        Several functions are called in the order in which they were added, and before the command, if it is one.
        """
        if not kinds or not all(isinstance(kind, type) for kind in kinds):
            raise TypeError("name the types of events: @bot.on(Message)")

        def decorate(function: F) -> F:
            _check_parameters(function, "event")
            self._functions.append((kinds, function))
            return function

        return decorate

    def command(self, name: str) -> Callable[[F], F]:
        """Make the decorated function `(ctx, ...)` the command `!name`, with help from its docstring."""
        return self._commands.command(name)

    def add(self, group: object) -> None:
        """Add the commands of an object: its methods that are marked with `pychat.command`."""
        self._commands.add_group(group)

    def every(self, seconds: float) -> Callable[[F], F]:
        """
        Let the decorated function, which takes nothing, be called again and again while the bot is in a chat.

        The first time is after so many seconds. Calls that were missed, because another function took long, are left
        out.
        """

        def decorate(function: F) -> F:
            _check_parameters(function)
            self._schedule.add(seconds, function, time.monotonic())
            self._wake()
            return function

        return decorate

    # What the bot does with it

    def _wake(self) -> None:
        """The schedule has changed: the thread that waits for what is due next must look at it."""

    def _excuses(self) -> bool:
        """Whether it is clear why something cannot be said at the moment, so that the log need not tell."""
        return False

    def _do_what_is_due(self) -> float | None:
        """Call what is due, and return the seconds until something else is; None if nothing ever is."""
        for function in self._schedule.due(time.monotonic()):
            self._call(function)
        return self._schedule.remaining(time.monotonic())

    def _tell(self, event: object) -> None:
        """Call the functions that want to know of an event."""
        for kinds, function in self._functions:
            if isinstance(event, kinds):
                self._call(function, event)

    def _answer(self, ctx: Context, text: str) -> None:
        """Run the command that a message is, if it is one."""
        self._call(self._commands.answer, ctx, text)

    def _call(self, function: Callable[..., Any], *args: object) -> None:
        try:
            function(*args)
        except (Refused, ConnectionLost, AckTimeout) as error:
            # No mistake in the function: whom it wanted to tell is gone, or the bot is, or the chat said no.
            if not self._excuses():
                logger.warning("%r: %s: %s", self, getattr(function, "__qualname__", function), error)
        except Exception:
            logger.exception("%r: %s failed", self, getattr(function, "__qualname__", function))


def _check_parameters(function: Callable[..., Any], *names: str) -> None:
    """
    Raises:
        TypeError: The function cannot be called with these arguments.
    """
    try:
        inspect.signature(function).bind(*names)
    except TypeError:
        title = getattr(function, "__qualname__", function)
        raise TypeError(f"{title} must take ({', '.join(names)})") from None
