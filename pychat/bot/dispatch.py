"""
What a bot does: the functions that a program gives it, when they are called, and what happens when one fails.

`Bot` is made of it: the bot hears, and tells its repertoire, always on the same thread.
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
"""All that a bot can hear."""


class Repertoire:
    """Functions by what they are for. Any thread may add one at any time; it counts from then on."""

    def __init__(self, prefix: str) -> None:
        self.clock: Clock = SYSTEM_CLOCK
        """What time it is: in a server, that of the server."""
        # Single operations on a list need no lock; whoever goes through it has a copy.
        self._functions: list[tuple[tuple[type, ...], Callable[..., Any]]] = []
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
        for kind in kinds:
            if not any(issubclass(event, kind) for event in _HEARD):
                raise TypeError(f"{kind.__name__} is no event, so it would never come: @bot.on(Message)")

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

        Without a name it is called like the function: `@bot.command`.
        """
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
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise TypeError(f"say after how many seconds: @bot.every(60), not {title_of(seconds)}")

        def decorate(function: F) -> F:
            _check_parameters(function)
            self._schedule.add(seconds, function, self.clock.monotonic())
            self._wake()
            return function

        return decorate

    def off(self, function: Callable[..., Any]) -> None:
        """
        Call a function no more: neither with events nor again and again, nor as a command. One that runs finishes.

        Raises:
            ValueError: It is none of the functions of the bot.
        """
        heard = [entry for entry in list(self._functions) if entry[1] == function]
        for entry in heard:
            with contextlib.suppress(ValueError):  # another thread has just removed it
                self._functions.remove(entry)
        if not any([heard, self._schedule.remove(function), self._commands.remove(function)]):
            raise ValueError(f"{title_of(function)} is none of the functions of the bot")

    # What the bot does with it

    def _wake(self) -> None:
        """The schedule has changed: the thread that waits for what is due next must look at it."""

    def _excuses(self) -> bool:
        """Whether it is clear why something cannot be said at the moment, so that the log need not tell."""
        return False

    def _do_what_is_due(self) -> float | None:
        """Call what is due, and return the seconds until something else is; None if nothing ever is."""
        for function in self._schedule.due(self.clock.monotonic()):
            self._call(function)
        return self._schedule.remaining(self.clock.monotonic())

    def _tell(self, event: object) -> None:
        """Call the functions that want to know of an event."""
        for kinds, function in list(self._functions):
            if isinstance(event, kinds):
                self._call(function, event)

    def _answer(self, ctx: Context, text: str) -> None:
        """Run the command that a message is, if it is one."""
        self._call(self._commands.answer, ctx, text)

    def _call(self, function: Callable[..., Any], *args: object) -> None:
        try:
            check_ran(function(*args), function)
        except (Refused, ConnectionLost, AckTimeout) as error:
            # No mistake in the function: whom it wanted to tell is gone, or the bot is, or the chat said no.
            if not self._excuses():
                logger.warning("%r: %s: %s", self, getattr(function, "__qualname__", function), error)
        except KeyboardInterrupt:
            raise
        except BaseException:
            logger.exception("%r: %s failed", self, getattr(function, "__qualname__", function))


def _check_parameters(function: Callable[..., Any], *names: str) -> None:
    """
    Raises:
        TypeError: The function cannot be called with these arguments, or is `async`.
    """
    check_plain(function, "functions of a bot")
    try:
        inspect.signature(function).bind(*names)
    except TypeError:
        title = getattr(function, "__qualname__", function)
        raise TypeError(f"{title} must take ({', '.join(names)})") from None
